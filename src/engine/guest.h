/* Watching a guest: what it says on the channel, until it has reached a goal or cannot any more. */
#ifndef SLS_ENGINE_GUEST_H
#define SLS_ENGINE_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/progress.h"
#include "engine/machine.h"
#include "results/results.h"

#define GUEST_BOOT_SECONDS 300.0 /* it takes ten, but a host may be busy, and a disk somebody's */

enum guest_goal {
    GUEST_CHECKPOINT, /* it asked for a checkpoint and is paused */
    GUEST_DONE, /* its run script ended well, and the model, which runs behind, has seen it all */
};

/* How a program that slsuite-launch started has ended. */
struct program_end {
    enum { PROGRAM_UNKNOWN, PROGRAM_EXITED, PROGRAM_KILLED, PROGRAM_UNSTARTABLE } how;
    int number;     /* exit status, or signal */
    char text[256]; /* why it could not be started */
};

struct guest {
    struct machine *machine;
    const char *subject;    /* who is waited for, in errors; NULL: the guest */
    const char *console;    /* file: its tail explains a failure */
    const char *files;      /* folder for what `m5 writefile` sends; NULL: not kept */
    bool before_script;     /* its run script has not begun: it has yet to boot, or to take it */
    double timeout_seconds; /* of the host's time, until the goal; counted from where its run script
                               begins. It has GUEST_BOOT_SECONDS or as long to get there */
    unsigned end_mark;      /* the operation that ends what is measured: M5_WORK_END, … */
    unsigned marks;         /* so many of them the timing model will report; 0: there is no model */
    struct progress *progress;
    void (*on_mark)(void *context, unsigned operation); /* called at each mark; NULL: not */
    void *context;

    uint64_t clock; /* the guest's, in ns, when it last told it */
    bool kept;      /* its disk of changes is whole */
    unsigned marks_seen;
    struct client_reply *replies; /* owned; also each text */
    size_t reply_count;
    struct program_end program; /* what slsuite-launch said */
};

/* Wait for the goal. A guest that panics, powers off early, fails, answers wrongly or does none of
 * it in time is an error that says so; the tail of its console has then been shown. */
int guest_wait(struct guest *guest, enum guest_goal goal, struct error *err);

/* Frees the replies (not the guest, the machine or the progress). */
void guest_free(struct guest *guest);

#endif
