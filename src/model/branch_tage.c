/* TAGE alone. What it is: branch_tage_core.h. */
#include "model/branch.h"
#include "model/branch_tage_core.h"

static size_t size(const struct branch_parameters *parameters) {
    return sizeof(struct tage_core) + tage_tables_size(parameters);
}

static void init(void *state, const struct branch_parameters *parameters) {
    struct tage_core *core = state;
    tage_init(core, parameters, core + 1);
}

static bool predict(void *state, uint64_t address, bool taken) {
    struct tage_lookup lookup;
    tage_look_up(state, address, &lookup);
    tage_train(state, &lookup, taken);
    tage_remember(state, address, taken);
    return lookup.prediction;
}

static void unconditional(void *state, uint64_t address, uint64_t target) {
    tage_remember(state, address, true);
}

const struct direction_predictor direction_tage = {
    .name = "tage",
    .size = size,
    .init = init,
    .predict = predict,
    .unconditional = unconditional,
    .check = tage_check,
};
