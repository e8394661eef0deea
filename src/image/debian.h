/* A Debian root file system as a tar, from the host's own package
 * sources, by mmdebstrap: without root in a user namespace. What the
 * guest's base image and the functions' base layers start from. */
#ifndef SLS_IMAGE_DEBIAN_H
#define SLS_IMAGE_DEBIAN_H

#include <stdbool.h>

#include "common/error.h"
#include "image/apt.h"
#include "image/store.h"

struct debian {
    const char *what;                        /* for errors: "the guest's root file system" */
    const struct distribution *distribution; /* NULL: the host's */
    const char *packages;                    /* beside the essential ones, separated by commas */
    const char *hook; /* a shell's text, run at the end with the new root as $1; NULL: none */
    bool devices;     /* with nodes in /dev; a container gets its own */
};

/* The packages a list file names, one a line, # for remarks, separated by commas; with a ? behind
 * it, a package that not every release has. The caller frees it. */
char *debian_packages(const char *list_file, struct error *err);

/* Make it in the entry's folder, as the file `tar` (.tar, .tar.zst). The log of a failure stays in
 * the cache, and the error names it. */
int debian_make(const struct debian *debian, const struct store_entry *entry, const char *tar,
                struct error *err);

#endif
