/* gem5's checkpoints: as engine/checkpoint.h, taken and restored by gem5. A folder of the cache,
 * named by the digest of all that it depends on: `state` (gem5's own folder), `channel` and
 * `console.log` (what the guest had said). */
#ifndef SLS_ENGINE_GEM5_CHECKPOINT_H
#define SLS_ENGINE_GEM5_CHECKPOINT_H

#include <jansson.h>

#include "common/error.h"
#include "common/hash.h"
#include "engine/gem5.h"
#include "image/function.h"
#include "image/image.h"
#include "model/parameters.h"

#define GEM5_CHECKPOINTS "gem5-checkpoints" /* the folder of the cache */

struct gem5_checkpoint_inputs {
    const struct gem5 *gem5;
    const struct image *image;
    const struct function *function;
    const struct model_parameters *system; /* its cores, clock and memory */
    const char *script;
    double timeout_seconds; /* for making it; not part of its name */
};

struct gem5_checkpoint {
    char key[HASH_HEX];
    char *state, *channel, *console;
};

/* Find it, or boot, start the function, warm it up and save it. */
int gem5_checkpoint_prepare(const struct gem5_checkpoint_inputs *inputs,
                            struct gem5_checkpoint *checkpoint, struct error *err);
void gem5_checkpoint_free(struct gem5_checkpoint *checkpoint);

/* All of them, as checkpoint_list() has its own, none of them ever damaged. */
json_t *gem5_checkpoint_list(void);

#endif
