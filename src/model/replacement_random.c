/* Random, the same every time: each set has a generator of its own, seeded with the set's number.
 *
 * The generator is SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators,
 * OOPSLA 2014). */
#include "model/replacement.h"

static void start(struct cache_set set, uint64_t number) {
    *set.bits = number << 32;
}

static void ignore(struct cache_set set, unsigned way) {
}

static unsigned victim(struct cache_set set) {
    uint64_t x = *set.bits += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return (unsigned)((x ^ x >> 31) % set.ways);
}

const struct replacement_policy replacement_random = {
    .name = "random",
    .hit = ignore,
    .fill = ignore,
    .victim = victim,
    .start = start,
};
