/* The lines of stats.txt, and those of them that follow from others: what gem5 gives further names,
 * sums and ratios. */
#ifndef SLS_RESULTS_STATS_LINES_H
#define SLS_RESULTS_STATS_LINES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "results/invocations.h"
#include "results/samples.h"

void stats_count(FILE *out, const char *name, uint64_t value, const char *description,
                 const char *unit);

/* Six decimals; where precision is negative, as gem5's default, none for whole numbers. */
void stats_ratio(FILE *out, const char *name, double value, int precision, const char *description,
                 const char *unit);

/* False: the run has a column for it, but nobody counts. Cores that are not measured keep time
 * without micro-operations and predictors of branches (core.others: blocking); so there is no sum
 * over all. */
bool stats_is_known(const struct samples *samples, const char *name);

/* All further names, gem5's, of what the invocation's statistics tell. */
void stats_gem5_names(FILE *out, const struct invocation *one, const struct samples *samples);

#endif
