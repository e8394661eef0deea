/* slsuite suite run */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/simulation_options.h"
#include "common/cleanup.h"
#include "engine/suite.h"
#include "image/runtime.h"

#define MOST_JOBS 1000

enum { OPTION_FUNCTIONS = 1000, OPTION_RESUME, OPTION_RUNTIME, OPTION_START, OPTION_FLUSH };

static const struct argp_option options[] = {
    {"functions", OPTION_FUNCTIONS, "GLOB,…", 0,
     "which: names, also with *, ? and […], separated by commas (all)", 0},
    {"invocations", 'n', "N", 0, "measured invocations of each (10; of --start cold: 1)", 0},
    {"jobs", 'j', "N", 0, "runs at the same time (as many as there are processors)", 0},
    {"runtime", OPTION_RUNTIME, "RUNTIME", 0,
     "who starts the functions' containers: crun (the default), docker, podman", 0},
    {"start", OPTION_START, "START", 0,
     "warm (the default), cold, lukewarm: see `slsuite run --help`", 0},
    {"flush", OPTION_FLUSH, "PART,…", 0, "--start lukewarm: what is flushed", 0},
    {"resume", OPTION_RESUME, NULL, 0, "go on with --out: run what is missing there or failed", 0},
    {0},
};

struct request {
    struct suite_options suite;
    struct simulation_options simulation;
    bool named; /* the action is given */
    struct error *err;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    struct suite_options *suite = &request->suite;
    struct error *err = request->err;
    long number;
    int result = 0;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &request->simulation;
        break;
    case OPTION_FUNCTIONS:
        suite->functions = argument;
        break;
    case 'n':
        result = command_number("-n", argument, 1, 1000000, &number, err);
        suite->invocations = (unsigned)number;
        break;
    case 'j':
        result = command_number("--jobs", argument, 1, MOST_JOBS, &number, err);
        suite->jobs = (unsigned)number;
        break;
    case OPTION_RUNTIME:
        result = runtime_check(argument, err);
        suite->runtime = argument;
        break;
    case OPTION_START:
        result = start_parse(argument, &suite->start, err);
        break;
    case OPTION_FLUSH:
        suite->flush = argument;
        break;
    case OPTION_RESUME:
        suite->resume = true;
        break;
    case ARGP_KEY_ARG:
        if (request->named || strcmp(argument, "run") != 0)
            return EINVAL;
        request->named = true;
        break;
    case ARGP_KEY_END:
        if (!request->named)
            return EINVAL;
        if (suite->resume && !request->simulation.out)
            result = error_usage(err, "--resume: which suite? Name its folder with --out");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return result < 0 ? command_refuse(state) : 0;
}

static unsigned processors(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > MOST_JOBS ? MOST_JOBS : (unsigned)count;
}

int command_suite(int argc, char **argv, struct error *err) {
    static const struct argp argp = {
        options,
        parse,
        "run",
        "Run all functions, or those that are named, several at the same time: each as `slsuite "
        "run` does, into a run folder of its own below --out, and one table of all. One that fails "
        "does not stop the others.",
        simulation_options_child,
        NULL,
        NULL};
    struct request request = {
        .suite = {.functions = "all",
                  .runtime = RUNTIME_DEFAULT,
                  .jobs = processors(),
                  .command = command_line[0]},
        .simulation = SIMULATION_DEFAULTS(err),
        .err = err,
    };
    if (command_parse(&argp, argc, argv, &request, err) < 0)
        return -1;
    const struct simulation_options *simulation = &request.simulation;
    request.suite.system = simulation->system;
    request.suite.out = simulation->out;
    request.suite.timeout_seconds = simulation->timeout_seconds;
    if (!request.suite.invocations)
        request.suite.invocations = start_invocations(request.suite.start);
    autofree char *folder = NULL;
    int result = suite_run(&request.suite, stdout, simulation->format, &folder, err);
    if (folder)
        simulation_options_conclude(simulation, folder, "suite.csv, suite.json");
    return result;
}
