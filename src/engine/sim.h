/* The embedded engine: QEMU executes, the timing model in its plugin keeps the clock. */
#ifndef SLS_ENGINE_SIM_H
#define SLS_ENGINE_SIM_H

#include <stdbool.h>

#include "common/error.h"
#include "engine/machine.h"
#include "engine/simulation.h"
#include "engine/start.h"
#include "image/function.h"
#include "results/results.h"

/* After the reply the client waits so long, of its own time, before it marks the end: the
 * function's own epilogue (back to epoll) is then part of its invocation. Its core is idle
 * meanwhile and costs nothing. */
#define SIM_SETTLE_US "1000"

/* A run of a function, also by another engine (gem5.h). */
struct sim_options {
    const char *function;      /* name */
    const char *system;        /* name or file */
    struct image_choice image; /* its kernel, and who starts its container */
    unsigned invocations;
    int warm_ups; /* negative: what the function's description says */
    enum start_kind start;
    const char *flush;      /* of a lukewarm one: "l1,llc", "all"; NULL: not said */
    const char *input;      /* NULL: the client's default */
    const char *generator;  /* unique, random, linear; NULL: unique */
    const char *out;        /* run folder; NULL: results/DATE-FUNCTION-SYSTEM */
    bool profile;           /* cycles and misses by symbol */
    const char *gem5;       /* the gem5 engine's program; NULL: gem5_find()'s choice */
    double timeout_seconds; /* of the host's time, for each step */
    char *const *command;   /* the command line, for the manifest */
};

/* The NVDIMMs of a prepared function. The strings stay the function's. */
struct nvdimms sim_nvdimms(const struct function *function);

/* A function at its checkpoint, ready to be simulated as often as one likes. */
struct sim;

/* Make what is missing, from the kernel to the checkpoint.
 * The options must outlive it. NULL on failure. */
struct sim *sim_open(const struct sim_options *options, struct error *err);
void sim_close(struct sim *sim);

/* Restore the checkpoint and let the invocations be made, with the timing model (samples.tsv, and
 * of a profiled run profile.tsv, in `folder`) or, for comparison, without. */
int sim_execute(struct sim *sim, const char *folder, bool timed, struct sim_durations *durations,
                struct error *err);

/* Room that the results of a run may take on the disk. */
double sim_bytes(unsigned invocations);

/* What another engine that runs a function the same way needs of it. The run script, which the init
 * service in the guest runs: a service that has ended is told of, also when the function got on
 * without it. With code_report the guest also tells where its code lies. The caller frees it. */
char *sim_run_script(const struct function *function, unsigned warm_ups, const char *runtime,
                     bool code_report);

/* Lines for the client. The caller frees it; NULL on failure. */
char *sim_parameters(const struct sim_options *options, struct error *err);

/* How many invocations come before the checkpoint. */
unsigned sim_warm_ups(const struct sim_options *options, const struct function *function);

/* What was asked for, into the manifest: what holds on any computer, and that with the guest's. */
void sim_describe_request(const struct sim_options *options, const struct function *function,
                          unsigned warm_ups, struct manifest *manifest);
void sim_describe(const struct sim_options *options, const struct function *function,
                  unsigned warm_ups, struct manifest *manifest);

/* Run it all, from whatever is missing to the finished run folder, and print the results to `out`
 * in this format (NULL: do not print). *folder is the run folder's path; the caller frees it. */
int sim_run(const struct sim_options *options, FILE *out, enum results_format format, char **folder,
            struct error *err);

#endif
