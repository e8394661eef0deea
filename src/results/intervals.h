/* Intervals: the stretches between two marks that are measured. Counters at marks are cumulative,
 * so intervals may overlap. */
#ifndef SLS_RESULTS_INTERVALS_H
#define SLS_RESULTS_INTERVALS_H

#include "results/results.h"

struct interval {
    uint64_t id; /* an invocation's is its work id; regions are counted from 0 */
    const struct mark *begin, *end;
};

/* The run's intervals, as run->intervals wants them, in the order they ended. Owned by the caller
 * (free()); NULL when a mark has no partner, an invocation's work id is used twice, or there is no
 * interval at all. */
struct interval *intervals_find(const struct run_results *run, size_t *count, struct error *err);

/* "invocation" or "region". */
const char *interval_name(const struct run_results *run);

#endif
