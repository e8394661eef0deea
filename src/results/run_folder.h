/* Where a run's files are, and when they are whole. While a run is under way its
 * files lie in `.NAME.partial` beside their place. A whole run is renamed to
 * NAME: what has that name can be trusted. A failed one is kept as NAME.failed,
 * with its console.log and manifest to find out why; it replaces an earlier one
 * of that name. What a killed run left is removed by the next of that name. */
#ifndef SLS_RESULTS_RUN_FOLDER_H
#define SLS_RESULTS_RUN_FOLDER_H

#include <stdbool.h>

#include "common/error.h"

struct run_folder;

/* results/YYYYMMDD-HHMMSS-NAME-SYSTEM. The caller frees it. */
char *results_default_path(const char *name, const char *system);

/* path NULL: results_default_path() (-2, -3, … when it is taken). Otherwise it must not exist or be
 * an empty folder, and no other run may be writing it. NULL on failure. */
struct run_folder *results_create(const char *path, const char *function, const char *system,
                                  struct error *err);

/* Where the files are now: the partial folder until results_finish, then the final one. Owned by
 * the folder. */
const char *results_folder_path(const struct run_folder *folder);

/* Give the folder its final name. A whole run without a path of its own becomes results/latest. */
int results_finish(struct run_folder *folder, bool whole, struct error *err);

/* Frees it; an unfinished folder is removed. */
void results_folder_free(struct run_folder *folder);

#endif
