#include "cli/simulation_options.h"

#include <stdio.h>

#include "cli/command.h"
#include "common/progress.h"

enum { OPTION_OUT = 2000, OPTION_FORMAT, OPTION_TIMEOUT };

static const struct argp_option options[] = {
    {"system", 's', "SYSTEM", 0, "the simulated machine: a name, or a YAML file (simple)", 0},
    {"out", OPTION_OUT, "DIR", 0, "run folder (results/DATE-NAME-SYSTEM)", 0},
    {"format", OPTION_FORMAT, "FORMAT", 0, "what is printed: table, json, csv", 0},
    {"timeout", OPTION_TIMEOUT, "SECONDS", 0,
     "longest time from the guest's boot to the checkpoint, and for the simulation, each (300); "
     "for "
     "the former with docker or podman three times as long; with gem5 sixty times for each, and "
     "the "
     "boot counts",
     0},
    {"quiet", 'q', NULL, 0, "no progress, only the result", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct simulation_options *simulation = state->input;
    struct error *err = simulation->err;
    long number;
    int result = 0;
    switch (key) {
    case 's':
        simulation->system = argument;
        simulation->system_given = true;
        break;
    case OPTION_OUT:
        if (!*argument)
            result = error_usage(err, "--out: the folder has no name");
        simulation->out = argument;
        break;
    case OPTION_FORMAT:
        result = results_format_parse(argument, &simulation->format, err);
        break;
    case OPTION_TIMEOUT:
        result = command_number("--timeout", argument, 1, 1000000, &number, err);
        simulation->timeout_seconds = (double)number;
        break;
    case 'q':
        progress_set_quiet(1);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return result < 0 ? command_refuse(state) : 0;
}

const struct argp simulation_options_parser = {options, parse, NULL, NULL, NULL, NULL, NULL};
const struct argp_child simulation_options_child[] = {{&simulation_options_parser, 0, NULL, 0},
                                                      {0}};

/* Machine-readable output stays alone on standard output. */
void simulation_options_conclude(const struct simulation_options *simulation, const char *folder,
                                 const char *files) {
    if (simulation->format == RESULTS_TABLE)
        printf("\nresults: %s   (report.html, %s, …)\n", folder, files);
    else
        progress_note("results: %s", folder);
}
