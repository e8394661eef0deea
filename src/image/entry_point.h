/* Entry points: whether the guest's kernel could start what they name. Seen when the image is made,
 * not when a container fails to start in the guest. */
#ifndef SLS_IMAGE_ENTRY_POINT_H
#define SLS_IMAGE_ENTRY_POINT_H

#include <jansson.h>

#include "common/error.h"

/* The entry points of a function.yaml, the services' over the function's files included, in a
 * folder that has all files of their image: no base layer lies below. Each must be an executable
 * x86-64 program, and what it is loaded or interpreted by must be there, too. */
int entry_points_check(const json_t *yaml, const char *root, struct error *err);

#endif
