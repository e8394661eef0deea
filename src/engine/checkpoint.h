/* Checkpoints: the frozen guest, its function started and warmed up, its client about to send. A
 * folder of the cache, named by the digest of all that it depends on: `ram` (sparse, mapped
 * copy-on-write by every run), `state` (the devices), `console.log`, `checkpoint.json`. Checked at
 * every use; a damaged one is made again. */
#ifndef SLS_ENGINE_CHECKPOINT_H
#define SLS_ENGINE_CHECKPOINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/hash.h"
#include "image/function.h"
#include "image/image.h"

/* All that a checkpoint depends on. */
struct checkpoint_inputs {
    const struct image *image;
    const struct function *function;
    unsigned cores, warm_ups;
    uint64_t memory_bytes;
    const char *qemu_version;
    double timeout_seconds; /* for making it; not part of its name */
};

struct checkpoint {
    char key[HASH_HEX];
    char *folder, *ram, *state, *console;
    char checksum[HASH_HEX]; /* of the RAM and the device state together: equal when made again */
    bool made;               /* just now */
};

/* Find it and check it, or make it. */
int checkpoint_prepare(const struct checkpoint_inputs *inputs, struct checkpoint *checkpoint,
                       struct error *err);
void checkpoint_free(struct checkpoint *checkpoint);

/* All checkpoints: an array of objects {name, function, created, used, bytes, damaged}. Owned by
 * the caller. Checks each one's sums when `check` (slow: reads them all). */
json_t *checkpoint_list(bool check);

int checkpoint_remove(const char *name, struct error *err);

/* Remove what runs that were killed have left unfinished; returns how many. */
size_t checkpoint_remove_unfinished(void);

/* The kernel's command line for this machine. The function's core is isolated. Caller frees it. */
char *checkpoint_kernel_arguments(void);

/* The number of the function's core, as in recipes/bundle.json and slsuite-function. */
#define CHECKPOINT_FUNCTION_CORE 1

/* Fill a fw_cfg parameters file (4096 bytes) with these lines. */
int checkpoint_write_parameters(const char *path, const char *lines, struct error *err);

#endif
