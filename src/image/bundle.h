/* The OCI runtime bundle: what crun gets. */
#ifndef SLS_IMAGE_BUNDLE_H
#define SLS_IMAGE_BUNDLE_H

#include <jansson.h>

#include "common/error.h"

/* Replace the config.json that unpacking an image left in this folder by ours (recipes/bundle.json:
 * namespaces, core 1, limits), keeping what the image says: arguments, environment, working
 * directory, user. */
int bundle_finish(const char *bundle, const char *name, struct error *err);

/* Write a service's configuration: that of the function's finished
 * bundle, but with its own entry point, name, control group and network
 * (slsuite-function knows both by service-NAME), and on core 0. */
int bundle_write_service(const char *bundle, const char *name, json_t *entrypoint,
                         const char *config, struct error *err);

/* How what was unpacked for an ordinary user into this folder is to be run (args, env, cwd, …). The
 * caller's; NULL with an error. */
json_t *bundle_process(const char *unpacked, struct error *err);

/* Make, in this folder, a bundle to be run on this computer: the root file system that was unpacked
 * into the folder `unpacked`, to be run as `process` says. */
int bundle_for_host(const char *bundle, const char *unpacked, json_t *process, struct error *err);

#endif
