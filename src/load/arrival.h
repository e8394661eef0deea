/* When requests are due: arrival processes, without a clock of their own. They say the intended
 * times, in ns from the start; whether anything is sent then is the caller's business.
 *
 *   uniform   one every 1/rate
 *   poisson   independent of each other: exponential gaps
 *   bursty    bursts of `burst` back to back, and nothing between;
 *             the bursts' starts are poisson, with rate / burst, so that the mean rate stays
 *
 * After a trace each minute has its own number of requests, exactly. Within the minute they are
 * spread evenly (uniform), at random (poisson: a poisson process of which the number is known),
 * or in bursts at random times. Of a trace that tells each one's time they come at those (recorded).
 *
 * The same seed gives the same times, on every machine with the same logarithm. */
#ifndef SLS_LOAD_ARRIVAL_H
#define SLS_LOAD_ARRIVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "load/trace.h"

#define ARRIVAL_NEVER UINT64_MAX

enum arrival_kind { ARRIVAL_UNIFORM, ARRIVAL_POISSON, ARRIVAL_BURSTY, ARRIVAL_RECORDED };

struct arrival_process {
    enum arrival_kind kind;
    uint32_t burst; /* of bursty: requests back to back, at least 1 */
    uint64_t seed;
    double rate;               /* per second, without a trace */
    const struct trace *trace; /* or NULL; must live as long as the arrivals */
    double minute_s;           /* how long one of its minutes lasts */
};

/* All zero but `process`: before the first. */
struct arrivals {
    struct arrival_process process;
    uint64_t drawn; /* random numbers so far */
    uint64_t count; /* arrivals so far; with a trace, in this minute */
    uint32_t left;  /* of the burst under way */
    double time_s;  /* with a trace, since the minute's begin */
    size_t minute;
};

/* "uniform", "poisson", "bursty" or "recorded". */
int arrival_kind(enum arrival_kind *kind, const char *name, struct error *err);
const char *arrival_kind_name(enum arrival_kind kind);

/* Let them follow the trace. Where no kind was asked for: at its own times, or else evenly within
 * its minutes. -1: times were asked for that it has not. */
int arrival_follow(struct arrival_process *process, const struct trace *trace, bool asked,
                   struct error *err);

/* When the next one is due: never before the one before. ARRIVAL_NEVER: the trace has ended. */
uint64_t arrival_next(struct arrivals *arrivals);

#endif
