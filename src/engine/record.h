/* A run of any engine, from an empty folder to a finished one. */
#ifndef SLS_ENGINE_RECORD_H
#define SLS_ENGINE_RECORD_H

#include <stdint.h>

#include "common/error.h"
#include "results/results.h"

/* Everything stays the caller's. */
struct record {
    const char *engine;      /* ENGINE_… (simulation.h) */
    const char *name;        /* of function or program, for the folder's name */
    const char *out;         /* run folder; NULL: results/DATE-NAME-SYSTEM */
    char *const *command;    /* the command line */
    const char *system;      /* its name */
    const char *system_text; /* its file, kept with the results; NULL: there is none */
    uint64_t clock_hz;
    double prepare_seconds;
    unsigned core;                   /* that is measured */
    enum results_intervals measured; /* what the marks mean */
    const char *const *phases;       /* names, of RESULTS_PHASES */
    bool noisy;                      /* repeated, it gives other figures: see struct run_results */
    /* Add to the manifest what only the owner knows, before and after. */
    int (*describe)(void *context, struct manifest *manifest, struct error *err);
    /* Execute; samples.tsv is then in the folder.
     * Sets the replies and the profile, if there are any. */
    int (*execute)(void *context, const char *folder, struct manifest *manifest,
                   struct run_results *results, struct error *err);
    /* Instead of the last: writes all of the folder itself, and prints. NULL: it does not. */
    int (*produce)(void *context, const char *folder, struct manifest *manifest, FILE *out,
                   enum results_format format, struct error *err);
    void *context;
};

/* Execute it, write the run folder's files, print the results (out NULL: do not). *path is the
 * finished folder's; the caller frees it (NULL: not wanted). A failed run keeps its folder,
 * with console and manifest, beside the place of a whole one. */
int record_run(const struct record *record, FILE *out, enum results_format format, char **path,
               struct error *err);

#endif
