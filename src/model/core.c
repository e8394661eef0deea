#include "model/core.h"

#include <string.h>

/* The table of core models: a line each. */
#define MODELS(model) model(blocking) model(inorder) model(ooo)

#define DECLARATION(model) extern const struct core_model core_##model;
#define NAME(model) #model,
#define MODEL(model) &core_##model,
MODELS(DECLARATION)
const char *const core_names[] = {MODELS(NAME) NULL};
static const struct core_model *const models[] = {MODELS(MODEL) NULL};

const struct core_model *core_find(const char *name) {
    for (const struct core_model *const *model = models; *model; model++)
        if (strcmp((*model)->name, name) == 0)
            return *model;
    return NULL;
}
