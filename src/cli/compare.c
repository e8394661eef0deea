/* slsuite compare RUN RUN…: runs side by side. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "results/side_by_side.h"

#define TOLERANCE 5 /* per cent: another engine's timer ticks and page faults are others */

enum { OPTION_FORMAT = 1000, OPTION_TOLERANCE };

static const struct argp_option options[] = {
    {"format", OPTION_FORMAT, "FORMAT", 0, "what is printed: table, json, csv", 0},
    {"tolerance", OPTION_TOLERANCE, "PERCENT", 0,
     "by how much the runs' instructions may differ (5)", 0},
    {0},
};

struct request {
    const char *folders[SIDE_BY_SIDE_MOST];
    struct side_by_side_options options;
    struct error *err;
};

static int read_tolerance(const char *text, double *tolerance, struct error *err) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value) || value < 0)
        return error_usage(err, "--tolerance: '%s' is not a percentage", text);
    *tolerance = value / 100;
    return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    int result = 0;
    switch (key) {
    case OPTION_FORMAT:
        result = results_format_parse(argument, &request->options.format, request->err);
        break;
    case OPTION_TOLERANCE:
        result = read_tolerance(argument, &request->options.tolerance, request->err);
        break;
    case ARGP_KEY_ARG:
        if (request->options.count == SIDE_BY_SIDE_MOST)
            result =
                error_usage(request->err, "compare: at most %d runs at a time", SIDE_BY_SIDE_MOST);
        else
            request->folders[request->options.count++] = argument;
        break;
    case ARGP_KEY_END:
        if (request->options.count < 2 && !request->err->status)
            result = error_usage(request->err, "compare: which runs? Name two or more run folders");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return result < 0 ? command_refuse(state) : 0;
}

int command_compare(int argc, char **argv, struct error *err) {
    static const struct argp argp = {
        options,
        parse,
        "RUN RUN…",
        "Show the mean invocations of several runs side by side, with their ratios to the first "
        "run's: one function on several systems, or on several engines. Exit 1 if they did not "
        "execute the same instructions, within a tolerance.",
        NULL,
        NULL,
        NULL};
    struct request request = {.options.tolerance = TOLERANCE / 100.0, .err = err};
    request.options.folders = request.folders;
    if (command_parse(&argp, argc, argv, &request, err) < 0)
        return -1;
    bool agree = true;
    return results_side_by_side(&request.options, stdout, &agree, err) < 0 ? -1 : !agree;
}
