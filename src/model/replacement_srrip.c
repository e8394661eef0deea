/* Static re-reference interval prediction with two bits and hit priority (SRRIP-HP): a new line is
 * expected to be used again late, one that was used again soon. The first way that is expected
 * latest goes.
 *
 * Jaleel, Theobald, Steely, Emer: High Performance Cache Replacement Using Re-Reference Interval
 * Prediction, ISCA 2010. */
#include "model/replacement.h"

enum { SOON = 0, LATE = 2, LATEST = 3 };

static void hit(struct cache_set set, unsigned way) {
    set.notes[way] = SOON;
}

static void fill(struct cache_set set, unsigned way) {
    set.notes[way] = LATE;
}

static unsigned victim(struct cache_set set) {
    unsigned latest = 0;
    for (unsigned way = 1; way < set.ways; way++)
        if (set.notes[way] > set.notes[latest])
            latest = way;
    uint8_t aged = (uint8_t)(LATEST - set.notes[latest]);
    for (unsigned way = 0; way < set.ways; way++)
        set.notes[way] += aged;
    return latest;
}

const struct replacement_policy replacement_srrip = {
    .name = "srrip",
    .hit = hit,
    .fill = fill,
    .victim = victim,
};
