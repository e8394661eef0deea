/* Other programs, started with an argument vector: no shell, no strings built from input. */
#ifndef SLS_COMMON_PROCESS_H
#define SLS_COMMON_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/error.h"

#define PROCESS_INHERITED 3

struct process_options {
    const char *program;            /* that is started; NULL: argv[0] */
    const char *folder;             /* working directory; NULL: ours */
    const char *const *environment; /* extra "NAME=VALUE" strings, NULL-terminated; NULL: none */
    const char *input;              /* file for standard input; NULL: /dev/null */
    const char *output;             /* file for standard output; NULL: the log */
    size_t output_most; /* bytes in any file: it is stopped before it writes more; 0: no limit */
    const char *log;    /* file that standard error is appended to; NULL: a temporary one */
    /* Files and folders, NULL-terminated: it can write nowhere else, where the kernel can see to
     * that (confine.h). NULL: anywhere. */
    const char *const *writable;
    int inherit;         /* a descriptor that it gets as PROCESS_INHERITED; 0: none */
    int timeout_seconds; /* killed with its whole process group after that; 0: no limit */
};

/* Run to its end. argv[0] is looked up in PATH; argv is NULL-terminated. The child dies with us
 * (PR_SET_PDEATHSIG). Fails when it cannot be started, exits non-zero, dies by a signal or exceeds
 * its time; the error then ends with the last line of its log. `options` may be NULL. */
int process_run(const char *const argv[], const struct process_options *options, struct error *err);

/* The same, and its standard output as a fresh string (the caller frees it). NULL on failure. */
char *process_output(const char *const argv[], const struct process_options *options,
                     struct error *err);

/* A child that runs beside us, and dies with us. {.handle = -1}: none. */
struct process {
    pid_t id;   /* and its group's */
    int handle; /* can be read once it has ended */
};

/* Start it and come back. options->log must be given; its time has no limit. */
int process_start(const char *const argv[], const struct process_options *options,
                  struct process *process, struct error *err);

/* Which of them has ended, or `count` if none has in that time. Who ends us meanwhile (SIGINT,
 * SIGTERM, SIGHUP) ends them all first, and when the last of them is reaped, we go. */
size_t process_wait(const struct process processes[], size_t count, int timeout_ms);

/* A folder to remove before we go like that; NULL: none any more. The string must last. */
void process_clear_at_end(const char *folder);

/* Whether somebody has ended us so. */
bool process_interrupted(void);

/* Its status, as waitpid() tells it. It is none afterwards. */
int process_reap(struct process *process);

/* Whether PATH (and, for ordinary users, the sbin folders) has such a program. */
bool process_exists(const char *program);

#endif
