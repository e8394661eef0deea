/* slsuite exec -- PROGRAM ARGUMENT… */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "common/cleanup.h"
#include "common/progress.h"
#include "engine/exec.h"

enum { OPTION_CORE = 1000, OPTION_OUT, OPTION_FORMAT, OPTION_TIMEOUT };

static const struct argp_option options[] = {
    {"system", 's', "SYSTEM", 0, "the simulated machine: a name, or a YAML file (simple)", 0},
    {"core", OPTION_CORE, "N", 0, "runs the program and is measured (the isolated one, the last)",
     0},
    {"out", OPTION_OUT, "DIR", 0, "run folder (results/DATE-PROGRAM-SYSTEM)", 0},
    {"format", OPTION_FORMAT, "FORMAT", 0, "what is printed: table, json, csv", 0},
    {"timeout", OPTION_TIMEOUT, "SECONDS", 0,
     "longest time for boot and for simulation, each (300)", 0},
    {"quiet", 'q', NULL, 0, "no progress, only the result", 0},
    {0},
};

struct request {
    struct exec_options exec;
    enum results_format format;
    struct error *err;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    struct exec_options *exec = &request->exec;
    struct error *err = request->err;
    long number;
    int result = 0;
    switch (key) {
    case 's':
        exec->system = argument;
        break;
    case OPTION_CORE:
        result = command_number("--core", argument, 0, 1000, &number, err);
        exec->core = (int)number;
        break;
    case OPTION_OUT:
        exec->out = argument;
        break;
    case OPTION_FORMAT:
        result = results_format_parse(argument, &request->format, err);
        break;
    case OPTION_TIMEOUT:
        result = command_number("--timeout", argument, 1, 1000000, &number, err);
        exec->timeout_seconds = (double)number;
        break;
    case 'q':
        progress_set_quiet(1);
        break;
    case ARGP_KEY_ARG:
        result = error_usage(err, "put -- before the program and its arguments: … -- %s", argument);
        break;
    case ARGP_KEY_END:
        if (!exec->program && !err->status)
            result = error_usage(err, "which program? slsuite exec [OPTION]… -- PROGRAM ARGUMENT…");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return result < 0 ? command_refuse(state) : 0;
}

/* What is behind `--` is not ours to look at. Returns how many words are. */
static int split_off(int argc, char **argv, struct exec_options *exec) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--") == 0) {
            exec->program = argv[i + 1];
            exec->arguments = argv + i + 1;
            return i;
        }
    return argc;
}

int command_exec(int argc, char **argv, struct error *err) {
    static const struct argp argp = {
        options,
        parse,
        "-- PROGRAM ARGUMENT…",
        "Run a program in the guest on a core of its own, and show where the cycles between its "
        "marks go: from `reset stats` (0x40) to `dump stats` (0x41), or `work begin` (0x5a) to "
        "`work end` (0x5b).\v"
        "The program is a static x86-64 Linux program. docs/methodology.md tells how to put marks "
        "into it.",
        NULL,
        NULL,
        NULL};
    struct request request = {
        .exec = {.system = "simple", .core = -1, .timeout_seconds = 300, .command = command_line},
        .format = RESULTS_TABLE,
        .err = err,
    };
    argc = split_off(argc, argv, &request.exec);
    if (command_parse(&argp, argc, argv, &request, err) < 0)
        return -1;
    autofree char *folder = NULL;
    if (exec_run(&request.exec, stdout, request.format, &folder, err) < 0)
        return -1;
    /* Machine-readable output stays alone on standard output. */
    if (request.format == RESULTS_TABLE)
        printf("\nresults: %s   (report.html, stats.txt, invocations.csv, …)\n", folder);
    else
        progress_note("results: %s", folder);
    return 0;
}
