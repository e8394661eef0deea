/* Whether KVM can be used, which is only found out by using it: /dev/kvm can be there, open and
 * make machines whose guests never get anywhere. */
#ifndef SLS_ENGINE_KVM_H
#define SLS_ENGINE_KVM_H

#include <stdbool.h>

#include "image/image.h"

/* Boot this image by KVM until its init speaks; at most ten seconds, once each time that this
 * computer was started. */
bool kvm_works(const struct image *image);

#endif
