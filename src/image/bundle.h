/* The OCI runtime bundle: what crun gets. */
#ifndef SLS_IMAGE_BUNDLE_H
#define SLS_IMAGE_BUNDLE_H

#include "common/error.h"

/* Replace the config.json that unpacking an image left in this folder by ours (recipes/bundle.json:
 * namespaces, core 1, limits), keeping what the image says: arguments, environment, working
 * directory, user. */
int bundle_finish(const char *bundle, const char *name, struct error *err);

#endif
