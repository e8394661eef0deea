/* L-TAGE: TAGE, and a loop predictor that overrules it once it has been right more often. */
#include "model/branch.h"
#include "model/branch_loop.h"
#include "model/branch_tage_core.h"

struct ltage {
    struct tage_core tage;
    struct loop_predictor loops;
};

static size_t size(const struct branch_parameters *parameters) {
    return sizeof(struct ltage) + tage_tables_size(parameters);
}

static void init(void *state, const struct branch_parameters *parameters) {
    struct ltage *ltage = state;
    tage_init(&ltage->tage, parameters, ltage + 1);
    loop_init(&ltage->loops);
}

static bool predict(void *state, uint64_t address, bool taken) {
    struct ltage *ltage = state;
    struct tage_lookup tage;
    struct loop_lookup loop;
    tage_look_up(&ltage->tage, address, &tage);
    loop_look_up(&ltage->loops, address, &loop);
    bool prediction = loop_choose(&ltage->loops, &loop, tage.prediction);
    loop_train(&ltage->loops, &loop, address, taken, tage.prediction);
    tage_train(&ltage->tage, &tage, taken);
    tage_remember(&ltage->tage, address, taken);
    return prediction;
}

static void unconditional(void *state, uint64_t address, uint64_t target) {
    tage_remember(state, address, true);
}

const struct direction_predictor direction_ltage = {
    .name = "ltage",
    .size = size,
    .init = init,
    .predict = predict,
    .unconditional = unconditional,
    .check = tage_check,
};
