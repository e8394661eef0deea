/* When the calls of a load run begin. In a closed loop one may begin at any time, as long as there
 * are calls to go. In an open loop they become due (load/arrival.h), and wait in a queue until they
 * are taken. */
#ifndef SLS_GUEST_CLIENT_SCHEDULE_H
#define SLS_GUEST_CLIENT_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>

#include "client/options.h"
#include "load/arrival.h"

#define QUEUE_MAX (1 << 20) /* calls that wait; those that become due then are lost */

/* Times are in ns on one clock. */
struct schedule {
    bool open_loop;
    struct trace trace;
    struct arrivals arrivals;
    uint64_t begin_ns, end_ns; /* no call begins, or is due, from the end on */
    uint64_t next_due_ns;      /* of the first that is not in the queue yet; or ARRIVAL_NEVER */
    uint64_t issued, limit;    /* calls begun, or due; at most so many */
    bool stopped;              /* nothing more begins */
    uint64_t *queue;           /* when each was due; pages are touched when they are needed */
    size_t first, waiting;
};

/* Reads the trace, if there is one. */
int schedule_prepare(struct schedule *schedule, const struct options *options, struct error *err);

void schedule_begin(struct schedule *schedule, double duration_s, uint64_t now_ns);

/* Will no further call begin, or become due? (Some may wait yet.) */
bool schedule_is_exhausted(const struct schedule *schedule, uint64_t now_ns);

/* Queue what has become due. How many were lost: the queue was full. */
uint64_t schedule_fill(struct schedule *schedule, uint64_t now_ns);

/* Is there a call that could begin now? */
bool schedule_has_one(const struct schedule *schedule, uint64_t now_ns);

/* Take it: when it was due. In a closed loop, now. */
uint64_t schedule_take(struct schedule *schedule, uint64_t now_ns);

/* Drop the first in the queue if it has waited for so long, or longer. */
bool schedule_drop(struct schedule *schedule, uint64_t wait_ns, uint64_t now_ns, uint64_t *due_ns);

/* When the next becomes due; UINT64_MAX: none will, or it is a closed loop. */
uint64_t schedule_next(const struct schedule *schedule, uint64_t now_ns);

/* Nothing more begins; what waits does not count. */
void schedule_stop(struct schedule *schedule);

void schedule_free(struct schedule *schedule);

#endif
