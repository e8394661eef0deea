/* The consuming side of the stream: feeds the timing model, and samples it at marks. */
#ifndef SLS_PLUGIN_CLOCK_H
#define SLS_PLUGIN_CLOCK_H

#include <stdint.h>

#include "model/model.h"

/* Both are kept. `fetch_line` is the model's line size in bytes. */
void clock_init(struct model *model, uint64_t fetch_line);

/* For stream_start(). */
void clock_consume(const uint64_t *events, const uint64_t *end);

#endif
