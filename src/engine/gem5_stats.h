/* gem5's stats.txt as our samples.tsv. */
#ifndef SLS_ENGINE_GEM5_STATS_H
#define SLS_ENGINE_GEM5_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* Read gem5's statistics, a block an invocation, each since its work begin, and write them as
 * samples_read() wants them, cumulative, with the marks of `count` invocations of these ids in this
 * order, on cores of this clock (Hz). Of each core what gem5 has of what our own model counts,
 * under the names that our model gives it. */
int gem5_stats_take(const char *stats, const char *samples, const uint64_t *ids, size_t count,
                    unsigned cores, uint64_t clock, struct error *err);

#define GEM5_STATS_BYTES 400e3 /* of one block, in gem5 24.0 */

#endif
