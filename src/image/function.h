/* Functions: described by functions/NAME/LANGUAGE/function.yaml, built by what their language has
 * for that into an OCI image, and put into a small ext4 image of their own for the guest; both over
 * their language's base layer, if it has one. Beside it may run services (service.h). Or added by
 * the user as an OCI image (added.h), and put into an ext4 image in the same way. */
#ifndef SLS_IMAGE_FUNCTION_H
#define SLS_IMAGE_FUNCTION_H

#include <stdbool.h>

#include <jansson.h>

#include "common/error.h"
#include "common/hash.h"
#include "image/language.h"

#define FUNCTION_IMAGES "functions"  /* the folder of the cache */
#define FUNCTION_ARCHIVES "archives" /* another */
#define FUNCTION_PORT "50051"  /* where functions listen, and what the guest publishes it as */
#define FUNCTION_MOST_WORDS 48 /* in each list of function.yaml */

struct function {
    char *name;                  /* aes-c */
    char *folder;                /* of its function.yaml and files */
    bool added;                  /* by the user: it has an image, and no language */
    json_t *yaml;                /* function.yaml, checked */
    char *proto;                 /* its service's description, a file */
    struct language language;    /* with the base layer below it */
    struct language services;    /* what its data services lie on; empty: it has none */
    char *entry;                 /* name of its images in the cache */
    char *layout;                /* its OCI image layout, a folder; tag "latest" */
    char *archive;               /* ext4 with /image.tar; NULL: function_prepare_archive() */
    char *image;                 /* ext4 with /NAME/rootfs, config.json and services */
    char digest[HASH_HEX];       /* of the ext4 image and of the base layers */
    char image_digest[HASH_HEX]; /* of the OCI image's manifest */
};

/* Find the function by name. An unknown name's error lists the known ones. */
int function_find(const char *name, struct function *function, struct error *err);

/* function_find(), and its images and base layer, made when they are missing. */
int function_prepare(const char *name, struct function *function, struct error *err);

/* Of a prepared function, also its image as an archive that Docker and Podman load, in an ext4
 * image of its own. The digest of the archive's image becomes part of function->digest. */
int function_prepare_archive(struct function *function, struct error *err);
void function_free(struct function *function);

/* Where it listens in its container; the string is the function's. */
const char *function_port(const struct function *function);

/* Copy a file of the function's root file system, as its image has it, to a file of the host. 1:
 * there is no such file in the image (the function may have made it itself); 0 or -1 otherwise. */
int function_extract(const struct function *function, const char *path, const char *to,
                     struct error *err);

/* All functions' names, each once, sorted, as a JSON array of strings. Owned by the caller. */
json_t *function_names(void);

#endif
