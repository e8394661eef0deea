/* The door of this folder: what an engine measured goes in, a run folder and tables come out.
 *
 *     folder = results_create(NULL, "aes-c", "simple", err);
 *     … the engine puts console.log and samples.tsv into results_folder_path(folder) …
 *     results_write_all(results_folder_path(folder), &run, err);   or results_write_failure(…)
 *     results_finish(folder, whole, err);           results_folder_path() is final from here on
 *     results_print(stdout, &run, RESULTS_TABLE, err);
 *
 * The other headers here are doors of their own: manifest.h (run.json), samples.h (samples.tsv),
 * run_folder.h (where a run's files are and when they are whole), suite.h (several runs). */
#ifndef SLS_RESULTS_RESULTS_H
#define SLS_RESULTS_RESULTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/error.h"
#include "profile/profile.h"
#include "results/manifest.h"
#include "results/run_folder.h"
#include "results/samples.h"

/* What the client said about one invocation. */
struct client_reply {
    uint64_t id;         /* the work id of its marks */
    uint64_t latency_ns; /* in a guest's time: 1 ns an instruction, see docs/methodology.md */
    const char *text;
};

/* Between which marks is measured. */
enum results_intervals {
    RESULTS_INVOCATIONS, /* a function's: work begin to work end of the same work id */
    RESULTS_REGIONS,     /* a program's: that, and from a reset of the statistics to each dump */
    RESULTS_PHASES,      /* a cold start's: work begin to work end, cut at the marks of phases */
};

/* One run, as the engine hands it over. Everything stays the caller's. */
struct run_results {
    struct manifest *manifest;
    const struct samples *samples;
    const struct client_reply *replies; /* one an invocation, in any order */
    size_t reply_count;                 /* 0: there was no client */
    enum results_intervals intervals;
    const char *const *phases; /* RESULTS_PHASES: their names, in order; NULL-terminated */
    bool noisy;                /* measured on hardware: each repetition gives other figures */
    uint64_t clock_hz;         /* of the cores */
    unsigned measured_core;    /* the core that ran the function alone */
    const char *system; /* text of the system's YAML file, kept with the results; NULL: none */
    const struct profile *profile; /* by symbol; NULL: the run was not profiled */
};

enum results_format { RESULTS_TABLE, RESULTS_JSON, RESULTS_CSV };

/* "table", "json" or "csv"; a usage error otherwise. */
int results_format_parse(const char *name, enum results_format *format, struct error *err);

/* Print the invocations as a table for people, as invocations.json or as invocations.csv. */
int results_print(FILE *out, const struct run_results *run, enum results_format format,
                  struct error *err);

/* Write run.json (status "complete"), stats.txt, invocations.csv, invocations.json, report.html and
 * system.yaml into `folder`; with regions regions.csv; with a profile profile.txt, profile.folded
 * and callgrind.out.profile. Fails, before it writes anything, when the marks and the replies do
 * not make whole invocations, or when the profile does not have their cycles. */
int results_write_all(const char *folder, const struct run_results *run, struct error *err);

/* Write the run.json of a run that failed: status "failed", and why. */
int results_write_failure(const char *folder, struct manifest *manifest, const struct error *why,
                          struct error *err);

/* Whether two run folders hold the same stats.txt and invocations.csv, byte for byte. *difference
 * (the caller frees it) is NULL if so, else a sentence that says what differs first: which
 * invocation, which statistic, both values. -1 when a folder cannot be read. */
int results_compare(const char *folder_a, const char *folder_b, char **difference,
                    struct error *err);

#endif
