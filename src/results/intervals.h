/* Intervals: the stretches between two marks that are measured. Counters at marks are cumulative,
 * so intervals may overlap. */
#ifndef SLS_RESULTS_INTERVALS_H
#define SLS_RESULTS_INTERVALS_H

#include "results/results.h"

struct interval {
    uint64_t id; /* an invocation's is its work id; regions and phases are counted from 0 */
    const struct mark *begin, *end;
};

/* The run's intervals, as run->intervals wants them, in the order they ended. Owned by the caller
 * (free()); NULL when a mark has no partner, an invocation's work id is used twice, there is no
 * interval at all, or phases are not those of the run. */
struct interval *intervals_find(const struct run_results *run, size_t *count, struct error *err);

/* "invocation", "region" or "phase". */
const char *interval_name(const struct run_results *run);

/* What a table calls the one with this id: "7", "region 7", a phase by its name. */
enum { INTERVAL_LABEL = 40 };
void interval_label(const struct run_results *run, uint64_t id, char label[INTERVAL_LABEL]);

/* What all of them together are called: "mean", or of phases, which add up, "cold start". */
const char *interval_summary(const struct run_results *run);

#endif
