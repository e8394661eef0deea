#include "client/load_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/options.h"

#define CALLS_MAX 65536          /* at a time */
#define CONNECTIONS_MAX 4096     /* more descriptors few systems allow */
#define CALLS_OPEN 1000          /* at a time, at most, in an open loop, unless told otherwise */
#define DURATION_DEFAULT 10      /* s, where neither the number nor the time is given */
#define DURATION_MAX (7 * 86400) /* s */
#define RATE_MAX 10e6

static int parse_real(const char *name, const char *text, double most, double *number,
                      struct error *err) {
    char *end;
    *number = strtod(text, &end);
    if (end == text || *end || !isfinite(*number) || *number <= 0 || *number > most)
        return error_usage(err, "-%s '%s': not a number above 0, up to %.0f", name, text, most);
    return 1;
}

static int set_number(struct load_options *load, const char *name, const char *value,
                      struct error *err) {
    const struct {
        const char *name;
        long *number, most;
    } numbers[] = {
        {"concurrency", &load->concurrency, CALLS_MAX},
        {"connections", &load->connections, CONNECTIONS_MAX},
        {"burst", &load->burst, 1000000},
    };
    const struct {
        const char *name;
        double *number, most;
    } reals[] = {
        {"duration", &load->duration_s, DURATION_MAX},
        {"rate", &load->rate, RATE_MAX},
        {"trace-minute", &load->minute_s, 3600},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(name, numbers[i].name) == 0)
            return option_number(name, value, 1, numbers[i].most, numbers[i].number, err) ? -1 : 1;
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        if (strcmp(name, reals[i].name) == 0)
            return parse_real(name, value, reals[i].most, reals[i].number, err);
    return 0;
}

static int set_format(struct load_options *load, const char *value, struct error *err) {
    static const char *const names[] = {"text", "json", "csv"};
    for (int i = 0; i < 3; i++)
        if (strcmp(value, names[i]) == 0) {
            load->format = (enum report_format)i;
            return 1;
        }
    return error_usage(err, "-format '%s': unknown: text, json or csv", value);
}

static int set_connection(struct load_options *load, const char *value, struct error *err) {
    load->fresh = strcmp(value, "new") == 0;
    return load->fresh || strcmp(value, "reuse") == 0
               ? 1
               : error_usage(err, "-connection '%s': unknown: reuse or new", value);
}

static int set_text(struct load_options *load, const char *name, const char *value,
                    struct error *err) {
    if (strcmp(name, "trace") == 0)
        load->trace = value;
    else if (strcmp(name, "trace-function") == 0)
        load->trace_function = value;
    else if (strcmp(name, "hdr-log") == 0)
        load->hdr_log = value;
    else if (strcmp(name, "progress") == 0)
        load->progress = true;
    else if (strcmp(name, "format") == 0)
        return set_format(load, value, err);
    else if (strcmp(name, "connection") == 0)
        return set_connection(load, value, err);
    else if (strcmp(name, "arrival") == 0)
        return arrival_kind(&load->arrival, load->arrival_name = value, err) == 0 ? 1 : -1;
    else
        return 0;
    return 1;
}

int load_option_set(struct load_options *load, const char *name, const char *value,
                    struct error *err) {
    int outcome = set_number(load, name, value, err);
    if (outcome == 0)
        outcome = set_text(load, name, value, err);
    load->wanted |= outcome == 1;
    return outcome;
}

static int check_together(const struct options *options, struct error *err) {
    const struct load_options *load = &options->load;
    bool open_loop = load->rate > 0 || load->trace;
    if (options->m5ops || options->channel || options->checkpoint || options->parameters ||
        options->then || options->settle_us)
        return error_usage(err,
                           "a load run has no marks, checkpoint, command, parameters or settling");
    if (load->rate > 0 && load->trace)
        return error_usage(err, "-rate and -trace: a trace has rates of its own");
    if (!load->trace && load->trace_function)
        return error_usage(err, "-trace-function without -trace");
    if (!open_loop && load->arrival_name)
        return error_usage(err, "-arrival %s: how fast? Give -rate or -trace", load->arrival_name);
    if (load->rate > 0 && load->arrival == ARRIVAL_RECORDED)
        return error_usage(err, "-arrival recorded: by a -trace only");
    if (load->fresh && load->connections)
        return error_usage(err, "-connection new has as many -connections as calls");
    if (load->concurrency && load->connections > load->concurrency)
        return error_usage(err, "-connections %ld: more than calls at a time (-concurrency)",
                           load->connections);
    return 0;
}

int load_options_check(struct options *options, struct error *err) {
    struct load_options *load = &options->load;
    if (check_together(options, err) != 0)
        return -1;
    if (!load->concurrency)
        load->concurrency = load->rate > 0 || load->trace ? CALLS_OPEN : 1;
    if (load->concurrency < load->connections)
        load->concurrency = load->connections;
    if (load->fresh && load->concurrency > CONNECTIONS_MAX)
        load->concurrency = CONNECTIONS_MAX;
    if (!load->connections)
        load->connections = load->fresh ? load->concurrency : 1;
    if (!options->invocations && !load->duration_s && !load->trace)
        load->duration_s = DURATION_DEFAULT;
    if (options->json)
        load->format = REPORT_JSON;
    return 0;
}
