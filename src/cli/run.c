/* slsuite run FUNCTION */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/simulation_options.h"
#include "common/cleanup.h"
#include "engine/gem5.h"
#include "engine/sim.h"
#include "image/runtime.h"

enum {
    OPTION_ENGINE = 1000,
    OPTION_GEM5,
    OPTION_INPUT,
    OPTION_GENERATOR,
    OPTION_PROFILE,
    OPTION_RUNTIME,
    OPTION_KERNEL,
    OPTION_BASE
};

/* gem5 takes so many times as long: a boot 25 minutes. */
#define GEM5_PATIENCE 60

static const struct argp_option options[] = {
    {"invocations", 'n', "N", 0, "measured invocations (10)", 0},
    {"warm-ups", 'w', "N", 0, "invocations before the checkpoint (what the function says: 20)", 0},
    {"engine", OPTION_ENGINE, "ENGINE", 0,
     "what executes the machine: sim (the default), gem5 (always with the custom kernel)", 0},
    {"gem5", OPTION_GEM5, "PATH", 0, "--engine gem5: its program ($GEM5, or what PATH has)", 0},
    {"runtime", OPTION_RUNTIME, "RUNTIME", 0,
     "who starts the function's container: crun (the default), docker, podman", 0},
    {"kernel", OPTION_KERNEL, "KERNEL", 0,
     "the distribution's (the default), or custom: the last one that `kernel build` built", 0},
    {"base", OPTION_BASE, "DISTRIBUTION:RELEASE", 0,
     "whose packages the guest's root file system is made of (this computer's)", 0},
    {"input", OPTION_INPUT, "TEXT", 0, "what each request holds", 0},
    {"generator", OPTION_GENERATOR, "KIND", 0, "inputs: unique (always the same), random, linear",
     0},
    {"profile", OPTION_PROFILE, NULL, 0, "show cycles and misses by function of the code", 0},
    {0},
};

struct request {
    struct sim_options sim;
    struct simulation_options simulation;
    bool gem5;
    struct error *err;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    struct sim_options *sim = &request->sim;
    struct error *err = request->err;
    long number;
    int result = 0;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &request->simulation;
        break;
    case 'n':
        result = command_number("-n", argument, 1, 1000000, &number, err);
        sim->invocations = (unsigned)number;
        break;
    case 'w':
        result = command_number("-w", argument, 0, 1000000, &number, err);
        sim->warm_ups = (int)number;
        break;
    case OPTION_ENGINE:
        if (strcmp(argument, ENGINE_SIM) != 0 && strcmp(argument, ENGINE_GEM5) != 0)
            result = error_usage(
                err, "no engine is named %s: there are " ENGINE_SIM ", " ENGINE_GEM5, argument);
        request->gem5 = strcmp(argument, ENGINE_GEM5) == 0;
        break;
    case OPTION_GEM5:
        sim->gem5 = argument;
        break;
    case OPTION_RUNTIME:
        result = runtime_check(argument, err);
        sim->image.runtime = argument;
        break;
    case OPTION_KERNEL:
        result = image_check_kernel(argument, err);
        sim->image.kernel = argument;
        break;
    case OPTION_BASE:
        result = apt_parse_distribution(argument, &sim->image.base, err);
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
    case OPTION_PROFILE:
        sim->profile = true;
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
        options,
        parse,
        "FUNCTION",
        "Simulate invocations of a function, and show where the cycles go.",
        simulation_options_child,
        NULL,
        NULL};
    struct request request = {
        .sim = {.invocations = 10, .warm_ups = -1, .image = IMAGE_DEFAULT, .command = command_line},
        .simulation = SIMULATION_DEFAULTS(err),
        .err = err,
    };
    if (command_parse(&argp, argc, argv, &request, err) < 0)
        return -1;
    const struct simulation_options *simulation = &request.simulation;
    request.sim.system = simulation->system;
    request.sim.out = simulation->out;
    request.sim.timeout_seconds = simulation->timeout_seconds * (request.gem5 ? GEM5_PATIENCE : 1);
    autofree char *folder = NULL;
    if (request.sim.gem5 && !request.gem5)
        return error_usage(err, "--gem5: only with --engine gem5");
    if ((request.gem5 ? gem5_run : sim_run)(&request.sim, stdout, simulation->format, &folder,
                                            err) < 0)
        return -1;
    simulation_options_conclude(simulation, folder,
                                request.sim.profile ? "profile.txt, invocations.csv"
                                                    : "stats.txt, invocations.csv");
    return 0;
}
