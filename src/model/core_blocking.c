/* A core that does one instruction at a time and waits for every fetch and access, as gem5's
 * TimingSimpleCPU: execution itself takes no time; its clock is the sum of what the caches took.
 *
 * Not modelled: waiting for busy buses, interrupt entry, division or other long operations. */
#include "model/core_access.h"
#include "model/inlining.h"

static size_t size(const struct model_parameters *parameters) {
    (void)parameters;
    return 0;
}

static void init(struct core *core) {
    (void)core;
}

/* The clock while a step runs: the core's is set at the end of it. */
struct clock {
    uint64_t now, waited; /* waited: cycles put under another part than STACK_BASE */
    struct core_counts *counts;
};

/* Waits for what is not a hit; a hit's own time is the caller's. */
INLINE void stall(struct clock *clock, struct access_time time, uint64_t hit) {
    uint64_t until = time.ready - hit;
    if (time.part == STACK_BASE || until <= clock->now)
        return;
    clock->counts->stack[time.part] += until - clock->now;
    clock->waited += until - clock->now;
    clock->now = until;
}

/* A hit takes its time with each chunk that is fetched from the line: take_step() adds it up. */
INLINE void fetch_line(struct core *core, const struct look *look, struct clock *clock,
                       const struct segment *segment, uint64_t offset) {
    if (look_hits(look, FETCH, segment->line + offset, segment->translation))
        return;
    stall(clock,
          core_fetch_slowly(core, look->mode, segment->line + offset, segment->address + offset,
                            segment->translation, clock->now),
          look->hit_latency[FETCH]);
}

INLINE void access_data(struct core *core, const struct look *look, struct clock *clock,
                        const struct segment *segment, const struct access *access) {
    enum access_kind kind = access->store ? STORE : LOAD;
    uint64_t hit = look->hit_latency[kind];
    if (look_hits_data(look, access)) {
        clock->now += hit;
    } else {
        uint64_t pc = segment->address + segment->instruction[access->instruction].offset;
        struct access_time time = core_data_slowly(core, look->mode, access, pc, clock->now);
        stall(clock, time, hit);
        clock->now = time.ready;
    }
    /* Eight bytes at a time, as in gem5: the rest of a wide access, from the line that is there. */
    if (__builtin_expect(access->size > 8, 0) && !access->uncached) {
        uint64_t pieces = (access->size - 1) / 8;
        look->counts->accesses[kind] += pieces;
        clock->now += pieces * hit;
    }
}

INLINE void take_step(struct core *core, const struct look *look, const struct step *step) {
    const struct segment *segment = step->segment;
    struct core_counts *counts = &core->counts[look->mode];
    AT_HAND(counts);
    struct clock clock = {.now = core->now, .counts = counts};
    uint64_t fetches = 0;
    fetch_line(core, look, &clock, segment, 0);
    if (segment->spills)
        fetch_line(core, look, &clock, segment, look->line_mask + 1);
    if (step->end > step->first)
        fetches = segment->instruction[step->end - 1].fetches -
                  (step->first ? segment->instruction[step->first - 1].fetches : 0u);
    look->counts->accesses[FETCH] += fetches - 1 - segment->spills; /* but the look-ups above */
    clock.now += fetches * look->hit_latency[FETCH];
    for (const struct access *access = step->accesses, *end = access + step->access_count;
         access < end; access++)
        access_data(core, look, &clock, segment, access);
    uint64_t cycles = clock.now - core->now;
    counts->instructions += step->end - step->first;
    counts->cycles += cycles;
    counts->stack[STACK_BASE] += cycles - clock.waited;
    core->now = clock.now;
}

/* Compiled twice, so that free translation costs no question at each access. */
static void run(struct core *core, const struct step *step) {
    struct look look = core_look(core, step->segment->mode);
    AT_HAND(look.counts);
    if (look.mmu) {
        take_step(core, &look, step);
    } else {
        look.mmu = NULL;
        take_step(core, &look, step);
    }
}

const struct core_model core_blocking = {
    .name = "blocking",
    .decodes = false,
    .waits = true,
    .size = size,
    .init = init,
    .run = run,
};
