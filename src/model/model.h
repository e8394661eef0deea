/* The timing model: one machine of several cores, private L1 caches, a shared last-level cache
 * (LLC) and memory. It is fed the stream of what each core executed, in execution order, and keeps
 * each core's clock. It knows neither QEMU nor Linux and does no I/O. Not thread-safe: one thread
 * feeds it.
 *
 * The stream, per core: model_fetch() when execution enters another line of code, model_access()
 * for each data access, model_retire() for instructions that were executed. Counters are cumulative
 * from model_new(). */
#ifndef SLS_MODEL_MODEL_H
#define SLS_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/parameters.h"

struct model;

enum model_mode { MODEL_USER, MODEL_KERNEL, MODEL_MODES };

/* NULL when memory is out. The parameters must have passed parameters_check(); they are copied. */
struct model *model_new(const struct model_parameters *parameters);
void model_free(struct model *model);

/* The core starts to execute from the line of code at this physical address: looks it up in the L1I
 * and pays for a miss. Not for every instruction: once when execution enters a line (also when it
 * comes back to it). */
void model_fetch(struct model *model, unsigned core, enum model_mode mode,
                 uint64_t physical_address);

/* These many instructions were executed; together they took `fetches` fetches of fetch_width bytes
 * from the L1I (an instruction that straddles two aligned chunks takes two). Pays the L1I hit time
 * of each. */
void model_retire(struct model *model, unsigned core, enum model_mode mode, unsigned instructions,
                  unsigned fetches);

/* One data access of `size` bytes. May cross a line: both lines are looked up and counted, the
 * later one counts for time. A read-modify-write is a load and a store. */
void model_access(struct model *model, unsigned core, enum model_mode mode,
                  uint64_t physical_address, unsigned size, bool store);

/* A data access that bypasses the caches (memory-mapped I/O). Takes as long as one that misses in
 * all of them. */
void model_access_uncached(struct model *model, unsigned core, enum model_mode mode, bool store);

/* Forget all cached lines (dirty ones are dropped: only tags are modelled). Counters stay. */
void model_flush(struct model *model);

/* A statistic: gem5's full name where gem5 has one, unit as gem5 writes it (Count, Cycle, …), one
 * sentence. */
struct model_statistic {
    const char *name, *unit, *description;
};

size_t model_statistic_count(const struct model *model);
/* Owned by the model. index < model_statistic_count(). */
const struct model_statistic *model_statistic(const struct model *model, size_t index);
/* All values, in the order of the index. */
void model_read_statistics(const struct model *model, uint64_t *values);

#endif
