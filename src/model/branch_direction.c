#include "model/branch.h"

#include <string.h>

/* The table of direction predictors: a line each. */
/* clang-format off */
#define PREDICTORS(predictor)                                                                      \
    predictor(none)                                                                                \
    predictor(bimodal)                                                                             \
    predictor(gshare)                                                                              \
    predictor(tournament)                                                                          \
    predictor(tage)                                                                                \
    predictor(ltage)                                                                               \
    predictor(tage_sc_l)
/* clang-format on */

/* No prediction at all, of targets neither: fetch goes on behind every branch. */
const struct direction_predictor direction_none = {.name = "none"};

#define DECLARATION(predictor) extern const struct direction_predictor direction_##predictor;
#define NAME(predictor) #predictor,
#define PREDICTOR(predictor) &direction_##predictor,
PREDICTORS(DECLARATION)
const char *const direction_names[] = {PREDICTORS(NAME) NULL};
static const struct direction_predictor *const predictors[] = {PREDICTORS(PREDICTOR) NULL};

const struct direction_predictor *direction_find(const char *name) {
    for (const struct direction_predictor *const *predictor = predictors; *predictor; predictor++)
        if (strcmp((*predictor)->name, name) == 0)
            return *predictor;
    return NULL;
}
