/* OCI image layouts, by umoci: a folder with blobs and one image, tagged "latest". The same content
 * gives the same digests. */
#ifndef SLS_IMAGE_OCI_H
#define SLS_IMAGE_OCI_H

#include <jansson.h>

#include "common/error.h"
#include "common/hash.h"

/* An image without layers, or one that begins with the layers of another layout (NULL: none), whose
 * blobs it shares as hard links. */
int oci_new(const char *layout, const char *base, const char *log, struct error *err);

/* Pack a folder as a layer, whatever the owners, times and umask of its files: root's, of
 * IMAGE_EPOCH, readable by all. `tar` is a file to use for that. */
int oci_add_folder(const char *layout, const char *folder, const char *tar, const char *log,
                   struct error *err);

/* The same of a tar that is packed already. */
int oci_add_tar(const char *layout, const char *tar, const char *log, struct error *err);

/* Its entry point, and no more than it needs: the last step. */
int oci_finish(const char *layout, const json_t *entrypoint, const char *log, struct error *err);

/* How an image is to be run, changed by what of these is in `how` (may be NULL): entrypoint and
 * command, lists of words (an entry point alone takes away the image's command); environment,
 * a list of NAME=VALUE, and of NAME to be taken away; working_dir; user. */
int oci_configure(const char *layout, const json_t *how, const char *log, struct error *err);

/* One more layer, of these folders below `folder`, as they are there, without what they hold. */
int oci_add_empty(const char *layout, const char *folder, const json_t *names, const char *tar,
                  const char *log, struct error *err);

/* The image's configuration, a JSON object: architecture, os, config. Owned by the caller. */
json_t *oci_config(const char *layout, struct error *err);

/* What the image says of how it is to be run, as an OCI runtime configuration. `root`, its root
 * file system, has the users it may name; NULL: none. */
int oci_runtime_config(const char *layout, const char *root, const char *config, const char *log,
                       struct error *err);

/* Unpack it for an ordinary user, as an OCI bundle. */
int oci_unpack(const char *layout, const char *bundle, const char *log, struct error *err);

/* Copy it into an archive as `docker load` reads it, named NAME:latest there. */
int oci_export(const char *layout, const char *archive, const char *name, struct error *err);

/* SHA-256 of its manifest. */
int oci_digest(const char *layout, char digest[HASH_HEX], struct error *err);

#endif
