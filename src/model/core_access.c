#include "model/core_access.h"

#include "model/inlining.h"

/* What waiting is put under, by who supplied the line. */
static const uint8_t fetch_part[SUPPLIERS] = {
    [FROM_L1] = STACK_BASE,       [FROM_L2] = STACK_FETCH_L2,         [FROM_L3] = STACK_FETCH_L3,
    [FROM_LLC] = STACK_FETCH_LLC, [FROM_MEMORY] = STACK_FETCH_MEMORY,
};
static const uint8_t data_part[SUPPLIERS] = {
    [FROM_L1] = STACK_BASE,
    [FROM_L2] = STACK_DATA_L2,
    [FROM_L3] = STACK_DATA_L3,
    [FROM_LLC] = STACK_DATA_LLC,
    [FROM_MEMORY] = STACK_DATA_MEMORY,
    [UPGRADE_BY_CACHE] = STACK_DATA_UPGRADE,
    [UPGRADE_BY_BUS] = STACK_DATA_UPGRADE,
};

#define FLATTEN __attribute__((flatten)) /* every second of these hits in another way */

/* The page was not known at once. */
NOT_INLINE static struct access_time fetch_translated(struct core *core, enum model_mode mode,
                                                      uint64_t line, uint64_t address,
                                                      const struct translation *translation,
                                                      uint64_t now) {
    uint64_t begun = mmu_translate(core->mmu, mode, FETCH, translation, now);
    if (hierarchy_hit(core->hierarchy, core->number, mode, FETCH, line))
        return (struct access_time){begun + core->hierarchy->hit_latency[FETCH],
                                    begun > now ? STACK_ITLB : STACK_BASE};
    struct answer answer = front_access(core->front, mode, FETCH, line, address, begun);
    bool for_page = begun - now > answer.ready - begun;
    return (struct access_time){answer.ready, for_page ? STACK_ITLB : fetch_part[answer.origin]};
}

NOT_INLINE FLATTEN struct access_time core_fetch_slowly(struct core *core, enum model_mode mode,
                                                        uint64_t line, uint64_t address,
                                                        const struct translation *translation,
                                                        uint64_t now) {
    if (core->mmu && !mmu_hit(core->mmu, mode, FETCH, translation))
        return fetch_translated(core, mode, line, address, translation, now);
    struct answer answer = front_access(core->front, mode, FETCH, line, address, now);
    return (struct access_time){answer.ready, fetch_part[answer.origin]};
}

static struct access_time uncached(struct core *core, enum model_mode mode, uint64_t now) {
    core->counts[mode].uncached++;
    return (struct access_time){now + core->hierarchy->uncached_latency, STACK_UNCACHED};
}

/* All of it: the page was not known at once, or the access crosses into another line. */
NOT_INLINE static struct access_time data_at_length(struct core *core, enum model_mode mode,
                                                    const struct access *access, uint64_t pc,
                                                    uint64_t now) {
    enum access_kind kind = access->store ? STORE : LOAD;
    uint64_t begun = now;
    if (core->mmu && !mmu_hit(core->mmu, mode, kind, access->translation))
        begun = mmu_translate(core->mmu, mode, kind, access->translation, now);
    struct answer answer = front_access(core->front, mode, kind, access->address, pc, begun);
    uint64_t second = (access->address | core->line_mask) + 1;
    if (second < access->address + access->size) {
        struct answer rest = front_access(core->front, mode, kind, second, pc, begun + 1);
        if (rest.ready > answer.ready)
            answer = rest;
    }
    bool for_page = begun - now > answer.ready - begun;
    return (struct access_time){answer.ready, for_page ? STACK_DTLB : data_part[answer.origin]};
}

NOT_INLINE FLATTEN struct access_time core_data_slowly(struct core *core, enum model_mode mode,
                                                       const struct access *access, uint64_t pc,
                                                       uint64_t now) {
    enum access_kind kind = access->store ? STORE : LOAD;
    if (access->uncached)
        return uncached(core, mode, now);
    if (access_crosses(access, core->line_mask) ||
        (core->mmu && !mmu_knows(core->mmu, kind, access->translation)))
        return data_at_length(core, mode, access, pc, now);
    if (core->mmu)
        mmu_count_hit(core->mmu, mode, kind, access->translation);
    struct answer answer = front_access(core->front, mode, kind, access->address, pc, now);
    return (struct access_time){answer.ready, data_part[answer.origin]};
}
