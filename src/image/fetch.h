/* Images of others, by skopeo: from a registry, a layout or an archive. */
#ifndef SLS_IMAGE_FETCH_H
#define SLS_IMAGE_FETCH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

struct fetch_options {
    const char *credentials; /* file with one line USER:PASSWORD; NULL: skopeo's own
                              * ($REGISTRY_AUTH_FILE, auth.json of containers, Docker's) */
    bool insecure; /* plain HTTP, and any certificate; of this computer's registries always */
};

/* Bytes of the transport that it begins with: docker://,
 * oci: or docker-archive:. 0: none of them. */
size_t fetch_transport(const char *source);

/* Whether it is docker://…, oci:… or docker-archive:…: what is fetched. If not, a usage error. */
int fetch_check(const char *source, struct error *err);

/* Copy the image for Linux on x86-64 into a new OCI image layout,
 * tag "latest"; skopeo checks all digests. */
int fetch_image(const char *source, const char *layout, const struct fetch_options *options,
                const char *log, struct error *err);

#endif
