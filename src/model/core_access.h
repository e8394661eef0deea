/* What every core model does alike: look an access up with its translation, and say what was waited
 * for. */
#ifndef SLS_MODEL_CORE_ACCESS_H
#define SLS_MODEL_CORE_ACCESS_H

#include "model/core.h"

/* How a fetch or a data access went. */
struct access_time {
    uint64_t ready; /* when the core has it */
    enum stack_part
        part; /* what waiting for it longer than for a hit is put under; STACK_BASE: a hit */
};

/* The line at this physical address, from the L1I; `address` is the virtual one. */
struct access_time core_fetch(struct core *core, enum model_mode mode, uint64_t line,
                              uint64_t address, const struct translation *translation,
                              uint64_t now);

/* A data access, by the instruction at `pc`. Across lines: both are looked up, the second one a
 * cycle later (the L1D takes one request a cycle), and the later one counts. */
struct access_time core_data(struct core *core, enum model_mode mode, const struct access *access,
                             uint64_t pc, uint64_t now);

/* The clock moves on to `cycle`, if that is later; the time is put under `part`. */
static inline void core_advance(struct core *core, enum model_mode mode, enum stack_part part,
                                uint64_t cycle) {
    if (cycle <= core->now)
        return;
    struct core_counts *counts = &core->counts[mode];
    counts->cycles += cycle - core->now;
    counts->stack[part] += cycle - core->now;
    core->now = cycle;
}

#endif
