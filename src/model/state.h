/* What a struct model is made of; for model.c and statistics.c. */
#ifndef SLS_MODEL_STATE_H
#define SLS_MODEL_STATE_H

#include "model/core.h"
#include "model/footprint.h"
#include "model/model.h"

struct region_counts {
    uint64_t cycles, instructions, misses[MODEL_MISSES];
};

struct model {
    struct model_parameters parameters;
    const struct core_model *core;
    struct hierarchy *hierarchy;
    struct core *cores;
    struct region_counts *regions; /* per core: 0 is nobody's code, then the regions */
    struct region_counts *begun;   /* per core: what it had done when it came to the region where it
                                      is; settled when it leaves, so that staying costs nothing */
    unsigned region_count;
    struct footprint *footprints; /* per core */
    struct model_statistic *statistics;
    size_t statistic_count;
};

static inline struct region_counts *region_of(const struct model *model, unsigned core,
                                              unsigned region) {
    return &model->regions[core * (model->region_count + 1) + region];
}

/* Make and free the list of statistics. False when memory is out. */
bool statistics_declare(struct model *model, const char *const *region_names);
void statistics_free(struct model *model);

/* Bring the regions' counts up to date. */
void regions_settle(struct model *model);

#endif
