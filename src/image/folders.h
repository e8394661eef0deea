/* Folders that an image need not have, but its container is to: its working directory, and where a
 * Docker Compose file has new volumes. As for Docker, they are made where they are not there. */
#ifndef SLS_IMAGE_FOLDERS_H
#define SLS_IMAGE_FOLDERS_H

#include <jansson.h>

#include "common/error.h"

/* Give the image of this layout, which is unpacked at `root`, one more layer with those that it has
 * not: of `how` (may be NULL), "folders", FOLDER: null if it is to be empty, and its working
 * directory. `place` is a folder to work in. */
int folders_add(const char *layout, const char *root, const json_t *how, const char *place,
                const char *log, struct error *err);

#endif
