/* One client, one instance: what the counters do around each invocation. */
#ifndef SLS_NATIVE_MEASURE_H
#define SLS_NATIVE_MEASURE_H

#include <jansson.h>

#include "common/error.h"
#include "engine/guest.h"
#include "native/counters.h"

/* Where all stood at a mark. */
struct measure_point {
    struct counter_reading readings[COUNTERS];
};

struct measurement {
    const struct counters *counters;
    const json_t *client; /* the command that is the client; it marks and reports on its channel */
    const char *log;
    unsigned invocations;
    double timeout_seconds;        /* without a word of it */
    void (*before)(void *context); /* before each invocation, outside of what is measured; NULL */
    void *context;

    struct measure_point *points; /* two an invocation, owned */
    uint64_t *ids;                /* owned */
    size_t begun, ended;
    struct guest said; /* the replies */
};

/* Run the client to its end. */
int measure_run(struct measurement *measurement, struct error *err);

/* Write them as samples_read() wants them, of this core. *shared: counters have taken turns. */
int measure_write(const struct measurement *measurement, unsigned core, const char *path,
                  bool *shared, struct error *err);
void measure_free(struct measurement *measurement);

#endif
