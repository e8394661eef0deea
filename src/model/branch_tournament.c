/* Two predictors and one that chooses between them, as in the Alpha 21264 (Kessler,
 * IEEE Micro 1999) and in gem5's TournamentBP: a branch's own history selects a local
 * counter; the history of all branches, unconditional ones too, selects a global
 * counter and the one that chooses. All counters have two bits and start with "not
 * taken", or "local". The address takes no part in the global one's index; there are
 * log2(size) bits of global history, log2(local_size) of each local one. */
#include "model/branch.h"
#include "model/branch_counter.h"

struct tournament {
    uint64_t global_mask, local_mask;
    uint64_t history;
    uint8_t *global, *choice; /* choice: from 2 on, the global one's word counts */
    uint8_t *local;
    uint32_t *local_history;
};

static size_t tournament_size(const struct branch_parameters *parameters) {
    return sizeof(struct tournament) + parameters->local_size * (sizeof(uint32_t) + 1) +
           2 * parameters->size;
}

static void tournament_init(void *state, const struct branch_parameters *parameters) {
    struct tournament *tournament = state;
    tournament->global_mask = parameters->size - 1;
    tournament->local_mask = parameters->local_size - 1;
    tournament->local_history = (uint32_t *)(tournament + 1);
    tournament->local = (uint8_t *)(tournament->local_history + parameters->local_size);
    tournament->global = tournament->local + parameters->local_size;
    tournament->choice = tournament->global + parameters->size;
}

static bool tournament_predict(void *state, uint64_t address, bool taken) {
    struct tournament *tournament = state;
    uint32_t *local_history =
        &tournament->local_history[(address >> BRANCH_ADDRESS_SHIFT) & tournament->local_mask];
    uint8_t *local = &tournament->local[*local_history & tournament->local_mask];
    uint64_t index = tournament->history & tournament->global_mask;
    uint8_t *global = &tournament->global[index], *choice = &tournament->choice[index];

    bool local_says = two_bit_taken(*local), global_says = two_bit_taken(*global);
    bool prediction = two_bit_taken(*choice) ? global_says : local_says;

    if (local_says != global_says)
        two_bit_update(choice, global_says == taken);
    two_bit_update(global, taken);
    two_bit_update(local, taken);
    tournament->history = tournament->history << 1 | taken;
    *local_history = *local_history << 1 | taken;
    return prediction;
}

static void tournament_unconditional(void *state, uint64_t address, uint64_t target) {
    struct tournament *tournament = state;
    two_bit_update(&tournament->global[tournament->history & tournament->global_mask], true);
    tournament->history = tournament->history << 1 | 1;
}

static const char *tournament_check(const struct branch_parameters *parameters, const char **key) {
    *key = "branch.size";
    if (!is_power_of_two(parameters->size) || parameters->size > 1 << 24)
        return "bits of history select a counter: a power of two up to 16777216";
    *key = "branch.local_size";
    if (!is_power_of_two(parameters->local_size) || parameters->local_size > 1 << 24)
        return "bits of the address select a history: a power of two up to 16777216";
    return NULL;
}

const struct direction_predictor direction_tournament = {
    .name = "tournament",
    .size = tournament_size,
    .init = tournament_init,
    .predict = tournament_predict,
    .unconditional = tournament_unconditional,
    .check = tournament_check,
};
