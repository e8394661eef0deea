/* The way of an access through the hierarchy, as a request takes it through gem5 24.0's classic
 * memory system, all clocks in step.
 *
 *   L1       a hit takes its tag latency (store) or the longer of tag and data (load, fetch);
 *            a miss goes on after the tag latency (src/mem/cache/base.cc: access,
 *            recvTimingReq, forwardLatency)
 *   bus      a request pays frontend + forward + snoop filter, an answer the response latency
 *            (src/mem/coherent_xbar.cc; the filter's own cycle on the memory bus is easily
 *            overlooked)
 *   L2, …    likewise: longer of tag and data if it hits, tag if the request goes on
 *   memory   its latency, after which the answer starts at the next clock edge
 *            (src/mem/simple_mem.cc)
 *   back     each cache passes the answer on after its response latency, critical word first,
 *            so the bus's width does not show (src/mem/cache/cache.cc: serviceMSHRTargets)
 *
 * A cache holds an MSHR from the time a miss comes until its answer arrives there. What asks for
 * the same line meanwhile gets the same answer. Unlike gem5, which then blocks the whole cache,
 * hits go on when all MSHRs are taken. */
#include "model/hierarchy_units.h"
#include "model/inlining.h"
#include "model/later.h"

/* Who is to be told of a request once it is done: not before, lest what is prefetched push out what
 * is under way. */
struct notice {
    struct cache_unit *unit;
    uint64_t time;
    bool hit, first_use;
};

struct request {
    uint64_t address, pc;
    uint8_t *holders;                 /* of the line: see holders_of() */
    struct cache_unit *prefetched_by; /* of PREFETCH */
    struct notice *notices;           /* room for CACHE_LEVELS */
    unsigned notice_count;
    unsigned core;
    enum access_kind kind; /* as counted: STORE is a LOAD */
    bool owns;             /* asks for the right to write */
    bool needs_data;       /* false: holds the line */
    bool may_own;          /* would take the right to write if no other core holds the line */
    uint64_t marks;        /* of the line where it is filled in; LINE_FRESH: in the L1 only */
    /* What is found out on the way: */
    bool sole;  /* no other core holds the line */
    bool dirty; /* it was dirty below and now is where it is wanted */
    enum supplier supplier, origin;
};

static uint64_t give_up(struct hierarchy *hierarchy, unsigned core, struct cache_unit *unit,
                        uint64_t line, uint64_t time);

uint64_t pass_down(struct hierarchy *hierarchy, unsigned core, struct cache_unit *unit,
                   uint64_t line, uint64_t time) {
    uint64_t address = line & unit->tags.tag_mask;
    struct cache_unit *below = unit->below;
    time += unit->request_latency;
    if (!below)
        return line & LINE_DIRTY ? dram_access(&hierarchy->dram, core, address, true, time) : time;
    uint64_t state = line & (below->shared ? LINE_DIRTY : LINE_WRITABLE | LINE_DIRTY);
    uint64_t *held = cache_use(&below->tags, address);
    time += below->tag_latency;
    if (held) {
        *held |= state;
        return time;
    }
    uint64_t victim = cache_fill(&below->tags, address, state);
    add_holder(below, holders_of(hierarchy, address));
    return give_up(hierarchy, core, below, victim, time);
}

/* What the unit lost concerns others: it is dirty, or they must lose or may have it, too. */
NOT_INLINE static uint64_t hand_down(struct hierarchy *hierarchy, unsigned core,
                                     struct cache_unit *unit, uint64_t line, uint64_t time) {
    uint64_t address = line & unit->tags.tag_mask;
    unit->prefetch.useless += (line & LINE_PREFETCHED) != 0;
    if (unit->inclusion == INCLUSIVE)
        line |= back_invalidate(hierarchy, unit, address);
    if (line & LINE_DIRTY)
        unit->write_backs++;
    else if (!unit->below || unit->below->inclusion != EXCLUSIVE)
        return time;
    struct in_flight *buffers = &asker_of(unit, core)->write_backs;
    unsigned place = in_flight_find_free(buffers, &time);
    uint64_t until = pass_down(hierarchy, core, unit, line, time);
    in_flight_take(buffers, place, (struct in_flight_place){.line = address, .until = until});
    return time;
}

