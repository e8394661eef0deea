#include "model/model.h"

#include <stdlib.h>
#include <string.h>

#include "model/inlining.h"
#include "model/state.h"

static void set_core_model(struct core *core, const struct core_model *model) {
    core->model = model;
    core->front->marks = model->waits ? 0 : LINE_ARRIVING;
}

static bool core_init(struct core *core, struct model *model, unsigned number) {
    const struct model_parameters *p = &model->parameters;
    bool ideal = false;
    *core = (struct core){
        .parameters = p,
        .number = number,
        .line_mask = p->line_size - 1,
        .hierarchy = model->hierarchy,
        .front = &model->hierarchy->front[number],
        .mmu = mmu_new(p, number, model->hierarchy, &ideal),
        .branch = model->core->decodes ? branch_unit_new(&p->branch) : NULL,
        /* at least a byte: NULL would mean that memory is out */
        .state = calloc(1, model->core->size(p) + 1),
    };
    set_core_model(core, model->core);
    if (!core->state || (!core->mmu && !ideal) || (!core->branch && model->core->decodes))
        return false;
    model->core->init(core);
    return true;
}

struct model *model_new(const struct model_parameters *parameters) {
    struct model *model = calloc(1, sizeof *model);
    if (!model)
        return NULL;
    model->parameters = *parameters;
    model->core = core_find(parameters->core.model);
    model->hierarchy = hierarchy_new(parameters);
    model->cores = calloc(parameters->cores, sizeof *model->cores);
    model->footprints = calloc(parameters->cores, sizeof *model->footprints);
    bool whole = model->hierarchy && model->cores && model->footprints;
    for (unsigned i = 0; whole && i < parameters->cores; i++)
        whole = core_init(&model->cores[i], model, i) &&
                footprint_init(&model->footprints[i], parameters->line_size, i,
                               (unsigned)parameters->cores);
    if (!whole || !statistics_declare(model, NULL)) {
        model_free(model);
        return NULL;
    }
    return model;
}

void model_free(struct model *model) {
    if (!model)
        return;
    statistics_free(model);
    for (unsigned i = 0; model->cores && i < model->parameters.cores; i++) {
        mmu_free(model->cores[i].mmu);
        branch_unit_free(model->cores[i].branch);
        free(model->cores[i].state);
    }
    for (unsigned i = 0; model->footprints && i < model->parameters.cores; i++)
        footprint_free(&model->footprints[i]);
    free(model->footprints);
    hierarchy_free(model->hierarchy);
    free(model->cores);
    free(model->regions);
    free(model->begun);
    free(model);
}

void model_measure(struct model *model, unsigned core) {
    if (!model->core->decodes || strcmp(model->parameters.core.others, "same") == 0)
        return;
    for (unsigned i = 0; i < model->parameters.cores; i++)
        if (i != core) {
            set_core_model(&model->cores[i], core_find("blocking"));
            branch_unit_free(model->cores[i].branch);
            model->cores[i].branch = NULL;
        }
}

void model_begin_footprint(struct model *model) {
    for (unsigned i = 0; i < model->parameters.cores; i++) {
        footprint_begin(&model->footprints[i]);
        hierarchy_set_footprint(model->hierarchy, i, &model->footprints[i]);
    }
}

void model_end_footprint(struct model *model) {
    for (unsigned i = 0; i < model->parameters.cores; i++)
        hierarchy_set_footprint(model->hierarchy, i, NULL);
}

void model_flush(struct model *model, unsigned parts) {
    const struct model_parameters *parameters = &model->parameters;
    hierarchy_flush(model->hierarchy, parts, parameters);
    for (unsigned i = 0; i < parameters->cores; i++) {
        if (parts & FLUSH_TLB && model->cores[i].mmu)
            mmu_flush(model->cores[i].mmu, true);
        if (parts & FLUSH_BP && model->cores[i].branch)
            branch_unit_flush(model->cores[i].branch, &parameters->branch);
    }
}

bool model_decodes(const struct model *model) {
    return model->core->decodes;
}

static uint64_t all_cycles(const struct core *core) {
    return core->counts[MODEL_USER].cycles + core->counts[MODEL_KERNEL].cycles;
}

void model_misses(const struct model *model, unsigned core, uint64_t misses[MODEL_MISSES]) {
    const struct core *c = &model->cores[core];
    const struct access_counts *counts = model->hierarchy->front[core].counts;
    for (unsigned i = 0; i < MODEL_MISSES; i++)
        misses[i] = 0;
    for (unsigned mode = 0; mode < MODEL_MODES; mode++) {
        misses[MODEL_MISSES_L1I] += access_misses(&counts[mode], FETCH);
        misses[MODEL_MISSES_L1D] += data_misses(&counts[mode]);
        misses[MODEL_MISSES_LLC] += memory_fills(&counts[mode]);
        misses[MODEL_MISPREDICTS] += c->counts[mode].mispredicts;
    }
}

/* What the core has done since it came into its region is put down to that. */
static void settle_region(struct model *model, const struct core *core) {
    struct region_counts *region = region_of(model, core->number, core->region);
    struct region_counts *begun = &model->begun[core->number];
    struct region_counts now = {
        .cycles = all_cycles(core),
        .instructions =
            core->counts[MODEL_USER].instructions + core->counts[MODEL_KERNEL].instructions,
    };
    model_misses(model, core->number, now.misses);
    region->cycles += now.cycles - begun->cycles;
    region->instructions += now.instructions - begun->instructions;
    for (unsigned i = 0; i < MODEL_MISSES; i++)
        region->misses[i] += now.misses[i] - begun->misses[i];
    *begun = now;
}

void regions_settle(struct model *model) {
    for (unsigned core = 0; model->region_count && core < model->parameters.cores; core++)
        settle_region(model, &model->cores[core]);
}

NOT_INLINE static void change_region(struct model *model, struct core *core, uint32_t region) {
    if (model->region_count)
        settle_region(model, core);
    core->region = region;
}

void model_run(struct model *model, unsigned core, const struct step *step) {
    struct core *one = &model->cores[core];
    struct footprint *footprint = one->front->footprint;
    if (one->region != step->segment->region)
        change_region(model, one, step->segment->region);
    if (footprint)
        footprint_use_code(footprint, step);
    one->model->run(one, step);
}

void model_forget_code(struct model *model) {
    for (unsigned i = 0; i < model->parameters.cores; i++)
        if (model->cores[i].model->forget)
            model->cores[i].model->forget(&model->cores[i]);
}

bool model_set_regions(struct model *model, const char *const *names, unsigned count) {
    free(model->regions);
    free(model->begun);
    model->regions = calloc(model->parameters.cores * (count + 1), sizeof *model->regions);
    model->begun = calloc(model->parameters.cores, sizeof *model->begun);
    model->region_count = model->regions && model->begun ? count : 0;
    for (unsigned i = 0; i < model->parameters.cores; i++)
        model->cores[i].region = 0;
    statistics_free(model);
    return model->regions && model->begun && statistics_declare(model, names);
}

void model_translations_change(struct model *model, unsigned core) {
    struct core *one = &model->cores[core];
    if (one->mmu)
        mmu_flush(one->mmu, false);
    if (one->model->translations_change)
        one->model->translations_change(one);
}

uint64_t model_cycles(const struct model *model, unsigned core, enum model_mode mode) {
    return model->cores[core].counts[mode].cycles;
}
