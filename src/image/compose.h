/* Docker Compose files, as vSwarm and vSwarm-u have them:
 * what they say of the services that are functions. */
#ifndef SLS_IMAGE_COMPOSE_H
#define SLS_IMAGE_COMPOSE_H

#include <jansson.h>

#include "common/error.h"

/* The services in the file's order, as an object of NAME: {
 *     where        FILE:LINE, for errors
 *     image        as skopeo takes it: docker://… unless the file names a transport
 *     entrypoint, command, environment (NAME=VALUE), depends_on, x-client: lists of strings
 *     port         the container's, of ports or else of expose, as a string: 50051, or the first
 *                  if that is none of them
 * }, without what the file does not say. A text that stands for a list of words is split. Other
 * keys are not looked at, as nothing of them is needed to start the one container. Owned by the
 * caller; NULL with an error that names the file and the line. */
json_t *compose_read(const char *path, struct error *err);

#endif
