/* What every core model does alike: look an access up
 * with its translation, and say what was waited for. */
#ifndef SLS_MODEL_CORE_ACCESS_H
#define SLS_MODEL_CORE_ACCESS_H

#include "model/core.h"

/* How a fetch or a data access went. */
struct access_time {
    uint64_t ready; /* when the core has it */
    enum stack_part
        part; /* what waiting for it longer than for a hit is put under; STACK_BASE: a hit */
};

/* core_access.c: any look-up. */
struct access_time core_fetch_slowly(struct core *core, enum model_mode mode, uint64_t line,
                                     uint64_t address, const struct translation *translation,
                                     uint64_t now);
struct access_time core_data_slowly(struct core *core, enum model_mode mode,
                                    const struct access *access, uint64_t pc, uint64_t now);

/* What look-ups need: loaded once for many of them. */
struct look {
    struct mmu *mmu;
    struct cache *l1[L1S];
    struct access_counts *counts;
    const uint64_t *hit_latency;
    uint64_t line_mask; /* line size - 1 */
    enum model_mode mode;
};

/* Compilers keep the formula of a place in memory rather than what it yields, unless they cannot
 * know it. */
#define AT_HAND(pointer) __asm__("" : "+r"(pointer))

static inline struct look core_look(const struct core *core, enum model_mode mode) {
    struct front *front = core->front;
    return (struct look){.mmu = core->mmu,
                         .l1 = {front->l1[INSTRUCTION], front->l1[DATA]},
                         .counts = &front->counts[mode],
                         .hit_latency = core->hierarchy->hit_latency,
                         .line_mask = core->line_mask,
                         .mode = mode};
}

/* The fast paths: whether page and line are those last used in their sets. Then this is counted,
 * and takes the time of a hit. False: nothing was done. */
static inline bool look_hits(const struct look *look, enum access_kind kind, uint64_t address,
                             const struct translation *translation) {
    if (look->mmu && !mmu_knows(look->mmu, kind, translation))
        return false;
    if (!front_hit(look->l1[kind == FETCH ? INSTRUCTION : DATA], look->counts, kind, address))
        return false;
    if (look->mmu)
        mmu_count_hit(look->mmu, look->mode, kind, translation);
    return true;
}

static inline bool access_crosses(const struct access *access, uint64_t line_mask) {
    return (access->address & line_mask) + access->size - 1 > line_mask;
}

static inline bool look_hits_data(const struct look *look, const struct access *access) {
    return !access_crosses(access, look->line_mask) && !access->uncached &&
           look_hits(look, access->store ? STORE : LOAD, access->address, access->translation);
}

/* The line at this physical address, from the L1I; `address` is the virtual one. */
static inline struct access_time core_fetch(struct core *core, enum model_mode mode, uint64_t line,
                                            uint64_t address, const struct translation *translation,
                                            uint64_t now) {
    struct look look = core_look(core, mode);
    if (look_hits(&look, FETCH, line, translation))
        return (struct access_time){now + core->hierarchy->hit_latency[FETCH], STACK_BASE};
    return core_fetch_slowly(core, mode, line, address, translation, now);
}

/* A data access, by the instruction at `pc`. Across lines: both are looked up, the second one a
 * cycle later (the L1D takes one request a cycle), and the later one counts. */
static inline struct access_time core_data(struct core *core, enum model_mode mode,
                                           const struct access *access, uint64_t pc, uint64_t now) {
    struct look look = core_look(core, mode);
    if (look_hits_data(&look, access))
        return (struct access_time){
            now + core->hierarchy->hit_latency[access->store ? STORE : LOAD], STACK_BASE};
    return core_data_slowly(core, mode, access, pc, now);
}

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
