/* What recipes/gem5/run.py is told: job.json. */
#ifndef SLS_ENGINE_GEM5_JOB_H
#define SLS_ENGINE_GEM5_JOB_H

#include <jansson.h>

#include "image/function.h"
#include "image/image.h"
#include "model/parameters.h"

/* Every parameter of the system, under its key, in base units. The caller's. */
json_t *gem5_system(const struct model_parameters *system);

/* A job that neither boots nor restores yet. The caller's. */
json_t *gem5_job(const struct model_parameters *system, const struct image *image,
                 const struct function *function, const char *readfile, const char *checkpoint);

/* The kernel's command line in gem5. The caller frees it. */
char *gem5_kernel_arguments(const struct model_parameters *system);

#endif
