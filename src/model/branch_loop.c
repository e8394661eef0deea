#include "model/branch_loop.h"

#include <stddef.h>

#include "model/branch_counter.h"

/* gem5 24.0's LoopPredictor. */
enum {
    TAG_BITS = 14,        /* loopTableTagBits */
    ITERATION_BITS = 14,  /* loopTableIterBits */
    CONFIDENT = 3,        /* loopTableConfidenceBits: 2, all set */
    AGE_MOST = 255,       /* initialLoopAge */
    TRUST_BITS = 7,       /* withLoopBits */
    ITERATIONS_LEAST = 3, /* shorter loops are left to others */
};

void loop_init(struct loop_predictor *loops) {
    loops->trust = -1;
    loops->random = 1;
}

static struct loop_entry *set_of(struct loop_predictor *loops, uint64_t address) {
    return loops->entries[(address >> BRANCH_ADDRESS_SHIFT) % LOOP_SETS];
}

static uint16_t tag_of(uint64_t address) {
    return (address >> BRANCH_ADDRESS_SHIFT) / LOOP_SETS & ((1 << TAG_BITS) - 1);
}

void loop_look_up(struct loop_predictor *loops, uint64_t address, struct loop_lookup *lookup) {
    struct loop_entry *set = set_of(loops, address);
    uint16_t tag = tag_of(address);
    *lookup = (struct loop_lookup){.address = address};
    for (unsigned way = 0; way < LOOP_WAYS; way++)
        if (set[way].tag == tag) {
            lookup->entry = &set[way];
            lookup->confident = set[way].confidence == CONFIDENT;
            lookup->prediction = set[way].current + 1 != set[way].iterations;
            return;
        }
}

bool loop_choose(const struct loop_predictor *loops, const struct loop_lookup *lookup,
                 bool prediction) {
    return lookup->confident && loops->trust >= 0 ? lookup->prediction : prediction;
}

static void forget(struct loop_entry *entry) {
    entry->iterations = 0;
    entry->confidence = 0;
    entry->age = 0;
}

/* The loop ended. */
static void end_loop(struct loop_entry *entry) {
    if (entry->iterations == 0) { /* the first one counted whole */
        entry->iterations = entry->current;
    } else if (entry->current != entry->iterations || entry->iterations < ITERATIONS_LEAST) {
        forget(entry);
    } else if (entry->confidence < CONFIDENT) {
        entry->confidence++;
    }
    entry->current = 0;
}

/* A taken branch may be the end of a loop's body. */
static void allocate(struct loop_predictor *loops, uint64_t address) {
    struct loop_entry *set = set_of(loops, address);
    unsigned first = random_next(&loops->random);
    for (unsigned i = 0; i < LOOP_WAYS; i++) {
        struct loop_entry *entry = &set[(first + i) % LOOP_WAYS];
        if (entry->age == 0) {
            *entry = (struct loop_entry){.tag = tag_of(address), .current = 1, .age = AGE_MOST};
            return;
        }
        entry->age--;
    }
}

void loop_train(struct loop_predictor *loops, const struct loop_lookup *lookup, bool taken,
                bool tage_prediction, bool final_prediction) {
    struct loop_entry *entry = lookup->entry;
    if (lookup->confident && lookup->prediction != final_prediction)
        counter_update(&loops->trust, lookup->prediction == taken, TRUST_BITS);
    if (!entry) {
        if (taken)
            allocate(loops, lookup->address);
        return;
    }
    if (lookup->confident && lookup->prediction != taken) {
        forget(entry);
        entry->current = 0;
        return;
    }
    if (lookup->confident && lookup->prediction != tage_prediction && entry->age < AGE_MOST)
        entry->age++;
    entry->current = (entry->current + 1) & ((1 << ITERATION_BITS) - 1);
    if (entry->current > entry->iterations && entry->iterations)
        forget(entry);
    if (!taken)
        end_loop(entry);
}
