/* What a hierarchy is made of; for its own files: hierarchy.c (what there is), request.c (the way
 * of an access), coherence.c (who else holds a line), and tests. */
#ifndef SLS_MODEL_HIERARCHY_UNITS_H
#define SLS_MODEL_HIERARCHY_UNITS_H

#include "model/hierarchy.h"
#include "model/in_flight.h"
#include "model/prefetcher.h"

enum inclusion { MOSTLY_INCLUSIVE, INCLUSIVE, EXCLUSIVE };

/* What a cache keeps for each core that asks it. */
struct asker {
    struct in_flight fills;       /* MSHRs */
    struct in_flight write_backs; /* write buffers */
    struct level_counts counts[ACCESS_KINDS];
};

/* A cache with all that belongs to it; its tags first: see unit_of_tags(). */
struct cache_unit {
    struct cache tags;
    uint8_t name;      /* enum cache_name */
    uint8_t supplier;  /* enum supplier: what answers call it */
    uint8_t inclusion; /* enum inclusion; of L1s: MOSTLY_INCLUSIVE */
    bool shared;
    bool asks_others;         /* private caches end here: those of other cores are snooped */
    bool tells_of_clean;      /* others must hear of a line it loses, even if that is clean */
    unsigned core;            /* whose it is, if private */
    struct cache_unit *below; /* NULL: memory */
    struct asker *askers;     /* private: one; shared: one a core */
    unsigned asker_count;
    uint64_t tag_latency, hit_latency, response_latency; /* cycles */
    uint64_t request_latency, reply_latency; /* of the bus between this and what is below */
    uint64_t write_backs;
    const struct prefetcher *prefetcher; /* NULL: none */
    void *prefetcher_state;
    struct prefetch_counts prefetch;
};

static inline struct cache_unit *unit_of_core(const struct hierarchy *hierarchy, unsigned core,
                                              unsigned level) {
    return &hierarchy->units[core * hierarchy->private_levels + level];
}

static inline struct cache_unit *shared_unit(const struct hierarchy *hierarchy, unsigned level) {
    return &hierarchy->units[hierarchy->cores * hierarchy->private_levels + level];
}

static inline struct cache_unit *unit_of_tags(struct cache *tags) {
    return (struct cache_unit *)tags;
}

static inline struct asker *asker_of(struct cache_unit *unit, unsigned core) {
    return &unit->askers[unit->shared ? core : 0];
}

/* request.c: what is below this unit (a cache, or memory) takes a line from it. Returns when. */
uint64_t pass_down(struct hierarchy *hierarchy, unsigned core, struct cache_unit *unit,
                   uint64_t line, uint64_t time);

/* How many copies of lines that fall into a slot each core's private caches hold, a count a core:
 * where there is none, the core need not be asked. Several times as many slots as a core has lines,
 * so that most lines that it does not hold fall into an empty one. A count that has reached 255
 * stays: then the core is always asked. */
static inline uint8_t *holders_of(const struct hierarchy *hierarchy, uint64_t address) {
    uint64_t line = address >> hierarchy->line_shift;
    uint64_t slot = (line ^ line >> 14) & (hierarchy->holder_slots - 1);
    return &hierarchy->holders[slot * hierarchy->cores];
}

/* The unit, if it is private, got, or lost, a copy of the line with these holders. */
static inline void add_holder(const struct cache_unit *unit, uint8_t *holders) {
    if (!unit->shared)
        holders[unit->core] += holders[unit->core] < UINT8_MAX;
}

static inline void remove_holder(const struct hierarchy *hierarchy, const struct cache_unit *unit,
                                 uint64_t address) {
    if (unit->shared)
        return;
    uint8_t *count = holders_of(hierarchy, address) + unit->core;
    *count -= *count < UINT8_MAX;
}

/* coherence.c: take out a line that the unit holds. */
void remove_line(struct hierarchy *hierarchy, struct cache_unit *unit, uint64_t *line);

enum snoop { SHARE, TAKE };

/* coherence.c: the private caches of another core that holds the line, perhaps, are told that this
 * core wants it, to share or to own. Returns LINE_DIRTY if one of their copies was; *found: there
 * was a copy. */
uint64_t snoop_core(struct hierarchy *hierarchy, unsigned other, uint64_t address, enum snoop snoop,
                    bool *found);

/* coherence.c: the core's other L1 is told, too. Returns whether it keeps a copy. */
bool snoop_sibling(struct hierarchy *hierarchy, struct cache_unit *l1, uint64_t address,
                   enum snoop snoop, uint64_t time);

/* coherence.c: an inclusive unit loses the line, so all above it do. Returns LINE_DIRTY if one of
 * their copies was, else 0. */
uint64_t back_invalidate(struct hierarchy *hierarchy, const struct cache_unit *unit,
                         uint64_t address);

#endif
