/* The native engine: the same function, image and client, on this computer. The function is alone
 * on one processor, the client on another; the kernel's and the hardware's counters are read around
 * each invocation. What comes out is the same run folder. */
#ifndef SLS_NATIVE_NATIVE_H
#define SLS_NATIVE_NATIVE_H

#include "common/error.h"
#include "engine/sim.h"
#include "native/host_state.h"

#define NATIVE_SYSTEM "native" /* instead of a simulated system's name */

#define NATIVE_RUNTIME_ANY "auto" /* the first that can */

struct native_options {
    const struct sim_options *run; /* what holds of any engine's run */
    const char *runtime;           /* NATIVE_RUNTIME_ANY; or one of native_runtimes */
    long cpu, client_cpu;          /* or HOST_ANY */
};

/* Refuse an unknown runtime, as a usage error. */
int native_check_runtime(const char *name, struct error *err);

/* As sim_run(). */
int native_run(const struct native_options *options, FILE *out, enum results_format format,
               char **folder, struct error *err);

#endif