/* The line that this unit lost (or LINE_NONE) leaves it at `time`, on behalf of `core`. Returns
 * when it is gone: later if it must be written and all write buffers are taken. */
static inline uint64_t give_up(struct hierarchy *hierarchy, unsigned core, struct cache_unit *unit,
                               uint64_t line, uint64_t time) {
    if (line == LINE_NONE)
        return time;
    remove_holder(hierarchy, unit, line & unit->tags.tag_mask);
    return line & (LINE_DIRTY | LINE_PREFETCHED) || unit->tells_of_clean
               ? hand_down(hierarchy, core, unit, line, time)
               : time;
}

/* The line is used and bears a mark. Returns when it is there: `time`, or later. */
static uint64_t settle(struct cache_unit *unit, unsigned core, uint64_t *line, uint64_t time,
                       enum supplier *origin) {
    uint64_t marks = *line & (LINE_ARRIVING | LINE_PREFETCHED);
    *line &= ~marks;
    unit->prefetch.useful += (marks & LINE_PREFETCHED) != 0;
    if (!(marks & LINE_ARRIVING))
        return time;
    const struct in_flight_place *fill =
        in_flight_of(&asker_of(unit, core)->fills, *line & unit->tags.tag_mask, time);
    if (!fill)
        return time;
    *line |= LINE_ARRIVING;
    unit->prefetch.late += (marks & LINE_PREFETCHED) != 0;
    *origin = fill->origin;
    return fill->until + unit->response_latency;
}

static uint64_t miss(struct hierarchy *hierarchy, struct request *request, struct cache_unit *unit,
                     bool held, uint64_t time);

/* In what state the line comes to this unit. */
INLINE uint64_t fill_state(const struct request *request, const struct cache_unit *unit,
                           bool is_l1) {
    uint64_t state = is_l1 ? request->marks : request->marks & LINE_ARRIVING;
    if (unit == request->prefetched_by)
        state |= LINE_PREFETCHED;
    if (!is_l1)
        return !unit->shared && request->sole ? state | LINE_WRITABLE : state;
    if (request->may_own && request->sole)
        state |= LINE_WRITABLE;
    return request->owns || request->dirty ? state | LINE_DIRTY : state;
}

/* The unit held the line without the right to write it, and now has got that. */
static void gain_right(struct hierarchy *hierarchy, const struct request *request,
                       struct cache_unit *unit) {
    uint64_t *line = cache_peek(&unit->tags, request->address);
    if (!line)
        return;
    *line |= unit->supplier == FROM_L1 ? LINE_WRITABLE | LINE_DIRTY : LINE_WRITABLE;
    if (unit->inclusion == EXCLUSIVE)
        remove_line(hierarchy, unit, line);
}

/* The line goes up from a unit that has it. */
static void hand_up(struct hierarchy *hierarchy, struct request *request, struct cache_unit *unit,
                    uint64_t *line) {
    if (request->may_own && request->sole) {
        request->dirty |= (*line & LINE_DIRTY) != 0;
        *line &= ~LINE_DIRTY;
    }
    if (unit->inclusion == EXCLUSIVE && !(*line & LINE_DIRTY))
        remove_line(hierarchy, unit, line);
}

static inline uint64_t hit(struct hierarchy *hierarchy, struct request *request,
                           struct cache_unit *unit, uint64_t *line, struct level_counts *counts,
                           uint64_t time) {
    request->supplier = request->origin = unit->supplier;
    if (!unit->shared)
        request->sole = (*line & LINE_WRITABLE) != 0;
    if (!request->needs_data) {
        request->supplier = request->origin = UPGRADE_BY_CACHE;
        return time + unit->tag_latency;
    }
    uint64_t ready = time;
    if (*line & (LINE_ARRIVING | LINE_PREFETCHED))
        ready = settle(unit, request->core, line, time, &request->origin);
    counts->misses += ready > time;
    hand_up(hierarchy, request, unit, line);
    return later(ready, time + unit->hit_latency);
}

