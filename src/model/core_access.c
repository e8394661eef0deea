#include "model/core_access.h"

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

/* The cycle when the address is known. *walked (NULL: not wanted): a page walk was waited for. */
static uint64_t translate(struct core *core, enum model_mode mode, enum access_kind kind,
                          const struct translation *translation, uint64_t now, bool *walked) {
    if (!core->mmu || !translation || !translation->levels ||
        mmu_hit(core->mmu, mode, kind, translation))
        return now;
    return mmu_translate(core->mmu, mode, kind, translation, now, walked);
}

struct access_time core_fetch(struct core *core, enum model_mode mode, uint64_t line,
                              uint64_t address, const struct translation *translation,
                              uint64_t now) {
    bool walked = false;
    uint64_t begun = translate(core, mode, FETCH, translation, now, &walked);
    if (hierarchy_hit(core->hierarchy, core->number, mode, FETCH, line))
        return (struct access_time){begun + core->hierarchy->hit_latency[FETCH],
                                    walked ? STACK_ITLB : STACK_BASE};
    struct answer answer =
        hierarchy_access(core->hierarchy, core->number, mode, FETCH, line, address, begun);
    enum stack_part part = fetch_part[answer.origin];
    if (begun - now > answer.ready - begun)
        part = STACK_ITLB;
    return (struct access_time){answer.ready, part};
}

static inline struct access_time data_line(struct core *core, enum model_mode mode,
                                           uint64_t address, bool store, uint64_t pc,
                                           uint64_t now) {
    enum access_kind kind = store ? STORE : LOAD;
    if (hierarchy_hit(core->hierarchy, core->number, mode, kind, address))
        return (struct access_time){now + core->hierarchy->hit_latency[kind], STACK_BASE};
    struct answer answer =
        hierarchy_access(core->hierarchy, core->number, mode, kind, address, pc, now);
    return (struct access_time){answer.ready, data_part[answer.origin]};
}

static struct access_time uncached(struct core *core, enum model_mode mode, uint64_t now) {
    core->counts[mode].uncached++;
    return (struct access_time){now + core->hierarchy->uncached_latency, STACK_UNCACHED};
}

struct access_time core_data(struct core *core, enum model_mode mode, const struct access *access,
                             uint64_t pc, uint64_t now) {
    if (access->uncached)
        return uncached(core, mode, now);
    uint64_t begun =
        translate(core, mode, access->store ? STORE : LOAD, access->translation, now, NULL);
    uint64_t line_mask = core->parameters->line_size - 1;
    struct access_time time = data_line(core, mode, access->address, access->store, pc, begun);
    uint64_t second = (access->address | line_mask) + 1;
    if (second < access->address + access->size) {
        struct access_time rest = data_line(core, mode, second, access->store, pc, begun + 1);
        if (rest.ready > time.ready)
            time = rest;
    }
    if (begun - now > time.ready - begun)
        time.part = STACK_DTLB;
    return time;
}
