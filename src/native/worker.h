/* The process that has one instance of a fleet: it starts it with the first order that comes, calls
 * it with each, and removes it when there are no more. A process of its own, so that instances
 * start side by side, and all of them end when we do. */
#ifndef SLS_NATIVE_WORKER_H
#define SLS_NATIVE_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "native/caller.h"
#include "native/instance.h"

enum worker_phase { WORKER_CREATE, WORKER_START, WORKER_LISTEN, WORKER_PHASES };

struct worker_order {
    uint64_t number; /* of the invocation; or WORKER_RETIRE */
};
#define WORKER_RETIRE UINT64_MAX /* the sockets' other ends are open in later workers, too */

/* Times are of the monotonic clock, in ns. */
struct worker_report {
    enum { WORKER_STARTED, WORKER_ANSWERED, WORKER_FAILED } kind;
    uint64_t number;
    uint64_t begin_ns, end_ns;         /* the order was taken; the reply was there */
    uint64_t phases_ns[WORKER_PHASES]; /* of the instance's start; with WORKER_STARTED */
    pid_t process;                     /* the container's first; likewise */
    char why[240];                     /* WORKER_FAILED: the instance is gone */
};

struct worker {
    pid_t id;
    int socket; /* orders go in, reports come out, each a message */
};

/* instance_home and caller are the worker's copies from now on. */
int worker_begin(struct worker *worker, const struct instance_home *home, struct caller *caller,
                 unsigned number, struct error *err);

/* Let it remove its instance and end, which takes a while. */
void worker_retire(struct worker *worker);

/* Whether a retired one has ended; with `wait`, when it has. Once it has, its id is another's. */
bool worker_has_ended(pid_t id, bool wait);

#endif
