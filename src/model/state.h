/* What a struct model is made of; for the files of this folder. */
#ifndef SLS_MODEL_STATE_H
#define SLS_MODEL_STATE_H

#include "model/core_blocking.h"
#include "model/model.h"

struct model {
    struct model_parameters parameters;
    struct hierarchy hierarchy;
    struct core_timing timing;
    struct core *cores;
    struct model_statistic *statistics;
    size_t statistic_count;
};

/* Make and free the list of statistics. False when memory is out. */
bool statistics_init(struct model *model);
void statistics_free(struct model *model);

#endif
