/* The simulated machines of systems/NAME.yaml: found by name, read and checked, printed. */
#ifndef SLS_SYSTEM_SYSTEM_H
#define SLS_SYSTEM_SYSTEM_H

#include <stdio.h>

#include "common/error.h"
#include "model/parameters.h"

/* The file of a system: a NAME is looked up among those that came with the executable
 * (paths_systems()); anything with a slash or ending in .yaml is a path already. The caller frees
 * it. NULL, listing the known names, when there is none. */
char *system_find(const char *name_or_path, struct error *err);

/* Read a system file. Every parameter must be there, once, with its unit, and together they must
 * make a possible machine; the error names file, line and key: "FILE:LINE: KEY: why: what is
 * legal". */
int system_load(const char *path, struct model_parameters *parameters, struct error *err);

/* All parameters, one a line: key, value with unit, meaning. */
void system_describe(FILE *stream, const struct model_parameters *parameters);

#endif
