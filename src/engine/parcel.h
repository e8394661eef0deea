/* The parcel: the file that brings into a restored guest what was not known when it booted, a
 * program (guest/launch.h) or a script (recipes/await-script). */
#ifndef SLS_ENGINE_PARCEL_H
#define SLS_ENGINE_PARCEL_H

#include <stddef.h>

#include "common/error.h"
#include "engine/program.h"

/* Write a parcel with this program and its arguments (NULL-terminated, its own name first). */
int parcel_write(const char *path, const struct program *program, char *const *arguments,
                 unsigned core, struct error *err);

/* One with this script. */
int parcel_write_script(const char *path, const char *script, size_t size, struct error *err);

/* One with nothing in it: what the guest sees until the checkpoint. */
int parcel_write_empty(const char *path, struct error *err);

#endif
