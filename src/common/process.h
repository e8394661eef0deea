/* Other programs, started with an argument vector: no shell, no strings built from input. */
#ifndef SLS_COMMON_PROCESS_H
#define SLS_COMMON_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/error.h"

struct process_options {
    const char *folder;             /* working directory; NULL: ours */
    const char *const *environment; /* extra "NAME=VALUE" strings, NULL-terminated; NULL: none */
    const char *input;              /* file for standard input; NULL: /dev/null */
    const char *output;             /* file for standard output; NULL: the log */
    const char *log;     /* file that standard error is appended to; NULL: a temporary one */
    int timeout_seconds; /* killed with its whole process group after that; 0: no limit */
};

/* Run to its end. argv[0] is looked up in PATH; argv is NULL-terminated. The child dies with us
 * (PR_SET_PDEATHSIG). Fails when it cannot be started, exits non-zero, dies by a signal or exceeds
 * its time; the error then ends with the last line of its log. `options` may be NULL. */
int process_run(const char *const argv[], const struct process_options *options, struct error *err);

/* The same, and its standard output as a fresh string (the caller frees it). NULL on failure. */
char *process_output(const char *const argv[], const struct process_options *options,
                     struct error *err);

/* Whether PATH (and, for ordinary users, the sbin folders) has such a program. */
bool process_exists(const char *program);

#endif