/* A request comes to a unit beyond the L1s. Returns when it has answered. */
INLINE uint64_t look_up(struct hierarchy *hierarchy, struct request *request,
                        struct cache_unit *unit, uint64_t time) {
    uint64_t *line = cache_use(&unit->tags, request->address);
    bool hits = line && (unit->shared || !request->owns || *line & LINE_WRITABLE);
    if (unit->prefetcher && request->needs_data && request->kind != WALK)
        request->notices[request->notice_count++] =
            (struct notice){unit, time, hits, line && *line & LINE_PREFETCHED};
    struct level_counts *counts = &asker_of(unit, request->core)->counts[request->kind];
    if (request->needs_data) {
        counts->accesses++;
        counts->misses += !hits;
        counts->fills += !hits;
    }
    return hits ? hit(hierarchy, request, unit, line, counts, time)
                : miss(hierarchy, request, unit, line != NULL, time);
}

/* All other cores' private caches are told that this core wants the line. */
static inline void snoop_others(struct hierarchy *hierarchy, struct request *request,
                                struct cache_unit *unit, uint64_t time) {
    bool found = false;
    uint64_t dirty = 0;
    for (unsigned other = 0; other < hierarchy->cores; other++)
        if (__builtin_expect(request->holders[other] && other != request->core, 0))
            dirty |= snoop_core(hierarchy, other, request->address, request->owns ? TAKE : SHARE,
                                &found);
    if (dirty)
        pass_down(hierarchy, request->core, unit,
                  (request->address & unit->tags.tag_mask) | LINE_DIRTY, time);
    request->sole = !found || request->owns;
}

/* This unit asks what is below it. Returns when the answer has come back. */
INLINE uint64_t ask_below(struct hierarchy *hierarchy, struct request *request,
                          struct cache_unit *unit, uint64_t time) {
    struct cache_unit *below = unit->below;
    if (unit->asks_others)
        snoop_others(hierarchy, request, unit, time);
    time += unit->request_latency;
    if (below)
        return look_up(hierarchy, request, below, time) + unit->reply_latency;
    request->supplier = request->origin = request->needs_data ? FROM_MEMORY : UPGRADE_BY_BUS;
    if (!request->needs_data) /* gem5's bus answers at once */
        return time;
    return dram_access(&hierarchy->dram, request->core, request->address, false, time) +
           unit->reply_latency;
}

/* The request misses in this unit, which asks below for the line, or if `held` for the right to
 * write it. Returns when the unit has answered. Compiled once for L1s, which nearly all requests
 * come through, and once for all others. */
INLINE uint64_t miss_in(struct hierarchy *hierarchy, struct request *request,
                        struct cache_unit *unit, bool is_l1, bool held, uint64_t time) {
    struct in_flight *fills = is_l1 ? &unit->askers->fills : &asker_of(unit, request->core)->fills;
    unsigned place = in_flight_find_free(fills, &time);
    bool needed_data = is_l1 || request->needs_data;
    bool filled = !held && needed_data &&
                  (is_l1 || unit->inclusion != EXCLUSIVE || unit == request->prefetched_by);
    request->needs_data = needed_data && !held;
    uint64_t arrival = ask_below(hierarchy, request, unit, time + unit->tag_latency);
    if (filled) {
        uint64_t victim =
            cache_fill(&unit->tags, request->address, fill_state(request, unit, is_l1));
        add_holder(unit, request->holders);
        arrival = give_up(hierarchy, request->core, unit, victim, arrival);
    } else if (held) {
        gain_right(hierarchy, request, unit);
    }
    request->needs_data = needed_data;
    if (needed_data || held)
        in_flight_take(
            fills, place,
            (struct in_flight_place){request->address, arrival, (uint8_t)request->origin});
    return arrival + unit->response_latency;
}

/* … in one beyond the L1s. */
NOT_INLINE static uint64_t miss(struct hierarchy *hierarchy, struct request *request,
                                struct cache_unit *unit, bool held, uint64_t time) {
    return miss_in(hierarchy, request, unit, false, held, time);
}

static void tell_prefetchers(struct hierarchy *hierarchy, const struct request *request);

/* The mark of a line of data that is filled in, but not used. */
static uint64_t fresh(const struct front *front) {
    return front->footprint ? LINE_FRESH : 0;
}

