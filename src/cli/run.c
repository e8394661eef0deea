/* slsuite run FUNCTION */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "common/cleanup.h"
#include "common/progress.h"
#include "engine/sim.h"

enum {
    OPTION_ENGINE = 1000,
    OPTION_OUT,
    OPTION_FORMAT,
    OPTION_INPUT,
    OPTION_GENERATOR,
    OPTION_TIMEOUT
};

static const struct argp_option options[] = {
    {"invocations", 'n', "N", 0, "measured invocations (10)", 0},
    {"warm-ups", 'w', "N", 0, "invocations before the checkpoint (what the function says: 20)", 0},
    {"engine", OPTION_ENGINE, "ENGINE", 0, "what executes the machine: sim", 0},
    {"system", 's', "SYSTEM", 0, "the simulated machine: a name, or a YAML file (simple)", 0},
    {"input", OPTION_INPUT, "TEXT", 0, "what each request holds", 0},
    {"generator", OPTION_GENERATOR, "KIND", 0, "inputs: unique (always the same), random, linear",
     0},
    {"out", OPTION_OUT, "DIR", 0, "run folder (results/DATE-FUNCTION-SYSTEM)", 0},
    {"format", OPTION_FORMAT, "FORMAT", 0, "what is printed: table, json, csv", 0},
    {"timeout", OPTION_TIMEOUT, "SECONDS", 0,
     "longest time for boot and for simulation, each (300)", 0},
    {"quiet", 'q', NULL, 0, "no progress, only the result", 0},
    {0},
};

struct request {
    struct sim_options sim;
    enum results_format format;
    struct error *err;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    struct sim_options *sim = &request->sim;
    struct error *err = request->err;
    long number;
    int result = 0;
    switch (key) {
    case 'n':
        result = command_number("-n", argument, 1, 1000000, &number, err);
        sim->invocations = (unsigned)number;
        break;
    case 'w':
        result = command_number("-w", argument, 0, 1000000, &number, err);
        sim->warm_ups = (int)number;
        break;
    case OPTION_ENGINE:
        if (strcmp(argument, "sim") != 0)
            result = error_usage(err, "no engine is named %s: there is sim", argument);
        break;
    case 's':
        sim->system = argument;
        break;
    case OPTION_INPUT:
        sim->input = argument;
        break;
    case OPTION_GENERATOR:
        if (strcmp(argument, "unique") && strcmp(argument, "random") && strcmp(argument, "linear"))
            result = error_usage(err, "no generator is named %s: there are unique, random, linear",
                                 argument);
        sim->generator = argument;
        break;
    case OPTION_OUT:
        if (!*argument)
            result = error_usage(err, "--out: the folder has no name");
        sim->out = argument;
        break;
    case OPTION_FORMAT:
        result = results_format_parse(argument, &request->format, err);
        break;
    case OPTION_TIMEOUT:
        result = command_number("--timeout", argument, 1, 1000000, &number, err);
        sim->timeout_seconds = (double)number;
        break;
    case 'q':
        progress_set_quiet(1);
        break;
    case ARGP_KEY_ARG:
        if (sim->function)
            result = error_usage(err, "one function at a time: %s is one too many", argument);
        sim->function = argument;
        break;
    case ARGP_KEY_END:
        if (!sim->function && !err->status)
            result = error_usage(err, "which function? slsuite function list shows them");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return result < 0 ? command_refuse(state) : 0;
}

int command_run(int argc, char **argv, struct error *err) {
    static const struct argp argp = {
        options,    parse,
        "FUNCTION", "Simulate invocations of a function, and show where the cycles go.",
        NULL,       NULL,
        NULL};
    struct request request = {
        .sim = {.system = "simple",
                .invocations = 10,
                .warm_ups = -1,
                .timeout_seconds = 300,
                .command = command_line},
        .format = RESULTS_TABLE,
        .err = err,
    };
    if (command_parse(&argp, argc, argv, &request, err) < 0)
        return -1;
    autofree char *folder = NULL;
    if (sim_run(&request.sim, stdout, request.format, &folder, err) < 0)
        return -1;
    /* Machine-readable output stays alone on standard output. */
    if (request.format == RESULTS_TABLE)
        printf("\nresults: %s   (report.html, stats.txt, invocations.csv, …)\n", folder);
    else
        progress_note("results: %s", folder);
    return 0;
}
