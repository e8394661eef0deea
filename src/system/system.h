/* The simulated machines of systems/NAME.yaml:
 * found by name, read and checked, printed, compared. */
#ifndef SLS_SYSTEM_SYSTEM_H
#define SLS_SYSTEM_SYSTEM_H

#include <stddef.h>
#include <stdio.h>

#include "common/error.h"
#include "model/parameters.h"

/* The names of the systems that came with the executable, sorted; their number, -1 on failure. Free
 * them with system_names_free(). */
int system_names(char ***names, struct error *err);
void system_names_free(char **names, int count);

/* The file of a system: a NAME is looked up among those that came with the executable
 * (paths_systems()); anything with a slash or ending in .yaml is a path already. The caller frees
 * it. NULL, listing the known names, when there is none. */
char *system_find(const char *name_or_path, struct error *err);

/* Read a system file, of at most 1 MiB. Every parameter that applies must be there, once, with its
 * unit, no other may, and together they must make a possible machine; the error names file, line
 * and key: "FILE:LINE: KEY: why: what is legal". */
int system_load(const char *path, struct model_parameters *parameters, struct error *err);

/* The same for a text in memory, whatever it holds; `path` is only for messages. */
int system_parse(const char *path, const char *text, size_t size,
                 struct model_parameters *parameters, struct error *err);

/* All parameters that apply, as a system file that reads
 * back to the same, with their meanings as comments. */
void system_describe(FILE *stream, const struct model_parameters *parameters);

/* The parameters in which two systems differ, names and descriptions aside: a line each, side by
 * side under their names, "-" for one that does not apply. Returns how many. */
unsigned system_compare(FILE *stream, const struct model_parameters *a,
                        const struct model_parameters *b);

#endif
