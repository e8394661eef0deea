/* Programs of the user's in the embedded engine: restored, run alone on a core, measured between
 * their own marks. */
#ifndef SLS_ENGINE_EXEC_H
#define SLS_ENGINE_EXEC_H

#include <stdio.h>

#include "common/error.h"
#include "results/results.h"

struct exec_options {
    const char *program;    /* file */
    char *const *arguments; /* NULL-terminated; first the program's own name */
    const char *system;     /* name or file */
    int core;               /* runs it and is measured; negative: the isolated one */
    const char *out;        /* run folder; NULL: results/DATE-PROGRAM-SYSTEM */
    double timeout_seconds; /* of the host's time, for each step */
    char *const *command;   /* the command line, for the manifest */
};

/* Run it all, from whatever is missing to the finished run folder. What the program wrote goes to
 * standard output and error (to error alone when the format is for machines), also when it failed;
 * then the results to `out` (NULL: print neither). *folder is the run folder's path; the caller
 * frees it (NULL: not wanted). */
int exec_run(const struct exec_options *options, FILE *out, enum results_format format,
             char **folder, struct error *err);

#endif