/* A unit brings in a line that nobody has asked for yet.
 * One MSHR is left for who does (gem5: BaseCache.demand_mshr_reserve). */
static void prefetch(struct hierarchy *hierarchy, unsigned core, struct cache_unit *unit,
                     uint64_t address, uint64_t pc, uint64_t time) {
    if (cache_peek(&unit->tags, address))
        return;
    struct notice notices[CACHE_LEVELS];
    struct request request = {
        .notices = notices,
        .address = address,
        .pc = pc,
        .holders = holders_of(hierarchy, address),
        .core = core,
        .kind = PREFETCH,
        .needs_data = true,
        .marks = LINE_ARRIVING,
        .prefetched_by = unit,
    };
    if (in_flight_count_free(&asker_of(unit, core)->fills, time) < 2) {
        unit->prefetch.dropped++;
        return;
    }
    unit->prefetch.issued++;
    if (unit->supplier == FROM_L1) {
        bool shared = request.holders[core] && snoop_sibling(hierarchy, unit, address, SHARE, time);
        request.may_own = unit->name == CACHE_L1D && !shared;
        request.marks |= unit->name == CACHE_L1D ? fresh(&hierarchy->front[core]) : 0;
    }
    miss_in(hierarchy, &request, unit, unit->supplier == FROM_L1, false, time);
    tell_prefetchers(hierarchy, &request);
}

static void tell_prefetcher(struct hierarchy *hierarchy, unsigned core, struct cache_unit *unit,
                            const struct prefetch_hint *hint, uint64_t time) {
    enum { PAGE_SHIFT = 12 };
    uint64_t lines[PREFETCHES_MOST];
    unsigned count = unit->prefetcher->access(unit->prefetcher_state, hint, lines);
    for (unsigned i = 0; i < count; i++)
        if (unit->prefetcher->crosses_pages || (lines[i] ^ hint->address) >> PAGE_SHIFT == 0)
            prefetch(hierarchy, core, unit, lines[i] & unit->tags.tag_mask, hint->pc, time);
}

static void tell_prefetchers(struct hierarchy *hierarchy, const struct request *request) {
    for (unsigned i = 0; i < request->notice_count; i++) {
        const struct notice *notice = &request->notices[i];
        struct prefetch_hint hint = {request->address, request->pc, notice->hit, notice->first_use};
        tell_prefetcher(hierarchy, request->core, notice->unit, &hint, notice->time);
    }
}

/* The access misses in its L1: the line is not there, or not to be written. */
INLINE struct answer miss_l1(const struct front *front, struct cache_unit *l1,
                             enum access_kind kind, uint64_t address, uint64_t pc, bool held,
                             uint64_t now) {
    struct hierarchy *hierarchy = front->hierarchy;
    struct notice notices[CACHE_LEVELS];
    address &= l1->tags.tag_mask;
    struct request request = {
        .address = address,
        .pc = pc,
        .holders = holders_of(hierarchy, address),
        .notices = notices,
        .core = l1->core,
        .kind = kind == STORE ? LOAD : kind,
        .owns = kind == STORE,
        .needs_data = true,
        .marks = kind == WALK ? front->marks | fresh(front) : front->marks,
    };
    bool shared = request.holders[l1->core] &&
                  snoop_sibling(hierarchy, l1, request.address, request.owns ? TAKE : SHARE, now);
    request.may_own = kind != FETCH && !shared;
    uint64_t ready = miss_in(hierarchy, &request, l1, true, held, now);
    tell_prefetchers(hierarchy, &request);
    return (struct answer){.ready = ready, .supplier = request.supplier, .origin = request.origin};
}

