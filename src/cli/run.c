/* slsuite run FUNCTION */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/fleet_options.h"
#include "cli/simulation_options.h"
#include "common/cleanup.h"
#include "engine/gem5.h"
#include "engine/sim.h"
#include "image/runtime.h"
#include "native/native.h"

enum {
    OPTION_ENGINE = 1000,
    OPTION_GEM5,
    OPTION_INPUT,
    OPTION_GENERATOR,
    OPTION_PROFILE,
    OPTION_START,
    OPTION_FLUSH,
    OPTION_RUNTIME,
    OPTION_KERNEL,
    OPTION_BASE,
    OPTION_CPU,
    OPTION_CLIENT_CPU
};

/* gem5 takes so many times as long: a boot 25 minutes. */
#define GEM5_PATIENCE 60

static const struct argp_option options[] = {
    {"invocations", 'n', "N", 0, "measured invocations (10; of --start cold in a simulation: 1)",
     0},
    {"warm-ups", 'w', "N", 0, "invocations before the checkpoint (what the function says: 20)", 0},
    {"engine", OPTION_ENGINE, "ENGINE", 0,
     "what executes the machine: sim (the default), gem5 (always with the custom kernel), native: "
     "this computer itself",
     0},
    {"gem5", OPTION_GEM5, "PATH", 0, "--engine gem5: its program ($GEM5, or what PATH has)", 0},
    {"runtime", OPTION_RUNTIME, "RUNTIME", 0,
     "who starts the function's container: crun (the default), docker, podman; with --engine "
     "native "
     "also runc, none, auto (the default: the first that can)",
     0},
    {"cpu", OPTION_CPU, "N", 0,
     "--engine native: the function's processor (an isolated one, or the last)", 0},
    {"client-cpu", OPTION_CLIENT_CPU, "N", 0, "--engine native: the client's (another one)", 0},
    {"kernel", OPTION_KERNEL, "KERNEL", 0,
     "the distribution's (the default), or custom: the last one that `kernel build` built", 0},
    {"base", OPTION_BASE, "DISTRIBUTION:RELEASE", 0,
     "whose packages the guest's root file system is made of (this computer's)", 0},
    {"input", OPTION_INPUT, "TEXT", 0, "what each request holds", 0},
    {"generator", OPTION_GENERATOR, "KIND", 0, "inputs: unique (always the same), random, linear",
     0},
    {"start", OPTION_START, "START", 0,
     "warm (the default), cold (measure the start of the container, up to the first reply), "
     "lukewarm (flush the hardware before each invocation)",
     0},
    {"flush", OPTION_FLUSH, "PART,…", 0,
     "--start lukewarm: what is flushed, of l1, l2, llc, tlb, bp (all that the system has)", 0},
    {"profile", OPTION_PROFILE, NULL, 0, "show cycles and misses by function of the code", 0},
    {0},
};

struct request {
    struct sim_options sim;
    struct simulation_options simulation;
    const char *engine, *runtime;
    struct native_options native;
    struct fleet_request fleet;
    struct error *err;
};

static int check_engine(const char *name, struct error *err) {
    static const char *const engines[] = {ENGINE_SIM, ENGINE_GEM5, ENGINE_NATIVE};
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++)
        if (strcmp(name, engines[i]) == 0)
            return 0;
    return error_usage(
        err, "no engine is named %s: there are " ENGINE_SIM ", " ENGINE_GEM5 ", " ENGINE_NATIVE,
        name);
}

