/* One gem5 process: started, watched and ended. It listens on nothing and cannot outlive us. */
#ifndef SLS_ENGINE_GEM5_PROCESS_H
#define SLS_ENGINE_GEM5_PROCESS_H

#include <jansson.h>
#include <stddef.h>

#include "common/error.h"
#include "engine/gem5.h"
#include "engine/guest.h"

struct gem5_process {
    const struct gem5 *gem5;
    const char *folder;   /* gem5's output folder, which is there */
    const char *writable; /* the only folder that gem5 can write to: `folder`, or one around it */
    const char *log;      /* file for what gem5 itself says */
    const json_t *job;    /* run.py's */
    size_t heard;         /* so many bytes of the channel in `folder` are an earlier gem5's */
    /* From the guest: its words, its marks (work begin and end, with their ids), in their order;
     * machine, files and end_mark are not used. */
    struct guest *guest;
    void (*on_mark)(void *context, unsigned operation, uint64_t id);
    void *context;
};

/* The console of the guest is this file of gem5's folder. */
#define GEM5_CONSOLE "board.pc.com_1.device"
#define GEM5_CHANNEL "channel" /* guest/channel.c */

/* Run it until its guest has reached the goal. Fails as guest_wait() does, and when gem5 ends by
 * itself, cannot do what the system says, or its guest does nothing any more. */
int gem5_process_run(struct gem5_process *process, enum guest_goal goal, struct error *err);

#endif
