/* The invocations of a run, a program's regions, or a cold start's phases: what each statistic did
 * between the two marks, and the figures that tables show. */
#ifndef SLS_RESULTS_INVOCATIONS_H
#define SLS_RESULTS_INVOCATIONS_H

#include <stdbool.h>

#include "results/results.h"

struct cpi_stack;
struct estimate;
struct regions;

enum mode { MODE_USER, MODE_KERNEL, MODE_TOTAL, MODES };

enum metric {
    INSTRUCTIONS,
    CYCLES,
    L1I_MISSES,
    L1D_MISSES,
    LLC_MISSES, /* counted */
    CPI,
    L1I_MPKI,
    L1D_MPKI,
    LLC_MPKI,
    MICROSECONDS, /* computed from them */
    /* Of systems that have such things. */
    FIRST_OPTIONAL,
    BRANCH_MISPREDICTS = FIRST_OPTIONAL,
    ITLB_MISSES,
    DTLB_MISSES,
    L1I_FILLS,
    L1D_FILLS,
    CODE_FOOTPRINT,
    DATA_FOOTPRINT, /* counted */
    BRANCH_MPKI,
    ITLB_MPKI,
    DTLB_MPKI, /* computed from them */
    LATENCY,   /* as the client saw it; of hardware only */
    PAGE_FAULTS,
    CONTEXT_SWITCHES,
    COLD_CREATE, /* of cold starts on hardware: how long each phase took, in ns */
    COLD_START,
    COLD_LISTEN,
    COLD_REPLY, /* counted */
    METRICS
};

/* Every table and chart goes by these. */
struct metric_description {
    const char *key;     /* in CSV and JSON */
    const char *heading; /* for people */
    int decimals;        /* for people */
    bool counted;        /* a whole number; else computed from such */
    int unit;            /* for people: so many make one; 0: they are told as they are */
};
extern const struct metric_description metric_descriptions[METRICS];
extern const char *const mode_names[MODES]; /* "user", "kernel", "total" */

/* On the measured core. NAN: not available (no such statistic), or 0/0.
 * Counts are exact up to 2^53. */
typedef double metrics_table[METRICS][MODES];

struct invocation {
    uint64_t id;
    const struct client_reply *reply; /* NULL: the client said nothing, or this phase has none */
    const struct mark *begin, *end;
    bool outlier; /* its latency is, of a noisy run (estimate.h) */
    metrics_table metrics;
};

struct invocations {
    const struct run_results *run;
    struct invocation *list; /* in the order they ended */
    size_t count;
    size_t time;        /* index of the statistic that is the measured core's time … */
    uint64_t ticks;     /* … and of how many ticks one of it is */
    size_t sharers;     /* what sums are divided by for a mean: count; of phases, which are parts of
                           one cold start, 1 */
    metrics_table mean; /* of counts; its ratios are ratios of mean counts */
    bool available[METRICS][MODES]; /* whether the run has such figures at all */
    struct cpi_stack *stack;        /* cpi_stack.h; NULL: the system has none */
    struct regions *regions;        /* regions.h; never NULL */
};

/* NULL when a mark has no partner, a work id is used twice, the replies are not those of the
 * invocations, there is no invocation at all, nothing tells the measured core's time, or a sum that
 * must be exact is not. `run` must outlive it. */
struct invocations *invocations_new(const struct run_results *run, struct error *err);
void invocations_free(struct invocations *invocations);

/* Whether tables show the metric: always, or because the system has it. */
bool invocations_show(const struct invocations *invocations, enum metric metric);

/* Whether tables have a line of this mode: an engine that does not tell user and kernel apart has
 * the total only. */
bool invocations_have_mode(const struct invocations *invocations, enum mode mode);

/* How sure its mean and median are; false: an invocation has no such figure. */
bool invocations_estimate(const struct invocations *invocations, enum metric metric, enum mode mode,
                          struct estimate *estimate);

/* What the statistic of this index grew by during the invocation. */
uint64_t invocation_value(const struct invocation *invocation, size_t statistic);

/* Simulated time is counted in ticks of 1 ps, and a cycle is a whole number of them, as in gem5. */
#define TICKS_PER_SECOND 1000000000000ull
uint64_t ticks_per_cycle(const struct run_results *run);

#endif
