/* Between two invocations other functions would have had the processor: make it forget this one.
 * Data twice as large as the last-level cache is written through the caches and TLBs, and a long
 * chain of jumps is run through instruction cache, instruction TLB and branch target buffer. */
#ifndef SLS_NATIVE_THRASH_H
#define SLS_NATIVE_THRASH_H

#include "common/error.h"

struct thrash;

/* For the processor `cpu`; `home` is the one that we return to. NULL on failure. */
struct thrash *thrash_new(unsigned cpu, unsigned home, struct error *err);

/* `context` is a struct thrash *. Takes some tens of milliseconds. */
void thrash_run(void *context);
void thrash_free(struct thrash *thrash);

#endif
