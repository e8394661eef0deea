/* The later of two cycles: nothing begins before all that it waits for. */
#ifndef SLS_MODEL_LATER_H
#define SLS_MODEL_LATER_H

#include <stdint.h>

static inline uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

#endif
