/* Random numbers that are the same on every machine:
 * splitmix64 (Steele, Lea, Flood, OOPSLA 2014). */
#ifndef SLS_COMMON_RANDOM_H
#define SLS_COMMON_RANDOM_H

#include <stdint.h>

/* The index-th number of the seed's sequence. */
static inline uint64_t random_draw(uint64_t seed, uint64_t index) {
    uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

#endif
