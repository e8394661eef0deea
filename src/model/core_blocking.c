/* A core that does one instruction at a time and waits for every fetch and access, as gem5's
 * TimingSimpleCPU: execution itself takes no time; its clock is the sum of what the caches took.
 *
 * Not modelled: waiting for busy buses, interrupt entry, division or other long operations. */
#include "model/core_access.h"

static size_t size(const struct model_parameters *parameters) {
    (void)parameters;
    return 0;
}

static void init(struct core *core) {
    (void)core;
}

/* Waits for what is not a hit; a hit's own time is the caller's. */
static void stall(struct core *core, enum model_mode mode, struct access_time time, uint64_t hit) {
    if (time.part != STACK_BASE)
        core_advance(core, mode, time.part, time.ready - hit);
}

/* A hit takes its time with each chunk that is fetched from the line: run() adds it up. */
static void fetch_line(struct core *core, enum model_mode mode, const struct segment *segment,
                       uint64_t offset) {
    stall(core, mode,
          core_fetch(core, mode, segment->line + offset, segment->address + offset,
                     segment->translation, core->now),
          core->hierarchy->hit_latency[FETCH]);
}

/* What is behind the first eight bytes of a wide access, from the line that is there by now. */
static void more_pieces(struct core *core, enum model_mode mode, enum access_kind kind,
                        const struct access *access) {
    uint64_t pieces = (access->size - 1) / 8;
    if (access->uncached)
        return;
    hierarchy_count_hits(core->hierarchy, core->number, mode, kind, pieces);
    core_advance(core, mode, STACK_BASE, core->now + pieces * core->hierarchy->hit_latency[kind]);
}

static void run(struct core *core, const struct step *step) {
    const struct segment *segment = step->segment;
    enum model_mode mode = segment->mode;
    const uint64_t *hit = core->hierarchy->hit_latency;
    uint64_t fetches = 0;
    fetch_line(core, mode, segment, 0);
    if (segment->spills)
        fetch_line(core, mode, segment, core->parameters->line_size);
    if (step->end > step->first)
        fetches = segment->instruction[step->end - 1].fetches -
                  (step->first ? segment->instruction[step->first - 1].fetches : 0u);
    core->counts[mode].instructions += step->end - step->first;
    /* the look-ups above are among them */
    hierarchy_count_hits(core->hierarchy, core->number, mode, FETCH, fetches - 1 - segment->spills);
    core_advance(core, mode, STACK_BASE, core->now + fetches * hit[FETCH]);
    for (const struct access *access = step->accesses, *end = access + step->access_count;
         access < end; access++) {
        uint64_t pc = segment->address + segment->instruction[access->instruction].offset;
        struct access_time time = core_data(core, mode, access, pc, core->now);
        enum access_kind kind = access->store ? STORE : LOAD;
        stall(core, mode, time, hit[kind]);
        core_advance(core, mode, STACK_BASE, time.ready);
        if (__builtin_expect(access->size > 8, 0)) /* eight bytes at a time, as in gem5 */
            more_pieces(core, mode, kind, access);
    }
}

const struct core_model core_blocking = {
    .name = "blocking",
    .decodes = false,
    .size = size,
    .init = init,
    .run = run,
};
