/* The parcel (guest/launch.h): the file that brings a program into a restored guest. */
#ifndef SLS_ENGINE_PARCEL_H
#define SLS_ENGINE_PARCEL_H

#include "common/error.h"
#include "engine/program.h"

/* Write a parcel with this program and its arguments (NULL-terminated, its own name first). */
int parcel_write(const char *path, const struct program *program, char *const *arguments,
                 unsigned core, struct error *err);

/* One with nothing in it: what the guest sees until the checkpoint. */
int parcel_write_empty(const char *path, struct error *err);

#endif
