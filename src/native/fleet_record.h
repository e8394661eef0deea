/* What became of a fleet's invocations and instances, and its files. */
#ifndef SLS_NATIVE_FLEET_RECORD_H
#define SLS_NATIVE_FLEET_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/error.h"
#include "native/worker.h"
#include "results/results.h"

/* Times in ns since the beginning. */
struct fleet_invocation {
    uint64_t due, begin, end; /* due: when it should have been sent; from then on latency counts */
    unsigned instance;
    bool cold, failed;
};

struct fleet_instance {
    uint64_t born, removed; /* from the order to create it; 0: it was there at the end */
    uint64_t phases[WORKER_PHASES];
    uint64_t invocations;
    double memory, idle_memory; /* byte seconds, in all and while it was idle */
};

struct fleet_record {
    const char *function;
    uint64_t limit, idle_ns;
    struct fleet_invocation *invocations; /* owned, and so are the instances */
    size_t count;
    struct fleet_instance *instances;
    size_t instance_count, most_at_a_time, most_waiting;
    uint64_t failed, end;
    char why[240]; /* why the first failed */
};

/* One more of each, zeroed. */
struct fleet_invocation *fleet_record_invocation(struct fleet_record *record);
struct fleet_instance *fleet_record_instance(struct fleet_record *record);

/* fleet.json, invocations.csv, instances.csv, latency.hlog and report.html. */
int fleet_record_write(const struct fleet_record *record, const char *folder,
                       const struct manifest *manifest, struct error *err);

/* The summary; in a table, as fleet.json or as invocations.csv. */
void fleet_record_print(const struct fleet_record *record, enum results_format format, FILE *out);
void fleet_record_free(struct fleet_record *record);

/* report.html's picture: fleet_chart.c. */
void fleet_record_report(const struct fleet_record *record, const struct manifest *manifest,
                         FILE *out);

#endif