/* An access that misses, has to wait, or that somebody is to be told of. */
INLINE struct answer access_slowly(struct front *front, enum model_mode mode, enum access_kind kind,
                                   uint64_t address, uint64_t pc, uint64_t now, uint64_t *line) {
    struct hierarchy *hierarchy = front->hierarchy;
    struct cache_unit *l1 = unit_of_tags(front->l1[kind == FETCH ? INSTRUCTION : DATA]);
    struct access_counts *counts = &front->counts[mode];
    struct prefetch_hint hint = {address, pc, line != NULL, line && *line & LINE_PREFETCHED};
    struct answer answer;
    uint64_t there = now;
    enum supplier origin = FROM_L1;
    if (line && *line & (LINE_ARRIVING | LINE_PREFETCHED))
        there = settle(l1, l1->core, line, now, &origin);
    if (line && (kind != STORE || *line & LINE_WRITABLE)) {
        if (kind == STORE)
            *line |= LINE_DIRTY;
        uint64_t ready = later(there, now + hierarchy->hit_latency[kind]);
        answer = (struct answer){.ready = ready, .origin = origin, .delayed = there > now};
        counts->delayed[kind] += there > now;
    } else {
        answer = miss_l1(front, l1, kind, address, pc, line != NULL, there);
        counts->supplied[kind][answer.supplier]++;
    }
    if (l1->prefetcher && kind != WALK)
        tell_prefetcher(hierarchy, l1->core, l1, &hint, now);
    return answer;
}

/* … of a line that is not there, */
NOT_INLINE static struct answer access_absent(struct front *front, enum model_mode mode,
                                              enum access_kind kind, uint64_t address, uint64_t pc,
                                              uint64_t now) {
    if (front->footprint && kind != FETCH && kind != WALK)
        footprint_use_data(front->footprint, mode, address);
    return access_slowly(front, mode, kind, address, pc, now, NULL);
}

/* … and of one that is. */
NOT_INLINE static struct answer access_present(struct front *front, enum model_mode mode,
                                               enum access_kind kind, uint64_t address, uint64_t pc,
                                               uint64_t now) {
    struct cache *tags = front->l1[kind == FETCH ? INSTRUCTION : DATA];
    return access_slowly(front, mode, kind, address, pc, now, cache_peek(tags, address));
}

/* Any use but a page walk's. */
NOT_INLINE static void use_fresh(const struct front *front, enum model_mode mode, uint64_t address,
                                 uint64_t *line) {
    *line &= ~LINE_FRESH;
    if (front->footprint)
        footprint_use_data(front->footprint, mode, address);
}

/* The same for each kind of L1. */
INLINE struct answer access_l1(struct front *front, struct cache *tags, enum model_mode mode,
                               enum access_kind kind, uint64_t address, uint64_t pc, uint64_t now,
                               bool plain) {
    struct cache_unit *l1 = unit_of_tags(tags);
    uint64_t *line = cache_last_used(tags, address);
    uint64_t differs = (*line & ~LINE_FRESH) ^ address;
    if (differs & tags->tag_mask || (!plain && !tags->in_order_of_use))
        line = cache_use_as(tags, address, plain);
    front->counts[mode].accesses[kind]++;
    if (!line)
        return access_absent(front, mode, kind, address, pc, now);
    if (__builtin_expect(*line & LINE_FRESH, 0) && kind != WALK)
        use_fresh(front, mode, address, line);
    if ((kind == STORE && !(*line & LINE_WRITABLE)) || *line & LINE_PREFETCHED ||
        (*line & LINE_ARRIVING && l1->askers->fills.until > now) ||
        (l1->prefetcher && differs >= tags->first_span)) /* else as front_hit() */
        return access_present(front, mode, kind, address, pc, now);
    *line = (*line & ~LINE_ARRIVING) | (kind == STORE ? LINE_DIRTY : 0);
    return (struct answer){.ready = now + front->hierarchy->hit_latency[kind]};
}

NOT_INLINE static struct answer access_any_l1(struct front *front, enum model_mode mode,
                                              enum access_kind kind, uint64_t address, uint64_t pc,
                                              uint64_t now) {
    return access_l1(front, front->l1[kind == FETCH ? INSTRUCTION : DATA], mode, kind, address, pc,
                     now, false);
}

struct answer front_access(struct front *front, enum model_mode mode, enum access_kind kind,
                           uint64_t address, uint64_t pc, uint64_t now) {
    struct cache *tags = front->l1[kind == FETCH ? INSTRUCTION : DATA];
    if (!cache_is_plain(tags))
        return access_any_l1(front, mode, kind, address, pc, now);
    return access_l1(front, tags, mode, kind, address, pc, now, true);
}
