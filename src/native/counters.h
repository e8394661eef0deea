/* What the hardware and the kernel count while a container runs: perf_event_open(2) on its control
 * group, where it has one of its own and we may, or else on its threads and those that they start.
 * What cannot be counted is left out, and why is told. */
#ifndef SLS_NATIVE_COUNTERS_H
#define SLS_NATIVE_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/error.h"

enum counter {
    COUNT_INSTRUCTIONS,
    COUNT_CYCLES,
    COUNT_L1I_MISSES,
    COUNT_L1D_MISSES,
    COUNT_LLC_MISSES,
    COUNT_MISPREDICTS,
    COUNT_ITLB_MISSES,
    COUNT_DTLB_MISSES,
    COUNT_TASK_CLOCK, /* ns on a processor */
    COUNT_PAGE_FAULTS,
    COUNT_CONTEXT_SWITCHES,
    COUNTERS
};

/* Where a counter stands. A processor has fewer counters than are asked for, and they take turns:
 * it ran for `running` of the `enabled` nanoseconds. */
struct counter_reading {
    uint64_t value, enabled, running;
};

struct counters;

/* Of the container whose first process this is, on this processor. Never NULL; may have none. */
struct counters *counters_open(pid_t container, unsigned cpu);
void counters_close(struct counters *counters);

/* Whether it can be counted, and whether user mode only. */
bool counters_have(const struct counters *counters, enum counter counter);
bool counters_user_only(const struct counters *counters, enum counter counter);

/* "control group", "threads", or "nothing". */
const char *counters_scope(const struct counters *counters);

/* All of them, as they stand; zero for those that there are not. */
void counters_read(const struct counters *counters, struct counter_reading readings[COUNTERS]);

/* What it grew by between two readings, as it would have without taking turns. *shared: it has
 * taken turns. */
uint64_t counter_growth(const struct counter_reading *begin, const struct counter_reading *end,
                        bool *shared);

/* A line that tells what is n/a, why, and what would help;
 * NULL: nothing is. The caller frees it. */
char *counters_missing(const struct counters *counters);

/* The statistic that the results know it by, on core `core`; at most 80 characters. */
void counter_name(const struct counters *counters, enum counter counter, unsigned core,
                  char name[80]);
const char *counter_unit(enum counter counter);
const char *counter_description(enum counter counter);

#endif
