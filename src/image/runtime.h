/* Container runtimes: who starts the function's container in the guest. crun is in every image; one
 * with another is an image of its own, with the packages of recipes/NAME.packages. */
#ifndef SLS_IMAGE_RUNTIME_H
#define SLS_IMAGE_RUNTIME_H

#include <stdbool.h>

#include "common/error.h"

#define RUNTIME_DEFAULT "crun"
#define RUNTIME_NAMES "crun, docker, podman"

/* All of them; ends with NULL. */
extern const char *const runtimes[];

/* Refuse an unknown name, as a usage error. */
int runtime_check(const char *name, struct error *err);

/* Whether it needs an image of its own, and the function's image as an archive that it loads. */
bool runtime_is_engine(const char *name);

#endif
