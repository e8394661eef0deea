/* Watching a guest: what it says on the channel, until it has reached a goal or cannot any more. */
#ifndef SLS_ENGINE_GUEST_H
#define SLS_ENGINE_GUEST_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/progress.h"
#include "engine/machine.h"
#include "results/results.h"

enum guest_goal {
    GUEST_CHECKPOINT, /* it asked for a checkpoint and is paused */
    GUEST_DONE, /* its run script ended well, and the model, which runs behind, has seen it all */
};

struct guest {
    struct machine *machine;
    const char *console;    /* file: its tail explains a failure */
    const char *files;      /* folder for what `m5 writefile` sends; NULL: not kept */
    double timeout_seconds; /* of the host's time, until the goal */
    unsigned
        marks; /* ends of invocations that the timing model will report; 0: there is no model */
    struct progress *progress;
    void (*on_mark)(void *context); /* called at each mark; NULL: not */
    void *context;

    uint64_t clock; /* the guest's, in ns, when it last told it */
    unsigned marks_seen;
    struct client_reply *replies; /* owned; also each text */
    size_t reply_count;
};

/* Wait for the goal. A guest that panics, powers off early, fails, answers wrongly or does none of
 * it in time is an error that says so; the tail of its console has then been shown. */
int guest_wait(struct guest *guest, enum guest_goal goal, struct error *err);

/* Frees the replies (not the guest, the machine or the progress). */
void guest_free(struct guest *guest);

#endif
