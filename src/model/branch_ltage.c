/* L-TAGE: TAGE, and a loop predictor that overrules it once it has been right where TAGE was not.
 *
 * As in gem5's LTAGE, the loop predictor knows of the iterations that have committed, not of those
 * in flight (LoopPredictor.useSpeculation is false): of a loop without another conditional branch
 * in it, it foretells a later end. Which branches are in flight only a core knows. Here it is
 * always the last conditional one and no other; after a misprediction, none. */
#include "model/branch.h"
#include "model/branch_loop.h"
#include "model/branch_tage_core.h"

/* A branch that has been predicted and not yet committed. */
struct in_flight {
    bool present;
    struct loop_lookup loop;
    bool taken, tage_prediction, final_prediction;
};

struct ltage {
    struct tage_core tage;
    struct loop_predictor loops;
    struct in_flight last;
};

static size_t size(const struct branch_parameters *parameters) {
    return sizeof(struct ltage) + tage_tables_size(parameters);
}

static void init(void *state, const struct branch_parameters *parameters) {
    struct ltage *ltage = state;
    tage_init(&ltage->tage, parameters, ltage + 1);
    loop_init(&ltage->loops);
}

static void commit(struct ltage *ltage) {
    struct in_flight *last = &ltage->last;
    if (last->present)
        loop_train(&ltage->loops, &last->loop, last->taken, last->tage_prediction,
                   last->final_prediction);
    last->present = false;
}

static bool predict(void *state, uint64_t address, bool taken) {
    struct ltage *ltage = state;
    struct tage_lookup tage;
    struct loop_lookup loop;
    tage_look_up(&ltage->tage, address, &tage);
    loop_look_up(&ltage->loops, address, &loop);
    bool prediction = loop_choose(&ltage->loops, &loop, tage.prediction);

    commit(ltage);
    ltage->last = (struct in_flight){true, loop, taken, tage.prediction, prediction};
    if (prediction != taken)
        commit(ltage);
    tage_train(&ltage->tage, &tage, taken);
    tage_remember(&ltage->tage, address, taken);
    return prediction;
}

static void unconditional(void *state, uint64_t address, uint64_t target) {
    struct ltage *ltage = state;
    tage_remember(&ltage->tage, address, true);
}

const struct direction_predictor direction_ltage = {
    .name = "ltage",
    .size = size,
    .init = init,
    .predict = predict,
    .unconditional = unconditional,
    .check = tage_check,
};
