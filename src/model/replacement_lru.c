/* Least recently used: the cache does it itself, see replacement.h. */
#include "model/replacement.h"

const struct replacement_policy replacement_lru = {.name = "lru"};
