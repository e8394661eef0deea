/* The OCI runtime bundle: what crun gets. */
#ifndef SLS_IMAGE_BUNDLE_H
#define SLS_IMAGE_BUNDLE_H

#include <jansson.h>

#include "common/error.h"

/* Replace the config.json that unpacking an image left in this folder by ours (recipes/bundle.json:
 * namespaces, core 1, limits), keeping what the image says: arguments, environment, working
 * directory, user. */
int bundle_finish(const char *bundle, const char *name, struct error *err);

/* Prepare a bundle that was unpacked for an ordinary user to be run on this computer, with these
 * arguments, without a terminal. *process is how it is to be run (args, env, cwd); the caller's. */
int bundle_for_host(const char *bundle, json_t *arguments, json_t **process, struct error *err);

#endif
