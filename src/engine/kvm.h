/* Whether KVM can be used, which is only found out by using it: /dev/kvm can be there, open and
 * make machines whose guests never get anywhere. */
#ifndef SLS_ENGINE_KVM_H
#define SLS_ENGINE_KVM_H

#include <stdbool.h>

#include "engine/machine.h"

/* Boot this machine by KVM until its init speaks; at most ten seconds, once each time that this
 * computer was started. `folder` is for what it says meanwhile. */
bool kvm_works(const struct machine_options *options, const char *folder);

#endif
