/* Several runs side by side: their mean invocations, each as a ratio of the first run's. */
#ifndef SLS_RESULTS_SIDE_BY_SIDE_H
#define SLS_RESULTS_SIDE_BY_SIDE_H

#include <stdio.h>

#include "common/error.h"
#include "results/results.h"

enum { SIDE_BY_SIDE_MOST = 6 }; /* runs that a terminal is wide enough for */

struct side_by_side_options {
    const char *const *folders; /* of whole runs, the reference first */
    size_t count;
    double tolerance; /* by how much instructions may differ, as a fraction */
    enum results_format format;
};

/* Print them. *agree: whether each executed as many instructions as the first, within the
 * tolerance; where one did not, a line says so. Fails when a folder is not a whole run's. */
int results_side_by_side(const struct side_by_side_options *options, FILE *out, bool *agree,
                         struct error *err);

#endif
