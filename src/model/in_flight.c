#include "model/in_flight.h"

#include <stdlib.h>
#include <string.h>

bool in_flight_init(struct in_flight *in_flight, uint64_t count) {
    *in_flight = (struct in_flight){
        .places = calloc(count, sizeof *in_flight->places),
        .count = (unsigned)count,
    };
    return in_flight->places != NULL;
}

void in_flight_free(struct in_flight *in_flight) {
    free(in_flight->places);
    *in_flight = (struct in_flight){0};
}

void in_flight_clear(struct in_flight *in_flight) {
    memset(in_flight->places, 0, in_flight->count * sizeof *in_flight->places);
    in_flight->until = 0;
}

/* Whether a place taken until `a` is a better choice than one taken until `b`. */
static bool is_better(uint64_t a, uint64_t b, uint64_t time) {
    if (a <= time)
        return b > time || a > b;
    return b > time && a < b;
}

unsigned in_flight_choose(const struct in_flight *in_flight, uint64_t *time) {
    const struct in_flight_place *places = in_flight->places;
    unsigned best = in_flight->latest;
    for (unsigned place = 0; place < in_flight->count; place++)
        if (is_better(places[place].until, places[best].until, *time))
            best = place;
    if (places[best].until > *time)
        *time = places[best].until;
    return best;
}

unsigned in_flight_count_free(const struct in_flight *in_flight, uint64_t time) {
    const struct in_flight_place *places = in_flight->places;
    unsigned count = 0;
    if (in_flight->until <= time)
        return in_flight->count;
    for (unsigned place = 0; place < in_flight->count; place++)
        count += places[place].until <= time;
    return count;
}

const struct in_flight_place *in_flight_search(const struct in_flight *in_flight, uint64_t line,
                                               uint64_t time) {
    const struct in_flight_place *last = NULL;
    for (unsigned place = 0; place < in_flight->count; place++) {
        const struct in_flight_place *other = &in_flight->places[place];
        if (other->line == line && other->until > time && (!last || other->until > last->until))
            last = other;
    }
    return last;
}
