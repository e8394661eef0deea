/* What a cache has under way for one core: a fixed number of places (MSHRs, write buffers), each
 * taken until a cycle of that core's clock.
 *
 * Askers may come a little out of order: a place is given so that those that have been free for
 * longest are left for askers from further back. */
#ifndef SLS_MODEL_IN_FLIGHT_H
#define SLS_MODEL_IN_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct in_flight_place {
    uint64_t line;  /* for whom it is taken */
    uint64_t until; /* free from this cycle on */
    uint8_t origin; /* enum supplier: where the line comes from */
};

struct in_flight {
    struct in_flight_place *places;
    unsigned count, latest; /* latest: the one that is taken longest */
    uint64_t until;         /* when it is free: from then on nothing is under way */
};

/* False when memory is out; in_flight_free() is due all the same. */
bool in_flight_init(struct in_flight *in_flight, uint64_t count);
void in_flight_free(struct in_flight *in_flight);
void in_flight_clear(struct in_flight *in_flight);

/* in_flight.c: what the functions below do when something is under way. */
unsigned in_flight_choose(const struct in_flight *in_flight, uint64_t *time);
const struct in_flight_place *in_flight_search(const struct in_flight *in_flight, uint64_t line,
                                               uint64_t time);

/* A place that is free at `*time`, or else the first to become so, and then `*time` is when. */
static inline unsigned in_flight_find_free(const struct in_flight *in_flight, uint64_t *time) {
    return in_flight->until <= *time ? in_flight->latest : in_flight_choose(in_flight, time);
}

static inline void in_flight_take(struct in_flight *in_flight, unsigned place,
                                  struct in_flight_place taken) {
    in_flight->places[place] = taken;
    if (place == in_flight->latest || taken.until >= in_flight->until) {
        in_flight->latest = place;
        in_flight->until = taken.until;
    }
}

/* How many are free at that time. */
unsigned in_flight_count_free(const struct in_flight *in_flight, uint64_t time);

/* The last place taken for this line, if it still is at `time`; else NULL. */
static inline const struct in_flight_place *in_flight_of(const struct in_flight *in_flight,
                                                         uint64_t line, uint64_t time) {
    return in_flight->until <= time ? NULL : in_flight_search(in_flight, line, time);
}

#endif
