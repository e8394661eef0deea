#include "model/model.h"

#include <stdlib.h>

#include "model/state.h"

struct model *model_new(const struct model_parameters *parameters) {
    struct model *model = calloc(1, sizeof *model);
    if (!model)
        return NULL;
    model->parameters = *parameters;
    model->cores = calloc(parameters->cores, sizeof *model->cores);
    core_timing_init(&model->timing, parameters);
    if (!hierarchy_init(&model->hierarchy, parameters) || !model->cores ||
        !statistics_init(model)) {
        model_free(model);
        return NULL;
    }
    return model;
}

void model_free(struct model *model) {
    if (!model)
        return;
    statistics_free(model);
    hierarchy_free(&model->hierarchy);
    free(model->cores);
    free(model);
}

void model_flush(struct model *model) {
    hierarchy_flush(&model->hierarchy);
}

void model_retire(struct model *model, unsigned core, enum model_mode mode, unsigned instructions,
                  unsigned fetches) {
    struct core_counts *counts = &model->cores[core].counts[mode];
    counts->instructions += instructions;
    counts->accesses[FETCH] += fetches;
}

void model_fetch(struct model *model, unsigned core, enum model_mode mode,
                 uint64_t physical_address) {
    if (cache_first(&model->hierarchy.l1[core][INSTRUCTION], physical_address))
        return;
    enum supplier supplier = hierarchy_fetch(&model->hierarchy, core, physical_address);
    model->cores[core].counts[mode].supplied[FETCH][supplier]++;
}

/* One line of an access, in full. Returns who supplied it. */
static enum supplier access_line(struct model *model, unsigned core, enum model_mode mode,
                                 uint64_t address, bool store) {
    struct core_counts *counts = &model->cores[core].counts[mode];
    enum access access = store ? STORE : LOAD;
    enum supplier supplier = store ? hierarchy_store(&model->hierarchy, core, address)
                                   : hierarchy_load(&model->hierarchy, core, address);
    counts->accesses[access]++;
    counts->supplied[access][supplier]++;
    return supplier;
}

/* An access across lines: all are under way together and the last one ends it. The L1D takes one
 * request and gives one answer a cycle, so lines from the same place come a cycle apart (gem5:
 * DcachePort::recvTimingResp). */
static void access_lines(struct model *model, unsigned core, enum model_mode mode, uint64_t address,
                         uint64_t end, bool store) {
    const uint64_t *latency = model->timing.latency[store ? STORE : LOAD];
    uint64_t line_size = model->parameters.line_size, total = 0, last = 0;
    for (uint64_t line = address; line < end; line = (line | (line_size - 1)) + 1) {
        uint64_t cycles = latency[access_line(model, core, mode, line, store)];
        total += cycles;
        last = cycles == last ? last + 1 : cycles > last ? cycles : last;
    }
    model->cores[core].counts[mode].overlapped += total - last;
}

/* The slow path stands apart so that the fast one needs no stack frame. */
__attribute__((noinline)) static void access_slowly(struct model *model, unsigned core,
                                                    enum model_mode mode, uint64_t address,
                                                    unsigned size, bool store) {
    uint64_t line_mask = model->parameters.line_size - 1;
    if ((address & line_mask) + size > line_mask + 1)
        access_lines(model, core, mode, address, address + size, store);
    else
        access_line(model, core, mode, address, store);
}

void model_access(struct model *model, unsigned core, enum model_mode mode,
                  uint64_t physical_address, unsigned size, bool store) {
    uint64_t line_mask = model->parameters.line_size - 1;
    bool one_line = (physical_address & line_mask) + size <= line_mask + 1;
    if (one_line && hierarchy_access_first(&model->hierarchy, core, physical_address, store))
        model->cores[core].counts[mode].accesses[store ? STORE : LOAD]++;
    else
        access_slowly(model, core, mode, physical_address, size, store);
}

void model_access_uncached(struct model *model, unsigned core, enum model_mode mode, bool store) {
    (void)store; /* gem5's loads and stores wait alike */
    model->cores[core].counts[mode].uncached++;
}