/* What one engine has, and another does not. */
static int check_fit(struct request *request, struct error *err) {
    const struct sim_options *sim = &request->sim;
    const struct native_options *native = &request->native;
    bool here = strcmp(request->engine, ENGINE_NATIVE) == 0;
    if (sim->gem5 && strcmp(request->engine, ENGINE_GEM5) != 0)
        return error_usage(err, "--gem5: only with --engine gem5");
    if (!here && request->fleet.fleet.instances)
        return error_usage(err, "--instances: only with --engine native");
    if (fleet_options_check(&request->fleet, sim->invocations, err) < 0)
        return -1;
    if (request->fleet.fleet.instances && (sim->start != START_WARM || sim->warm_ups >= 0))
        return error_usage(err,
                           "--instances: without --start and -w: each starts cold, and then is "
                           "as warm as it is");
    if (!here && (native->cpu != HOST_ANY || native->client_cpu != HOST_ANY))
        return error_usage(err, "--cpu, --client-cpu: only with --engine native");
    if (here && sim->flush)
        return error_usage(err, "--flush: only with --engine sim: hardware is thrashed as a whole");
    if (here && sim->start == START_COLD && sim->warm_ups > 0)
        return error_usage(err, "-w %d: what is warmed up is not cold", sim->warm_ups);
    if (here && sim->profile)
        return error_usage(err,
                           "--profile: only with --engine sim; on this computer there is perf");
    if (here && (*sim->image.base.id || strcmp(sim->image.kernel, KERNEL_DISTRIBUTION) != 0 ||
                 request->simulation.system_given))
        return error_usage(err, "--kernel, --base, --system: this computer has its own");
    return here ? native_check_runtime(request->runtime ?: NATIVE_RUNTIME_ANY, err)
                : runtime_check(request->runtime ?: RUNTIME_DEFAULT, err);
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    struct sim_options *sim = &request->sim;
    struct error *err = request->err;
    long number;
    int result = 0;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &request->simulation;
        state->child_inputs[1] = &request->fleet;
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
        result = check_engine(argument, err);
        request->engine = argument;
        break;
    case OPTION_CPU:
        result = command_number("--cpu", argument, 0, 1000000, &request->native.cpu, err);
        break;
    case OPTION_CLIENT_CPU:
        result =
            command_number("--client-cpu", argument, 0, 1000000, &request->native.client_cpu, err);
        break;
    case OPTION_GEM5:
        sim->gem5 = argument;
        break;
    case OPTION_RUNTIME:
        request->runtime = argument;
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
        if (strcmp(argument, "unique") != 0 && strcmp(argument, "random") != 0 &&
            strcmp(argument, "linear") != 0)
            result = error_usage(err, "no generator is named %s: there are unique, random, linear",
                                 argument);
        sim->generator = argument;
        break;
    case OPTION_START:
        result = start_parse(argument, &sim->start, err);
        break;
    case OPTION_FLUSH:
        sim->flush = argument;
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
        else if (!err->status)
            result = check_fit(request, err);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return result < 0 ? command_refuse(state) : 0;
}

static int execute(struct request *request, bool gem5, char **folder, struct error *err) {
    enum results_format format = request->simulation.format;
    struct sim_options *sim = &request->sim;
    if (strcmp(request->engine, ENGINE_NATIVE) == 0) {
        request->native.run = sim;
        request->native.runtime = request->runtime ?: NATIVE_RUNTIME_ANY;
        if (request->fleet.fleet.instances)
            return fleet_run(&request->native, &request->fleet.fleet, stdout, format, folder, err);
        return native_run(&request->native, stdout, format, folder, err);
    }
    if (request->runtime)
        sim->image.runtime = request->runtime;
    return (gem5 ? gem5_run : sim_run)(sim, stdout, format, folder, err);
}

int command_run(int argc, char **argv, struct error *err) {
    static const struct argp_child children[] = {
        {&simulation_options_parser, 0, NULL, 0}, {&fleet_options_parser, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        options,    parse,
        "FUNCTION", "Simulate invocations of a function, and show where the cycles go.",
        children,   NULL,
        NULL};
    struct request request = {
        .sim = {.warm_ups = -1, .image = IMAGE_DEFAULT, .command = command_line},
        .simulation = SIMULATION_DEFAULTS(err),
        .engine = ENGINE_SIM,
        .fleet = FLEET_DEFAULTS(err),
        .native = {.cpu = HOST_ANY, .client_cpu = HOST_ANY},
        .err = err,
    };
    if (command_parse(&argp, argc, argv, &request, err) < 0)
        return -1;
    const struct simulation_options *simulation = &request.simulation;
    bool gem5 = strcmp(request.engine, ENGINE_GEM5) == 0;
    bool native = strcmp(request.engine, ENGINE_NATIVE) == 0;
    request.sim.system = simulation->system;
    request.sim.out = simulation->out;
    request.sim.timeout_seconds = simulation->timeout_seconds * (gem5 ? GEM5_PATIENCE : 1);
    if (!request.sim.invocations && !request.fleet.fleet.instances)
        request.sim.invocations =
            start_invocations(native ? START_WARM : request.sim.start); /* there it is noisy */
    autofree char *folder = NULL;
    if (execute(&request, gem5, &folder, err) < 0)
        return -1;
    simulation_options_conclude(simulation, folder,
                                request.sim.profile ? "profile.txt, invocations.csv"
                                : request.fleet.fleet.instances
                                    ? "fleet.json, invocations.csv, instances.csv"
                                    : "stats.txt, invocations.csv");
    return 0;
}
