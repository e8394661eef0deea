/* A YAML file as a JSON value (yaml_tree.h): for the small descriptions that are data of ours. What
 * is there becomes a string, nothing (`null`, `~`) null. Owned by the caller; NULL with an error
 * that names the file and the line. */
#ifndef SLS_COMMON_YAML_JSON_H
#define SLS_COMMON_YAML_JSON_H

#include <jansson.h>

#include "common/error.h"

json_t *yaml_read(const char *path, struct error *err);

#endif
