/* The OCI runtime bundle: what crun gets. */
#ifndef SLS_IMAGE_BUNDLE_H
#define SLS_IMAGE_BUNDLE_H

#include <jansson.h>

#include "common/error.h"

/* Replace the config.json that unpacking an image left in this folder by ours (recipes/bundle.json:
 * namespaces, core 1, limits), keeping what the image says: arguments, environment, working
 * directory, user. */
int bundle_finish(const char *bundle, const char *name, struct error *err);

/* Write a service's configuration: that of the function's finished bundle, but with its own entry
 * point, name, control group and network (slsuite-function knows both by service-NAME), and on core
 * 0. */
int bundle_write_service(const char *bundle, const char *name, json_t *entrypoint,
                         const char *config, struct error *err);

/* Make, in this folder, a bundle to be run on this computer: the root file system that was unpacked
 * for an ordinary user into the folder `unpacked`, with these arguments, without a terminal.
 * *process is how it is to be run (args, env, cwd); the caller's. */
int bundle_for_host(const char *bundle, const char *unpacked, json_t *arguments, json_t **process,
                    struct error *err);

#endif
