/* The gem5 engine: the very same function, image and run script on gem5's x86 board, configured
 * from the very same system file (recipes/gem5). Boots the custom kernel on gem5's simplest core,
 * keeps gem5's own checkpoint after the warm-up, and restores that on the system's cores. */
#ifndef SLS_ENGINE_GEM5_H
#define SLS_ENGINE_GEM5_H

#include <jansson.h>
#include <stdbool.h>

#include "common/error.h"
#include "engine/sim.h"

/* A gem5 on this computer. */
struct gem5 {
    char *program, *version;
    bool kvm;    /* it has KVM cores; whether they run a guest is another question (kvm.h) */
    char *lacks; /* "X86O3CPU, LTAGE": what some of our systems need; "": nothing */
};

/* The gem5 at `path`; NULL: $GEM5, else gem5.opt, gem5.fast or gem5 of PATH. Asks it, which takes a
 * second, and refuses one that is too old or not for x86. */
int gem5_find(const char *path, struct gem5 *gem5, struct error *err);
void gem5_free(struct gem5 *gem5);

/* Whether it can be the machine of this job (gem5_job.h): a usage error that names the parameter,
 * if it has nothing like it. Takes some seconds; a boot takes long. */
int gem5_check(const struct gem5 *gem5, json_t *job, struct error *err);

/* As sim_run(), with the gem5 that options->gem5 names.
 * gem5's own files are in the run folder's m5out. */
int gem5_run(const struct sim_options *options, FILE *out, enum results_format format,
             char **folder, struct error *err);

#endif
