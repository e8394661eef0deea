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

/* A cache with all that belongs to it. */
struct cache_unit {
    struct cache tags;
    uint8_t name;      /* enum cache_name */
    uint8_t supplier;  /* enum supplier: what answers call it */
    uint8_t inclusion; /* enum inclusion; of L1s: MOSTLY_INCLUSIVE */
    bool shared;
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

static inline struct asker *asker_of(struct cache_unit *unit, unsigned core) {
    return &unit->askers[unit->shared ? core : 0];
}

/* request.c: the line that this unit lost leaves it at `time`, on behalf of `core`. Returns when it
 * is gone: later if it must be written and all write buffers are taken. */
uint64_t give_up(struct hierarchy *hierarchy, unsigned core, struct cache_unit *unit, uint64_t line,
                 uint64_t time);

/* request.c: what is below this unit (a cache, or memory) takes a line from it. Returns when. */
uint64_t pass_down(struct hierarchy *hierarchy, unsigned core, struct cache_unit *unit,
                   uint64_t line, uint64_t time);

/* coherence.c: a private unit got, or lost, a copy of the line. */
void add_holder(struct hierarchy *hierarchy, const struct cache_unit *unit, uint64_t address);
void remove_holder(struct hierarchy *hierarchy, const struct cache_unit *unit, uint64_t address);

/* coherence.c: take out a line that the unit holds. */
void remove_line(struct hierarchy *hierarchy, struct cache_unit *unit, uint64_t *line);

enum snoop { SHARE, TAKE };

/* coherence.c: tell all other cores' private caches that this core wants the line, to share or to
 * own. `unit` is the core's last private one. Returns whether another keeps a copy. */
bool snoop_others(struct hierarchy *hierarchy, unsigned core, struct cache_unit *unit,
                  uint64_t address, enum snoop snoop, uint64_t time);

/* coherence.c: the core's other L1 is told, too. Returns whether it keeps a copy. */
bool snoop_sibling(struct hierarchy *hierarchy, struct cache_unit *l1, uint64_t address,
                   enum snoop snoop, uint64_t time);

/* coherence.c: an inclusive unit loses the line, so all above it do. Returns LINE_DIRTY if one of
 * their copies was, else 0. */
uint64_t back_invalidate(struct hierarchy *hierarchy, const struct cache_unit *unit,
                         uint64_t address);

#endif
