/* Instances that come and go with the load, as on a platform for functions: an invocation goes to
 * an idle instance, the one that was busy last; if there is none, a new one starts for it, cold, as
 * long as there are fewer than the limit; else it waits for one. An instance that has been idle for
 * long enough is removed. */
#ifndef SLS_NATIVE_FLEET_H
#define SLS_NATIVE_FLEET_H

#include "load/arrival.h"
#include "native/native.h"

enum { FLEET_MOST = 256 }; /* instances at a time */

struct fleet_options {
    unsigned instances;  /* at most, at a time */
    double idle_seconds; /* until an idle one is removed */
    struct arrival_process arrivals;
    bool arrival_given;                 /* arrivals.kind was asked for */
    const char *trace, *trace_function; /* a file, and whose line; NULL: by arrivals.rate */
    double duration_seconds;            /* arrivals end; 0: by the trace or by the count alone */
};

/* As native_run(). run->invocations: at most so many; 0: no limit. The run folder has fleet.json,
 * invocations.csv, instances.csv, latency.hlog and report.html. */
int fleet_run(const struct native_options *options, const struct fleet_options *how, FILE *out,
              enum results_format format, char **folder, struct error *err);

#endif
