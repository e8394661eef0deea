/* What `run`, `exec` and `suite` are all told: a child parser of argp's, and how they end. */
#ifndef SLS_CLI_SIMULATION_OPTIONS_H
#define SLS_CLI_SIMULATION_OPTIONS_H

#include <argp.h>
#include <stdbool.h>

#include "common/error.h"
#include "results/results.h"

struct simulation_options {
    bool system_given;
    const char *system, *out; /* as in sim_options and exec_options; the strings are argv's */
    double timeout_seconds;
    enum results_format format;
    struct error *err;
};

/* As the command line leaves them out. */
#define SIMULATION_DEFAULTS(error)                                                                 \
    { .system = "simple", .timeout_seconds = 300, .format = RESULTS_TABLE, .err = (error) }

/* The parent's parser hands it a struct simulation_options at ARGP_KEY_INIT. */
extern const struct argp simulation_options_parser;
extern const struct argp_child simulation_options_child[]; /* it alone */

/* Say where the results are; `files` are those to look at beside the report. */
void simulation_options_conclude(const struct simulation_options *simulation, const char *folder,
                                 const char *files);

#endif
