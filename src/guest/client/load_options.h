/* The options of a load run: many calls at a time, counted rather than kept. Any of them makes a
 * run one. */
#ifndef SLS_GUEST_CLIENT_LOAD_OPTIONS_H
#define SLS_GUEST_CLIENT_LOAD_OPTIONS_H

#include <stdbool.h>

#include "load/arrival.h"

enum report_format { REPORT_TEXT, REPORT_JSON, REPORT_CSV };

struct load_options {
    bool wanted;
    long concurrency, connections; /* 0: not given */
    double duration_s;             /* 0: not given */
    double rate;                   /* 0: not given */
    const char *arrival_name;      /* NULL: not given */
    enum arrival_kind arrival;
    long burst;
    const char *trace, *trace_function; /* NULL: not given */
    double minute_s;
    bool fresh; /* a connection for each call */
    enum report_format format;
    const char *hdr_log;
    bool progress;
};

#define LOAD_OPTIONS_DEFAULT                                                                       \
    ((struct load_options){.burst = 10, .minute_s = 60, .arrival = ARRIVAL_POISSON})

struct options;

/* Is it one of ours? 1: yes, and set. 0: no. -1: yes, but the value is wrong. */
int load_option_set(struct load_options *load, const char *name, const char *value,
                    struct error *err);

/* Do they go together? What was not given and depends on others is filled in. */
int load_options_check(struct options *options, struct error *err);

#endif
