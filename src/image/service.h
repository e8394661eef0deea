/* The services beside a function: function.yaml's `services`, NAME: {image, port, entrypoint}, in
 * the order in which they are started. Each is a container of its own on core 0, which the others
 * and the function reach as NAME:PORT. With `image: services` it lies on the data services' base
 * layer (language.h); without, on the function's own image: another entry point of the same files.
 */
#ifndef SLS_IMAGE_SERVICE_H
#define SLS_IMAGE_SERVICE_H

#include <jansson.h>
#include <stdbool.h>

#include "common/error.h"

#define SERVICE_MOST 8 /* of one function */

/* Is this function.yaml's `services` (NULL: there is none) as it must be? */
int service_check_all(const json_t *services, const char *path, struct error *err);

/* Whether it lies on the data services' base layer; whether any of them does. */
bool service_is_data(const json_t *service);
bool service_any_is_data(const json_t *services);

/* Write, beside the config.json of the function's bundle, what starts its services in the guest:
 * services/list, lines NUMBER NAME PORT function|services, from 1; services/NAME.json, a
 * config.json each. */
int service_write_bundles(const json_t *services, const char *bundle, struct error *err);

#endif
