/* Least recently used: the ways stand in the order of their last use, so the order is all the state
 * there is. */
#include "model/replacement.h"

#include <stddef.h>

static unsigned last(struct cache_set set) {
    return set.ways - 1;
}

const struct replacement_policy replacement_lru = {
    .name = "lru",
    .hit = NULL,
    .fill = move_to_front,
    .victim = last,
};
