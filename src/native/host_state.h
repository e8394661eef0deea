/* This computer as a place to measure on: which of its processors to use, and what of its state
 * disturbs a measurement. Read from /sys and /proc; what cannot be read is told as unknown. */
#ifndef SLS_NATIVE_HOST_STATE_H
#define SLS_NATIVE_HOST_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

#define HOST_ANY (-1l)

struct host_cpus {
    unsigned function, client; /* the same only where there is but one */
    bool isolated;             /* the function's is kept free of all others (isolcpus) */
};

/* The processors with these numbers (HOST_ANY: choose: for the function an isolated one, or else
 * the last; for the client another one, on another core if there is one). */
int host_choose_cpus(long function, long client, struct host_cpus *cpus, struct error *err);

/* Time of one processor so far, in the kernel's ticks. */
struct host_times {
    uint64_t busy, idle, steal; /* steal: given to other guests of the same hypervisor */
};
struct host_times host_times(unsigned cpu);

/* Its nominal clock in Hz; never 0. */
uint64_t host_clock(unsigned cpu);

/* One thing to know about it. */
struct host_fact {
    const char *key;  /* in run.json, below host.conditions */
    const char *name; /* for people */
    char text[200];   /* what it is; "unknown" */
    bool disturbs;
    const char *remedy; /* what would help; NULL: nothing, or nothing to mend */
};
enum { HOST_FACTS = 8 };

/* All of them, in order; shares of time are those since `before`. */
void host_facts(const struct host_cpus *cpus, const struct host_times *before,
                struct host_fact facts[HOST_FACTS]);

/* kernel.perf_event_paranoid; 99: unknown. */
int host_paranoid(void);

/* Whether this computer is a virtual machine. */
bool host_is_virtual(void);

#endif
