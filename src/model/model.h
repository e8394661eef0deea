/* The timing model: one machine of several cores, their caches and memory. It is fed what each core
 * executed, in execution order, and keeps each core's clock. It knows neither QEMU nor Linux and
 * does no I/O. Not thread-safe: one thread feeds it. Counters are cumulative from model_new(). */
#ifndef SLS_MODEL_MODEL_H
#define SLS_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/flush.h"
#include "model/parameters.h"
#include "model/stream.h"

struct model;

/* NULL when memory is out. The parameters must have passed parameters_check(); they are copied. */
struct model *model_new(const struct model_parameters *parameters);
void model_free(struct model *model);

/* Whether segments must come with decoded instructions (struct segment.code). */
bool model_decodes(const struct model *model);

/* A core executed these instructions. What the step points to is not kept, except segments, which
 * must stay what they are until model_forget_code(), and translations, which must stay valid until
 * model_translations_change() of that core. */
void model_run(struct model *model, unsigned core, const struct step *step);

/* All segments are about to go. */
void model_forget_code(struct model *model);

/* The core changed its address space or a translation. */
void model_translations_change(struct model *model, unsigned core);

/* Cycles of this core so far, in this mode. */
uint64_t model_cycles(const struct model *model, unsigned core, enum model_mode mode);

/* This core's misses so far, of both modes. */
enum model_misses {
    MODEL_MISSES_L1I,
    MODEL_MISSES_L1D,
    MODEL_MISSES_LLC, /* lines from memory */
    MODEL_MISPREDICTS,
    MODEL_MISSES
};
void model_misses(const struct model *model, unsigned core, uint64_t misses[MODEL_MISSES]);

/* Count apart what is spent in each region of code (struct segment.region: 1 + the index of its
 * name). Adds statistics: call it before they are listed. The names stay the caller's. False when
 * memory is out. */
bool model_set_regions(struct model *model, const char *const *names, unsigned count);

/* Only this core is measured: the others keep time as the parameters' core.others says. What they
 * do to shared caches and to each other's lines is the same, but for what a pipeline fetches in
 * vain and what prefetchers of branches fetch. Before the first step. */
void model_measure(struct model *model, unsigned core);

/* From now on the cores' footprints, the lines of code and of data that each touches, are counted
 * anew; until the end. */
void model_begin_footprint(struct model *model);
void model_end_footprint(struct model *model);

/* These parts (flush.h), those of them that there are, forget what they have cached or learnt. It
 * takes no time, and counters stay. Dirty lines are dropped: only tags are modelled, so it is as if
 * memory had got them. What an inclusive cache forgets, the caches above it forget, too. */
void model_flush(struct model *model, unsigned parts);

/* A statistic: gem5's full name where gem5 has one,
 * unit as gem5 writes it (Count, Cycle, …), one sentence. */
struct model_statistic {
    const char *name, *unit, *description;
};

size_t model_statistic_count(const struct model *model);
/* Owned by the model. index < model_statistic_count(). */
const struct model_statistic *model_statistic(const struct model *model, size_t index);
/* All values, in the order of the index. */
void model_read_statistics(struct model *model, uint64_t *values);

#endif
