/* Loops that always end after the same number of iterations (Seznec, L-TAGE, CBP-2 2007; gem5's
 * LoopPredictor as LTAGE uses it). Its training counts an iteration: whoever trains at once has a
 * predictor that counts when it predicts (and repairs the count after a misprediction). */
#ifndef SLS_MODEL_BRANCH_LOOP_H
#define SLS_MODEL_BRANCH_LOOP_H

#include <stdbool.h>
#include <stdint.h>

enum { LOOP_SETS = 64, LOOP_WAYS = 4 }; /* LoopPredictor.logSizeLoopPred, .logLoopTableAssoc */

struct loop_entry {
    uint16_t tag;
    uint16_t iterations; /* times taken, and the one that is not; 0: not known */
    uint16_t current;
    uint8_t confidence; /* loops that ended after so many iterations */
    uint8_t age;        /* may be replaced at 0 */
};

struct loop_predictor {
    struct loop_entry entries[LOOP_SETS][LOOP_WAYS];
    int8_t trust; /* 7 bits, at least 0: it is right where others are not */
    uint32_t random;
};

struct loop_lookup {
    uint64_t address;
    struct loop_entry *entry; /* NULL: none */
    bool confident;           /* the prediction is worth something */
    bool prediction;
};

void loop_init(struct loop_predictor *loops);
void loop_look_up(struct loop_predictor *loops, uint64_t address, struct loop_lookup *lookup);
/* The better one of the loop's prediction and this one. */
bool loop_choose(const struct loop_predictor *loops, const struct loop_lookup *lookup,
                 bool prediction);
/* Learn that the branch looked up was `taken`, and what else was predicted: by TAGE, and in the
 * end. As published, trust changes only where the loop's prediction did not become the final one:
 * once it is trusted, it stays so. */
void loop_train(struct loop_predictor *loops, const struct loop_lookup *lookup, bool taken,
                bool tage_prediction, bool final_prediction);

#endif
