/* Memory that answers after a fixed time, however much is asked of it; writes are taken at once. As
 * gem5's SimpleMemory with unlimited bandwidth. */
#include "model/dram.h"

struct fixed {
    uint64_t latency; /* cycles */
};

static size_t size(const struct model_parameters *parameters) {
    return sizeof(struct fixed);
}

static void init(void *state, const struct model_parameters *parameters) {
    struct fixed *fixed = state;
    fixed->latency = cycles_of_picoseconds(parameters->memory.latency, parameters->clock);
}

static uint64_t access(void *state, uint64_t address, bool write, uint64_t now,
                       struct dram_counts *counts) {
    const struct fixed *fixed = state;
    return write ? now : now + fixed->latency;
}

const struct dram_model dram_fixed = {
    .name = "fixed",
    .size = size,
    .init = init,
    .access = access,
};
