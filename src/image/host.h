/* Functions on this computer: in a container, if there is a runtime that can, else as a process
 * under a changed root. Without root. */
#ifndef SLS_IMAGE_HOST_H
#define SLS_IMAGE_HOST_H

#include "common/error.h"
#include "image/function.h"

/* Run it, listening on 127.0.0.1:PORT, until it or we are ended. */
int host_serve(const struct function *function, unsigned port, struct error *err);

/* Run it, and have the client check the replies to so many of its inputs, and to so many random
 * ones. */
int host_test(const struct function *function, unsigned invocations, struct error *err);

#endif
