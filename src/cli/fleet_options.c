#include "cli/fleet_options.h"

#include <math.h>
#include <stdlib.h>

#include "cli/command.h"

#define SECONDS_MOST 604800 /* a week */
#define RATE_MOST 1e6

enum {
    OPTION_INSTANCES = 3000,
    OPTION_IDLE,
    OPTION_RATE,
    OPTION_DURATION,
    OPTION_ARRIVAL,
    OPTION_BURST,
    OPTION_SEED,
    OPTION_TRACE,
    OPTION_TRACE_FUNCTION,
    OPTION_TRACE_MINUTE
};

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Instances that come and go with the load (--engine native):", 20},
    {"instances", OPTION_INSTANCES, "N", 0, "at most so many at a time; each starts cold", 20},
    {"idle-timeout", OPTION_IDLE, "SECONDS", 0, "an idle one is removed after that (600)", 20},
    {"rate", OPTION_RATE, "R", 0, "invocations a second", 20},
    {"duration", OPTION_DURATION, "SECONDS", 0, "how long they arrive", 20},
    {"arrival", OPTION_ARRIVAL, "KIND", 0,
     "how they arrive: poisson (the default), uniform, bursty; within a trace's minute uniform, or "
     "recorded: when it says",
     20},
    {"burst", OPTION_BURST, "N", 0, "bursty: so many back to back (10)", 20},
    {"seed", OPTION_SEED, "N", 0, "of what is random (1)", 20},
    {"trace", OPTION_TRACE, "FILE", 0,
     "replay a trace of Azure Functions, 2019's or 2021's, instead of a rate", 20},
    {"trace-function", OPTION_TRACE_FUNCTION, "HASH", 0, "whose (the first line's)", 20},
    {"trace-minute", OPTION_TRACE_MINUTE, "SECONDS", 0, "how long one of its minutes lasts (60)",
     20},
    {0},
};

static int real(const char *option, const char *text, double most, double *number,
                struct error *err) {
    char *end;
    *number = strtod(text, &end);
    if (end == text || *end || !isfinite(*number) || *number <= 0 || *number > most)
        return error_usage(err, "%s %s: not a number above 0, up to %.0f", option, text, most);
    return 0;
}

static int whole(const char *option, const char *text, long most, long *number, struct error *err) {
    return command_number(option, text, 1, most, number, err);
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct fleet_request *request = state->input;
    struct fleet_options *fleet = &request->fleet;
    struct error *err = request->err;
    long number = 0;
    int result = 0;
    switch (key) {
    case OPTION_INSTANCES:
        result = whole("--instances", argument, FLEET_MOST, &number, err);
        fleet->instances = (unsigned)number;
        break;
    case OPTION_IDLE:
        result = real("--idle-timeout", argument, SECONDS_MOST, &fleet->idle_seconds, err);
        break;
    case OPTION_RATE:
        result = real("--rate", argument, RATE_MOST, &fleet->arrivals.rate, err);
        break;
    case OPTION_DURATION:
        result = real("--duration", argument, SECONDS_MOST, &fleet->duration_seconds, err);
        break;
    case OPTION_ARRIVAL:
        result = arrival_kind(&fleet->arrivals.kind, argument, err);
        fleet->arrival_given = true;
        break;
    case OPTION_BURST:
        result = whole("--burst", argument, 1000000, &number, err);
        fleet->arrivals.burst = (uint32_t)number;
        break;
    case OPTION_SEED:
        result = whole("--seed", argument, 1000000000, &number, err);
        fleet->arrivals.seed = (uint64_t)number;
        break;
    case OPTION_TRACE:
        fleet->trace = argument;
        break;
    case OPTION_TRACE_FUNCTION:
        fleet->trace_function = argument;
        break;
    case OPTION_TRACE_MINUTE:
        result = real("--trace-minute", argument, 3600, &fleet->arrivals.minute_s, err);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    for (size_t i = 0; options[i].name || options[i].doc; i++)
        if (options[i].key == key)
            request->given = options[i].name;
    return result < 0 ? command_refuse(state) : 0;
}

const struct argp fleet_options_parser = {options, parse, NULL, NULL, NULL, NULL, NULL};

int fleet_options_check(struct fleet_request *request, unsigned invocations, struct error *err) {
    struct fleet_options *fleet = &request->fleet;
    bool rate = fleet->arrivals.rate > 0;
    if (!fleet->instances)
        return request->given ? error_usage(err, "--%s: only with --instances N", request->given)
                              : 0;
    if (rate && fleet->trace)
        return error_usage(err, "--rate and --trace: a trace has rates of its own");
    if (!rate && !fleet->trace)
        return error_usage(err, "--instances: how often is it invoked? Give --rate or --trace");
    if (rate && !fleet->duration_seconds && !invocations)
        return error_usage(err, "--rate: for how long? Give --duration, or -n");
    if (!fleet->trace && fleet->trace_function)
        return error_usage(err, "--trace-function without --trace");
    if (rate && fleet->arrivals.kind == ARRIVAL_RECORDED)
        return error_usage(err, "--arrival recorded: by a --trace only");
    return 0;
}
