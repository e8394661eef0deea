/* Checkpoints: the frozen guest, its function started and warmed up, its client about to send; or
 * with nothing but slsuite-launch about to start a program, or a shell a script. A folder of the
 * cache, named by the digest of all that it depends on: `ram` (sparse, mapped copy-on-write by
 * every run), `state` (the devices), `console.log`, what the guest told about its code
 * (code_report.h), `checkpoint.json`. Checked at every use; a damaged one is made again. */
#ifndef SLS_ENGINE_CHECKPOINT_H
#define SLS_ENGINE_CHECKPOINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/hash.h"
#include "engine/machine.h"
#include "image/image.h"

#define CHECKPOINTS "checkpoints" /* the folder of the cache */

/* All that a checkpoint depends on. */
struct checkpoint_inputs {
    const struct image *image;
    const char *name;   /* of the function, or what else is frozen */
    const char *title;  /* of making it, for people who wait; NULL: it boots and warms up */
    const char *script; /* the run script, which ends in the checkpoint */
    struct nvdimms nvdimms;
    bool parcel;        /* and an empty one (parcel.h) */
    const char *digest; /* of these files, or what stands for them */
    unsigned cores, warm_ups;
    bool tickless; /* see checkpoint_kernel_arguments() */
    uint64_t memory_bytes;
    const char *qemu_version;
    double timeout_seconds; /* for making it; not part of its name */
};

struct checkpoint {
    char key[HASH_HEX];
    char *folder, *ram, *state, *console, *kernel_arguments;
    char checksum[HASH_HEX]; /* of its files together: equal when made again */
    bool made;               /* just now */
};

/* Find it and check it, or make it. */
int checkpoint_prepare(const struct checkpoint_inputs *inputs, struct checkpoint *checkpoint,
                       struct error *err);

/* Start the machine that is frozen in it, and let it go on. The options say what the checkpoint
 * does not know: image, cores, memory, NVDIMMs and parcel, parameters, plugin, and the console,
 * which then begins with the checkpoint's. NULL on failure. */
struct machine *checkpoint_restore(const struct checkpoint *checkpoint,
                                   const struct machine_options *options, struct error *err);
void checkpoint_free(struct checkpoint *checkpoint);

/* All checkpoints: an array of objects {name, function, created, used, bytes, damaged}. Owned by
 * the caller. Checks each one's sums when `check` (slow: reads them all). */
json_t *checkpoint_list(bool check);

/* One of this folder of the cache. */
int checkpoint_remove(const char *kind, const char *name, struct error *err);

/* The kernel's command line for this machine. The function's core is isolated; when `tickless`,
 * also from the timer tick while a single program computes there. Without an initramfs the kernel
 * mounts the root file system itself. Caller frees it. */
char *checkpoint_kernel_arguments(const struct image *image, bool tickless);

/* The number of the function's core, as in recipes/bundle.json and slsuite-function. */
#define CHECKPOINT_FUNCTION_CORE 1

/* Fill a fw_cfg parameters file (4096 bytes) with these lines. */
int checkpoint_write_parameters(const char *path, const char *lines, struct error *err);

#endif
