/* Where the cycles go by code: what the measured core did in each region (the function's program,
 * each shared library, parts of the kernel). The plugin declares five statistics a region,
 * `system.cpuN.regions.NAME.EVENT`; which addresses a region has, profile/code_map.h says. */
#ifndef SLS_RESULTS_REGIONS_H
#define SLS_RESULTS_REGIONS_H

#include "results/invocations.h"

enum region_event {
    REGION_CYCLES,
    REGION_INSTRUCTIONS,
    REGION_L1I_MISSES,
    REGION_L1D_MISSES,
    REGION_LLC_MISSES,
    REGION_EVENTS
};

struct region {
    char *name;
    size_t statistics[REGION_EVENTS]; /* their indices */
    double mean[REGION_EVENTS];       /* an invocation's */
};

struct regions {
    struct region *list; /* most cycles first */
    size_t count;        /* 0: the run has none */
};

/* An error if a region lacks a statistic, or if the regions have more cycles than the core. */
int regions_find(const struct invocations *invocations, struct regions *regions, struct error *err);
void regions_free(struct regions *regions);

#endif
