/* The consuming side of the stream: puts steps together, feeds them to the timing model, and
 * samples it at marks. */
#ifndef SLS_PLUGIN_CLOCK_H
#define SLS_PLUGIN_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"
#include "plugin/profile.h"

#define MAX_CORES 8 /* see the scoreboard in qemu_plugin_install() */

/* Both are kept; `profile` may be NULL. `translates`: the stream tells how pages are translated.
 * False when memory is out. */
bool clock_init(struct model *model, bool translates, struct profile *profile);

/* At each work begin these parts of the model forget what they hold (model/flush.h): the work
 * begins lukewarm. */
void clock_flush_at_work_begin(unsigned parts);

/* For stream_start(). */
void clock_consume(const uint64_t *events, const uint64_t *end);

#endif
