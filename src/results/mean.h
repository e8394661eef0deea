/* The mean invocation of a run that is over: for those who show several runs. */
#ifndef SLS_RESULTS_MEAN_H
#define SLS_RESULTS_MEAN_H

#include <jansson.h>

#include "common/error.h"
#include "results/invocations.h"

/* The mean in the invocations.json of a whole run folder;
 * the caller decrefs it. NULL on failure. */
json_t *mean_read(const char *run_folder, struct error *err);

/* A figure of it; NAN: it has none of it, or there is no mean (NULL). */
double mean_figure(const json_t *mean, enum metric metric, enum mode mode);

#endif
