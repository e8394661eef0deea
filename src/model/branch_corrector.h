/* A statistical corrector (Seznec, TAGE-SC-L, CBP-5 2016): the branches that history tells little
 * of and that are merely biased, TAGE predicts worse than a sum of counters does. The sum is taken
 * over tables by address and short histories; TAGE's own prediction is one of the addends.
 *
 * Left out of Seznec's: the histories of backward branches and of the innermost loop's iteration
 * (IMLI), since a direction predictor is not told where a conditional branch leads; the second and
 * third set of local histories; the weights of the sum's parts. */
#ifndef SLS_MODEL_BRANCH_CORRECTOR_H
#define SLS_MODEL_BRANCH_CORRECTOR_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CORRECTOR_TABLES = 9,
    CORRECTOR_ENTRIES = 1024, /* of each table */
    CORRECTOR_BIASES = 256,   /* of each of the two */
    CORRECTOR_LOCAL = 256,    /* local histories */
    CORRECTOR_THRESHOLDS = 64,
};

struct corrector {
    int8_t tables[CORRECTOR_TABLES][CORRECTOR_ENTRIES]; /* 6 bits, as all addends */
    int8_t bias_low[CORRECTOR_BIASES], bias_high[CORRECTOR_BIASES];
    uint64_t global;                 /* directions of conditional branches */
    uint16_t local[CORRECTOR_LOCAL]; /* the same of those at one address */
    int threshold;                   /* eighths; of the sum, below which it keeps learning */
    int8_t threshold_of[CORRECTOR_THRESHOLDS];
    int8_t trust_medium,
        trust_high; /* 7 bits, at least 0: rather TAGE, which is surer than the sum */
};

struct corrector_lookup {
    uint16_t index[CORRECTOR_TABLES];
    uint8_t bias_low, bias_high;
    uint8_t threshold_of;
    bool before; /* what was predicted without it */
    unsigned confidence;
    int sum; /* at least 0: taken */
    int threshold;
};

void corrector_init(struct corrector *corrector);
/* The prediction so far, how sure TAGE is of it (0 to 3), and the path. */
void corrector_look_up(const struct corrector *corrector, uint64_t address, bool prediction,
                       unsigned confidence, uint32_t path, struct corrector_lookup *lookup);
bool corrector_choose(const struct corrector *corrector, const struct corrector_lookup *lookup);
/* Learn that the branch looked up was `taken`; it enters the histories. */
void corrector_train(struct corrector *corrector, const struct corrector_lookup *lookup,
                     uint64_t address, bool taken);

#endif
