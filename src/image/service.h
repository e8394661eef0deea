/* The services beside a function: function.yaml's `services`, NAME: {image, port, entrypoint}, in
 * the order in which they are started. Each is a container of its own on core 0, which the others
 * and the function reach as NAME:PORT. With `image: services` it lies on the data services' base
 * layer (language.h); without, on the function's own image: another entry point of the same files.
 * Those of a function that was added have images of their own, beside its (added.h): `image: own`,
 * and `digest`; perhaps `names`, further ones under which they are reached. */
#ifndef SLS_IMAGE_SERVICE_H
#define SLS_IMAGE_SERVICE_H

#include <jansson.h>
#include <stdbool.h>

#include "common/error.h"

#define SERVICE_MOST 8          /* of one function */
#define SERVICE_MOST_LETTERS 63 /* of a name, which is a host's, too */
#define SERVICE_MOST_NAMES 8    /* further ones */

/* Is this function.yaml's `services` (NULL: there is none) as it must be, of a function that was
 * added, or of one that was not? */
int service_check_all(const json_t *services, bool added, const char *path, struct error *err);

/* Small letters, digits and hyphens. It is also that of a host, a network name space and a control
 * group; a function's is that of a host and of an image, too. */
bool service_is_name(const char *name);

/* A number from 1 to 65535. */
bool service_is_port(const char *text);

/* What it lies on. */
enum service_layers { LAYERS_OF_FUNCTION, LAYERS_OF_SERVICES, LAYERS_OF_ITS_OWN };
enum service_layers service_layers(const json_t *service);

/* Whether any of them lies on the data services' base layer. */
bool service_any_is_data(const json_t *services);

/* The layout of one that has an image of its own,
 * of a function with this folder. The caller frees it. */
char *service_layout(const char *folder, const char *name);

/* Write, beside the config.json of the function's bundle, what starts its
 * services in the guest: services/list, lines NUMBER NAME PORT
 * function|services|own [NAME…], from 1; services/NAME.json, a config.json each; of those
 * with an image of their own services/NAME/rootfs. `folder`: the function's. */
int service_write_bundles(const json_t *services, const char *folder, const char *bundle,
                          const char *log, struct error *err);

#endif
