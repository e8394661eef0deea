#include "model/dram.h"

#include <stdlib.h>
#include <string.h>

/* The table of memory models: a line each. */
/* clang-format off */
#define MODELS(model)                                                                              \
    model(fixed)                                                                                   \
    model(ddr4)
/* clang-format on */

#define DECLARATION(model) extern const struct dram_model dram_##model;
#define NAME(model) #model,
#define MODEL(model) &dram_##model,
MODELS(DECLARATION)
const char *const dram_names[] = {MODELS(NAME) NULL};
static const struct dram_model *const models[] = {MODELS(MODEL) NULL};

const struct dram_model *dram_find(const char *name) {
    for (const struct dram_model *const *model = models; *model; model++)
        if (strcmp((*model)->name, name) == 0)
            return *model;
    return NULL;
}

bool dram_init(struct dram *dram, const struct model_parameters *parameters) {
    const struct dram_model *model = dram_find(parameters->memory.model);
    *dram = (struct dram){
        .model = model,
        .state = calloc(1, model->size(parameters)),
        .offsets = calloc(parameters->cores, sizeof *dram->offsets),
    };
    if (!dram->state || !dram->offsets)
        return false;
    model->init(dram->state, parameters);
    return true;
}

void dram_free(struct dram *dram) {
    free(dram->state);
    free(dram->offsets);
    *dram = (struct dram){0};
}

uint64_t dram_access(struct dram *dram, unsigned core, uint64_t address, bool write, uint64_t now) {
    if (core != dram->core) {
        dram->core = core;
        dram->offsets[core] = dram->latest > now ? dram->latest - now : 0;
    }
    uint64_t offset = dram->offsets[core], machine = now + offset;
    if (machine > dram->latest)
        dram->latest = machine;
    if (write)
        dram->counts.writes++;
    else
        dram->counts.reads++;
    return dram->model->access(dram->state, address, write, machine, &dram->counts) - offset;
}

uint64_t cycles_of_picoseconds(uint64_t picoseconds, uint64_t hertz) {
    return (uint64_t)(((unsigned __int128)picoseconds * hertz + 999999999999) / 1000000000000);
}
