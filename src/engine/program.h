/* A program of the user's: whether the guest could run it. */
#ifndef SLS_ENGINE_PROGRAM_H
#define SLS_ENGINE_PROGRAM_H

#include <stdint.h>

#include "common/error.h"
#include "common/hash.h"

struct program {
    char *path;        /* absolute */
    const char *name;  /* its last part */
    uint64_t bytes;    /* of the file */
    char *interpreter; /* what loads it, if it is dynamic: ld.so's path; NULL: it is static */
    char digest[HASH_HEX];
};

/* Find the file and look at it: it must be an executable x86-64 ELF that is small enough for a
 * parcel. Freed with program_free(), also after a failure. */
int program_find(const char *path, struct program *program, struct error *err);
void program_free(struct program *program);

#endif
