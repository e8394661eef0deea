/* What `run --engine native --instances N` is told of the load: a child parser of argp's. */
#ifndef SLS_CLI_FLEET_OPTIONS_H
#define SLS_CLI_FLEET_OPTIONS_H

#include <argp.h>
#include <stdbool.h>

#include "native/fleet.h"

struct fleet_request {
    struct fleet_options fleet; /* fleet.instances 0: it is not to be one */
    const char *given;          /* the last of these options that was given; NULL: none was */
    struct error *err;
};

#define FLEET_DEFAULTS(error)                                                                      \
    {                                                                                              \
        .fleet = {.idle_seconds = 600,                                                             \
                  .arrivals = {.kind = ARRIVAL_POISSON, .burst = 10, .seed = 1, .minute_s = 60}},  \
        .err = (error),                                                                            \
    }

/* The parent's parser hands it a struct fleet_request at ARGP_KEY_INIT. */
extern const struct argp fleet_options_parser;

/* Do they go together? 0 or -1 (usage). */
int fleet_options_check(struct fleet_request *request, unsigned invocations, struct error *err);

#endif
