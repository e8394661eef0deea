/* TAGE-SC-L: L-TAGE, and a statistical corrector that has the last word (Seznec, CBP-5 2016). Its
 * TAGE is L-TAGE's, not the one of gem5's TAGE_SC_L_64KB, whose tables share their entries by
 * banks; its loop predictor counts iterations when it predicts them, unlike the one of ltage. */
#include "model/branch.h"
#include "model/branch_corrector.h"
#include "model/branch_loop.h"
#include "model/branch_tage_core.h"

struct tage_sc_l {
    struct tage_core tage;
    struct loop_predictor loops;
    struct corrector corrector;
};

static size_t size(const struct branch_parameters *parameters) {
    return sizeof(struct tage_sc_l) + tage_tables_size(parameters);
}

static void init(void *state, const struct branch_parameters *parameters) {
    struct tage_sc_l *predictor = state;
    tage_init(&predictor->tage, parameters, predictor + 1);
    loop_init(&predictor->loops);
    corrector_init(&predictor->corrector);
}

static bool predict(void *state, uint64_t address, bool taken) {
    struct tage_sc_l *predictor = state;
    struct tage_core *core = &predictor->tage;
    struct tage_lookup tage;
    struct loop_lookup loop;
    struct corrector_lookup sum;
    tage_look_up(core, address, &tage);
    loop_look_up(&predictor->loops, address, &loop);
    bool prediction = loop_choose(&predictor->loops, &loop, tage.prediction);
    corrector_look_up(&predictor->corrector, address, prediction, tage.confidence, core->path,
                      &sum);
    prediction = corrector_choose(&predictor->corrector, &sum);

    corrector_train(&predictor->corrector, &sum, address, taken);
    loop_train(&predictor->loops, &loop, taken, tage.prediction, prediction);
    tage_train(core, &tage, taken);
    tage_remember(core, address, taken);
    return prediction;
}

static void unconditional(void *state, uint64_t address, uint64_t target) {
    struct tage_sc_l *predictor = state;
    tage_remember(&predictor->tage, address, true);
}

const struct direction_predictor direction_tage_sc_l = {
    .name = "tage_sc_l",
    .size = size,
    .init = init,
    .predict = predict,
    .unconditional = unconditional,
    .check = tage_check,
};
