/* slsuite exec -- PROGRAM ARGUMENT… */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/simulation_options.h"
#include "common/cleanup.h"
#include "engine/exec.h"

enum { OPTION_CORE = 1000 };

static const struct argp_option options[] = {
    {"core", OPTION_CORE, "N", 0, "runs the program and is measured (the isolated one, 1)", 0},
    {0},
};

struct request {
    struct exec_options exec;
    struct simulation_options simulation;
    struct error *err;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    struct exec_options *exec = &request->exec;
    struct error *err = request->err;
    long number;
    int result = 0;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &request->simulation;
        break;
    case OPTION_CORE:
        result = command_number("--core", argument, 0, 1000, &number, err);
        exec->core = (int)number;
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
        simulation_options_child,
        NULL,
        NULL};
    struct request request = {
        .exec = {.core = -1, .command = command_line},
        .simulation = SIMULATION_DEFAULTS(err),
        .err = err,
    };
    argc = split_off(argc, argv, &request.exec);
    if (command_parse(&argp, argc, argv, &request, err) < 0)
        return -1;
    const struct simulation_options *simulation = &request.simulation;
    request.exec.system = simulation->system;
    request.exec.out = simulation->out;
    request.exec.timeout_seconds = simulation->timeout_seconds;
    autofree char *folder = NULL;
    if (exec_run(&request.exec, stdout, simulation->format, &folder, err) < 0)
        return -1;
    simulation_options_conclude(simulation, folder, "stats.txt, invocations.csv");
    return 0;
}
