#include "model/branch_corrector.h"

#include <stdlib.h>

#include "model/branch_counter.h"

/* Widths and first values after gem5 24.0's StatisticalCorrector. */
enum {
    ADDEND_BITS = 6, /* scCountersWidth */
    ADDEND_MOST = 31,
    TRUST_BITS = 7, /* chooserConfWidth */
    THRESHOLD_FIRST = 35 * 8,
    THRESHOLD_MOST = (1 << 11) - 1, /* updateThresholdWidth: 12 */
    THRESHOLD_OF_BITS = 8,          /* pUpdateThresholdWidth */
};

enum history { GLOBAL, PATH, LOCAL };

/* The tables of TAGE_SC_L_64KB_StatisticalCorrector (bwm, pm, lm) that are not left out. Its
 * histories of backward branches are those of all conditional branches here. */
static const struct {
    enum history history;
    unsigned bits;
} tables[CORRECTOR_TABLES] = {
    {GLOBAL, 40}, {GLOBAL, 24}, {GLOBAL, 10}, {PATH, 25}, {PATH, 16},
    {PATH, 9},    {LOCAL, 11},  {LOCAL, 6},   {LOCAL, 3},
};

void corrector_init(struct corrector *corrector) {
    corrector->threshold = THRESHOLD_FIRST;
    for (unsigned i = 0; i < CORRECTOR_BIASES; i++) /* at first, all that was predicted is right */
        corrector->bias_low[i] = corrector->bias_high[i] = i & 1 ? ADDEND_MOST : -ADDEND_MOST - 1;
}

static uint16_t *local_history(struct corrector *corrector, uint64_t address) {
    return &corrector->local[(address >> BRANCH_ADDRESS_SHIFT) % CORRECTOR_LOCAL];
}

/* Fibonacci hashing (Knuth, volume 3, 6.4): the product's upper bits depend on all of the key's. */
static uint16_t hash(uint64_t address, uint64_t history) {
    const uint64_t golden = 0x9e3779b97f4a7c15; /* 2^64 / the golden ratio */
    return (uint16_t)(((address * golden ^ history) * golden) >> 32) % CORRECTOR_ENTRIES;
}

static int addend(int8_t counter) {
    return 2 * counter + 1;
}

void corrector_look_up(const struct corrector *corrector, uint64_t address, bool prediction,
                       unsigned confidence, uint32_t path, struct corrector_lookup *lookup) {
    uint64_t shifted = address >> BRANCH_ADDRESS_SHIFT;
    const uint64_t histories[] = {
        [GLOBAL] = corrector->global,
        [PATH] = path,
        [LOCAL] = corrector->local[shifted % CORRECTOR_LOCAL],
    };
    lookup->before = prediction;
    lookup->confidence = confidence;
    lookup->bias_low = (uint8_t)(shifted << 2 | (confidence == 0) << 1 | prediction);
    lookup->bias_high =
        (uint8_t)((shifted ^ shifted >> 6) << 2 | (confidence == 3) << 1 | prediction);
    lookup->threshold_of = shifted % CORRECTOR_THRESHOLDS;
    lookup->threshold = corrector->threshold / 8 + corrector->threshold_of[lookup->threshold_of];
    lookup->sum = addend(corrector->bias_low[lookup->bias_low]) +
                  addend(corrector->bias_high[lookup->bias_high]);
    for (unsigned i = 0; i < CORRECTOR_TABLES; i++) {
        uint64_t history = histories[tables[i].history] & ((UINT64_C(1) << tables[i].bits) - 1);
        lookup->index[i] = hash(shifted << 1 | prediction, history);
        lookup->sum += addend(corrector->tables[i][lookup->index[i]]);
    }
}

bool corrector_choose(const struct corrector *corrector, const struct corrector_lookup *lookup) {
    bool prediction = lookup->sum >= 0;
    int size = abs(lookup->sum);
    if (prediction == lookup->before)
        return prediction;
    bool keep = false;
    if (lookup->confidence == 3 && size < lookup->threshold / 2)
        keep = size < lookup->threshold / 4 || corrector->trust_high >= 0;
    else if (lookup->confidence == 2 && size < lookup->threshold / 4)
        keep = corrector->trust_medium >= 0;
    return keep ? lookup->before : prediction;
}

/* Who was right where they differ and the sum is small. */
static void train_trust(struct corrector *corrector, const struct corrector_lookup *lookup,
                        bool taken) {
    int size = abs(lookup->sum);
    if ((lookup->sum >= 0) == lookup->before)
        return;
    if (lookup->confidence == 3 && size < lookup->threshold / 2 && size >= lookup->threshold / 4)
        counter_update(&corrector->trust_high, lookup->before == taken, TRUST_BITS);
    if (lookup->confidence == 2 && size < lookup->threshold / 4)
        counter_update(&corrector->trust_medium, lookup->before == taken, TRUST_BITS);
}

/* As O-GEHL does (Seznec, ISCA 2005): the threshold follows until sums that are wrong and sums that
 * are small, though right, balance. */
static void train_sum(struct corrector *corrector, const struct corrector_lookup *lookup,
                      bool taken) {
    bool wrong = (lookup->sum >= 0) != taken;
    if (!wrong && abs(lookup->sum) >= lookup->threshold)
        return;
    corrector->threshold +=
        wrong ? corrector->threshold < THRESHOLD_MOST : -(corrector->threshold > 0);
    counter_update(&corrector->threshold_of[lookup->threshold_of], wrong, THRESHOLD_OF_BITS);
    counter_update(&corrector->bias_low[lookup->bias_low], taken, ADDEND_BITS);
    counter_update(&corrector->bias_high[lookup->bias_high], taken, ADDEND_BITS);
    for (unsigned i = 0; i < CORRECTOR_TABLES; i++)
        counter_update(&corrector->tables[i][lookup->index[i]], taken, ADDEND_BITS);
}

void corrector_train(struct corrector *corrector, const struct corrector_lookup *lookup,
                     uint64_t address, bool taken) {
    train_trust(corrector, lookup, taken);
    train_sum(corrector, lookup, taken);
    uint16_t *local = local_history(corrector, address);
    *local = (uint16_t)(*local << 1 | taken);
    corrector->global = corrector->global << 1 | taken;
}
