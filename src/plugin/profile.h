/* Where one core's time goes, by segment: adds up what the model did while work is measured, that
 * is between the marks work-begin and work-end, or reset and dump (common/mark.h). */
#ifndef SLS_PLUGIN_PROFILE_H
#define SLS_PLUGIN_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "model/model.h"

struct profile;

/* The profile of this core goes to the file at the mark that ends the `marks`-th piece of work.
 * The path is kept. NULL when memory is out. */
struct profile *profile_new(const char *path, unsigned core, unsigned marks);
void profile_free(struct profile *profile);

/* One mark, after the model was sampled. Writes the file when it is time:
 *
 *     # slsuite profile 1
 *     MODE ADDRESS INSTRUCTIONS CYCLES L1I L1D LLC MISPREDICTS
 *
 * a line for each segment that took part, apart by tabs, sorted: "user" or "kernel", hexadecimal
 * virtual address of the first instruction, counts. */
int profile_mark(struct profile *profile, uint16_t operation, struct error *err);

/* Whether steps of this core are to go through profile_run() now. */
bool profile_measures(const struct profile *profile, unsigned core);

/* model_run(), and put what it did under the step's segment. */
void profile_run(struct profile *profile, struct model *model, unsigned core,
                 const struct step *step);

#endif
