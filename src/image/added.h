/* Functions that a user has added: images of others, each with a description. They are kept apart
 * from the cache, in paths_added(), as they cannot be made again:
 *   NAME/oci               the image, as an OCI image layout
 *   NAME/services/X/oci    that of service X
 *   NAME/function.yaml     as those of the suite's functions, with two more keys: source, digest
 * What the guest needs of them is made of that and lies in the cache, as that of all functions. */
#ifndef SLS_IMAGE_ADDED_H
#define SLS_IMAGE_ADDED_H

#include <stdbool.h>

#include <jansson.h>

#include "common/error.h"
#include "image/fetch.h"

/* What is to be added. Lists are of strings; NULL where nothing is said. */
struct addition {
    const char *name;       /* small letters, digits, - */
    const char *source;     /* docker://HOST/NAME:TAG, oci:FOLDER[:TAG], docker-archive:FILE */
    const json_t *client;   /* for client_find() */
    const json_t *how;      /* it is to be run, as compose_service() has it: over the image's */
    const char *port;       /* where it listens; NULL: FUNCTION_PORT */
    const json_t *services; /* that it needs, in the order of starting, by their names here */
    bool replace;           /* a function of that name, if there is one */
    struct fetch_options fetch;
};

/* The name that the source gives it: its last part, without tag or digest. The caller frees it. */
char *added_name(const char *source);

/* Whether it can be added, as far as can be told without the image. */
int added_check(const struct addition *addition, struct error *err);

/* Fetch the image, look whether it can be run, and add it: whole or not at all. */
int added_make(const struct addition *addition, struct error *err);

int added_remove(const char *name, struct error *err);

#endif
