/* A two-bit counter an address (Smith, ISCA 1981; gem5's LocalBP): what the branch mostly did
 * lately. It starts with "not taken", and knows no history. */
#include "model/branch.h"
#include "model/branch_counter.h"

struct bimodal {
    uint64_t mask;
    uint8_t counters[];
};

static size_t bimodal_size(const struct branch_parameters *parameters) {
    return sizeof(struct bimodal) + parameters->size;
}

static void bimodal_init(void *state, const struct branch_parameters *parameters) {
    ((struct bimodal *)state)->mask = parameters->size - 1;
}

static bool bimodal_predict(void *state, uint64_t address, bool taken) {
    struct bimodal *bimodal = state;
    uint8_t *counter = &bimodal->counters[(address >> BRANCH_ADDRESS_SHIFT) & bimodal->mask];
    bool prediction = two_bit_taken(*counter);
    two_bit_update(counter, taken);
    return prediction;
}

static const char *bimodal_check(const struct branch_parameters *parameters, const char **key) {
    *key = "branch.size";
    if (!is_power_of_two(parameters->size) || parameters->size > 1 << 24)
        return "bits of the address select a counter: a power of two up to 16777216";
    return NULL;
}

const struct direction_predictor direction_bimodal = {
    .name = "bimodal",
    .size = bimodal_size,
    .init = bimodal_init,
    .predict = bimodal_predict,
    .check = bimodal_check,
};
