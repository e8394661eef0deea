/* Two-bit counters, indexed with the branch's address exclusive-or the directions of the last
 * conditional branches (McFarling, WRL TN-36, 1993). The history is aligned to the upper bits of
 * the index, where addresses differ least. */
#include "model/branch.h"
#include "model/branch_counter.h"

struct gshare {
    uint64_t mask;
    uint64_t history, history_mask;
    unsigned history_shift;
    uint8_t counters[];
};

static size_t gshare_size(const struct branch_parameters *parameters) {
    return sizeof(struct gshare) + parameters->size;
}

static void gshare_init(void *state, const struct branch_parameters *parameters) {
    struct gshare *gshare = state;
    gshare->mask = parameters->size - 1;
    gshare->history_mask = (UINT64_C(1) << parameters->history) - 1;
    gshare->history_shift = log2_of(parameters->size) - (unsigned)parameters->history;
}

static bool gshare_predict(void *state, uint64_t address, bool taken) {
    struct gshare *gshare = state;
    uint64_t hash = (address >> BRANCH_ADDRESS_SHIFT) ^ gshare->history << gshare->history_shift;
    uint8_t *counter = &gshare->counters[hash & gshare->mask];
    bool prediction = two_bit_taken(*counter);
    two_bit_update(counter, taken);
    gshare->history = (gshare->history << 1 | taken) & gshare->history_mask;
    return prediction;
}

static const char *gshare_check(const struct branch_parameters *parameters, const char **key) {
    *key = "branch.size";
    if (!is_power_of_two(parameters->size) || parameters->size > 1 << 24)
        return "bits of the address and of history select a counter: a power of two up to 16777216";
    *key = "branch.history";
    if (parameters->history > log2_of(parameters->size))
        return "longer than the index of its table: at most the binary logarithm of branch.size";
    return NULL;
}

const struct direction_predictor direction_gshare = {
    .name = "gshare",
    .size = gshare_size,
    .init = gshare_init,
    .predict = gshare_predict,
    .check = gshare_check,
};
