/* What branch predictors are made of. */
#ifndef SLS_MODEL_BRANCH_COUNTER_H
#define SLS_MODEL_BRANCH_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

/* Tables are indexed without these low bits of the address: two branches in the same four bytes
 * share their entries. gem5 24.0 does so for x86, too (BranchPredictor.instShiftAmt). */
enum { BRANCH_ADDRESS_SHIFT = 2 };

/* A counter of `bits` bits that stays at its ends. At least 0 means taken. */
static inline void counter_update(int8_t *counter, bool up, unsigned bits) {
    int limit = 1 << (bits - 1);
    if (up ? *counter < limit - 1 : *counter > -limit)
        *counter = (int8_t)(*counter + (up ? 1 : -1));
}

/* The classic one: 0 to 3, taken from 2 on. */
static inline bool two_bit_taken(uint8_t counter) {
    return counter >= 2;
}

static inline void two_bit_update(uint8_t *counter, bool taken) {
    if (taken ? *counter < 3 : *counter > 0)
        *counter = (uint8_t)(*counter + (taken ? 1 : -1));
}

/* Marsaglia's xorshift: the same numbers in every run. The state must not be 0. */
static inline uint32_t random_next(uint32_t *state) {
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

static inline bool is_power_of_two(uint64_t number) {
    return number && !(number & (number - 1));
}

/* Of a power of two. */
static inline unsigned log2_of(uint64_t number) {
    return (unsigned)__builtin_ctzll(number);
}

#endif
