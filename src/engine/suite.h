/* Runs of many functions, several at the same time, each by a process of its own: `slsuite run`.
 * One that crashes or is killed takes no other with it, and all die with us. */
#ifndef SLS_ENGINE_SUITE_H
#define SLS_ENGINE_SUITE_H

#include <stdbool.h>

#include "common/error.h"
#include "engine/start.h"
#include "results/results.h"

struct suite_options {
    const char *functions; /* "all", or names with *, ? and […], separated by commas */
    const char *system;    /* name or file */
    const char *runtime;   /* who starts the functions' containers: image/runtime.h */
    unsigned invocations;  /* of each */
    enum start_kind start; /* as in sim_options */
    const char *flush;
    unsigned jobs;   /* at the same time */
    const char *out; /* the suite's folder; NULL: results/DATE-suite-SYSTEM */
    bool resume;     /* what is whole in that folder stays */
    double timeout_seconds;
    const char *command; /* what the runs' manifests call us */
};

/* Run them all, write the suite's results beside the run folders and print them to `out`. What runs
 * is shown meanwhile, and what has ended told. Fails in the end if any function has: those that are
 * whole stay, and so does what is left of the others, as FUNCTION.failed. *folder (the caller frees
 * it) is set once there are results. */
int suite_run(const struct suite_options *options, FILE *out, enum results_format format,
              char **folder, struct error *err);

#endif
