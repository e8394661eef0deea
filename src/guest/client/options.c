#include "client/options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "guest/m5/m5op.h"

/* Bytes of the file; what fw_cfg holds for us (docs/architecture.md). */
#define PARAMETERS_MAX 4096
#define INVOCATIONS_MAX 1000000            /* every reply is kept until the end */
#define INVOCATIONS_LOAD_MAX 1000000000000 /* of a load run, which keeps none */

static const struct description {
    const char *name;
    const char *argument; /* NULL: a switch */
    bool late;            /* may be given again in the parameters file */
    const char *help;
    const char *heading; /* the first of a group: what the group is */
} descriptions[] = {
    {"addr", "HOST:PORT", false, "the function (localhost:50051)", "what is called"},
    {"url", "HOST", false, "with -port: the same, as vSwarm's client spells it"},
    {"port", "PORT", false, "of -url (50051)"},
    {"function", "NAME", false,
     "which of those below, also as NAME-LANGUAGE (the server is asked)"},
    {"function-name", "NAME", false, "the same, as vSwarm's client spells it"},
    {"method", "PATH", false, "/package.Service/Method instead of the function's own"},
    {"function-method", "N", false, "vSwarm's: 0 or default, the one method that each has here"},
    {"input", "TEXT", true, "what is sent (depends on the function)"},
    {"name", "TEXT", true, "the same, as vSwarm's client spells it"},
    {"generator", "KIND", true, "unique: -input each time; linear; random (unique)"},
    {"genType", "KIND", true, "the same, as vSwarm's client spells it"},
    {"lower", "N", true, "generated numbers, or lengths of texts: from (1) …"},
    {"upper", "N", true, "… to (10)"},
    {"lowerBound", "N", true, "-lower"},
    {"upperBound", "N", true, "-upper"},
    {"seed", "N", true, "of -generator random and of arrivals (1)"},
    {"n", "N", true, "number of measured invocations (10)", "how often, and what is waited for"},
    {"warm", "N", false, "invocations before the measured ones, neither counted nor marked (0)"},
    {"w", "N", false, "the same, as vSwarm's client spells it"},
    {"delay", "USEC", true, "wait so long after each measured invocation (0)"},
    {"timeout", "SEC", true, "longest wait for a reply (10)"},
    {"wait", "SEC", false, "keep trying to connect for so long (0)"},
    {"verify", NULL, false, "check each reply's contents (default)"},
    {"no-verify", NULL, false, "check only that there is a reply"},
    {"v", NULL, false, "print each reply"},
    {"logging", "FILE", false, "append what is printed to this file instead"},
    {"json", NULL, false, "print the summary as JSON"},
    {"concurrency", "C", false, "calls at a time (1, or K); in an open loop at most (1000)",
     "load: any of these makes the run one (docs/load.md)"},
    {"connections", "K", false, "connections that they are spread over (1)"},
    {"connection", "KIND", false, "reuse; or new: one for each call, which waits for it (reuse)"},
    {"duration", "SEC", false, "end after so long, instead of -n (10)"},
    {"rate", "R", false, "open loop: R calls are due a second, whatever became of the others"},
    {"arrival", "KIND", false, "when they are due: poisson, uniform or bursty (poisson)"},
    {"burst", "N", false, "of -arrival bursty: calls back to back (10)"},
    {"trace", "FILE", false, "open loop: as in this trace of Azure Functions, 2019's or 2021's"},
    {"trace-function", "HASH", false,
     "which of its functions, or how its hash begins (the first); APP/HASH"},
    {"trace-minute", "SEC", false, "how long a minute of it lasts (60)"},
    {"format", "KIND", false, "of the summary: text, json or csv (text)"},
    {"hdr-log", "FILE", false, "write the latencies as an HdrHistogram log"},
    {"progress", NULL, false, "a line a second on standard error, also where it is no terminal"},
    {"m5ops", NULL, false, "mark each invocation: work begin, work end", "in a simulated machine"},
    {"settle", "USEC", true,
     "wait so long before the end mark: the function's epilogue is inside (0)"},
    {"channel", NULL, false, "report to the simulation's host, where there is one"},
    {"checkpoint", NULL, false, "after the warm-ups, stop the machine for a checkpoint"},
    {"then", "COMMAND", false, "after the warm-ups, before the checkpoint, let the shell run it"},
    {"cold", "NAME", false,
     "the one invocation is the function's start by slsuite-function, up to the first reply"},
    {"parameters", "FILE", false,
     "after the checkpoint, read options from it: lines NAME=VALUE; in gem5, `m5 readfile`'s"},
    {"help", NULL, false, "print this", "about the client"},
    {"version", NULL, false, "print the version"},
};
#define DESCRIPTIONS (sizeof descriptions / sizeof *descriptions)

static void print_help(void) {
    printf("client: sends invocations to a function (gRPC) and checks every reply\n"
           "usage: client -addr HOST:PORT -n N [OPTION]…   (one dash or two)\n");
    for (size_t i = 0; i < DESCRIPTIONS; i++) {
        const struct description *d = &descriptions[i];
        if (d->heading)
            printf("%s:\n", d->heading);
        printf("  -%s %-*s %s\n", d->name, 23 - (int)strlen(d->name),
               d->argument ? d->argument : "", d->help);
    }
    printf("functions: ");
    function_print_names();
    printf("\n");
}

int option_number(const char *name, const char *text, long least, long most, long *number,
                  struct error *err) {
    char *end;
    errno = 0;
    *number = strtol(text, &end, 10);
    if (end == text || *end || errno || *number < least || *number > most)
        return error_usage(err, "-%s '%s': not a number from %ld to %ld", name, text, least, most);
    return 0;
}

static int option_set(struct options *o, const char *name, const char *value, struct error *err) {
    const struct {
        const char *name;
        long *number, least, most;
    } numbers[] = {
        {"n", &o->invocations, 1, INVOCATIONS_LOAD_MAX},
        {"warm", &o->warm_ups, 0, INVOCATIONS_MAX},
        {"w", &o->warm_ups, 0, INVOCATIONS_MAX},
        {"lower", &o->generator.lower, 0, INPUT_MAX},
        {"upper", &o->generator.upper, 0, INPUT_MAX},
        {"lowerBound", &o->generator.lower, 0, INPUT_MAX},
        {"upperBound", &o->generator.upper, 0, INPUT_MAX},
        {"seed", &o->generator.seed, 0, LONG_MAX},
        {"settle", &o->settle_us, 0, 1000000},
        {"delay", &o->delay_us, 0, 3600 * 1000000L},
        {"timeout", &o->timeout_s, 1, 3600},
        {"wait", &o->wait_s, 0, 3600},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(name, numbers[i].name) == 0)
            return option_number(name, value, numbers[i].least, numbers[i].most, numbers[i].number,
                                 err);

    const struct {
        const char *name;
        bool *flag, value;
    } flags[] = {
        {"m5ops", &o->m5ops, true},
        {"verify", &o->verify, true},
        {"no-verify", &o->verify, false},
        {"channel", &o->channel, true},
        {"checkpoint", &o->checkpoint, true},
        {"json", &o->json, true},
        {"v", &o->verbose, true},
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(name, flags[i].name) == 0) {
            *flags[i].flag = flags[i].value;
            return 0;
        }

    int loaded = load_option_set(&o->load, name, value, err);
    if (loaded != 0)
        return loaded == 1 ? 0 : -1;
    if (strcmp(name, "addr") == 0)
        o->address = value;
    else if (strcmp(name, "url") == 0)
        o->url = value;
    else if (strcmp(name, "port") == 0)
        o->port = value;
    else if (strcmp(name, "logging") == 0)
        o->log = value;
    else if (strcmp(name, "function-method") == 0)
        return strcmp(value, "0") == 0 || strcmp(value, "default") == 0
                   ? 0
                   : error_usage(err,
                                 "-function-method '%s': each function has one method here, 0: "
                                 "another one is -method /package.Service/Method",
                                 value);
    else if (strcmp(name, "method") == 0)
        o->method = value;
    else if (strcmp(name, "input") == 0 || strcmp(name, "name") == 0)
        o->generator.input = value;
    else if (strcmp(name, "parameters") == 0)
        o->parameters = value;
    else if (strcmp(name, "cold") == 0)
        o->cold = value;
    else if (strcmp(name, "then") == 0)
        o->then = value;
    else if (strcmp(name, "generator") == 0 || strcmp(name, "genType") == 0)
        return generator_kind(&o->generator, value, err);
    else
        return (o->function = function_kind_find(value, err)) ? 0
                                                              : -1; /* function, function-name */
    return 0;
}

/* -url and -port instead of -addr. */
static int put_address_together(struct options *o, struct error *err) {
    static char address[300];
    if (!o->url && !o->port)
        return 0;
    int size = snprintf(address, sizeof address, "%s:%s", o->url ? o->url : "localhost",
                        o->port ? o->port : "50051");
    if (size >= (int)sizeof address)
        return error_usage(err, "-url: longer than any host's name");
    o->address = address;
    return 0;
}

static int options_check(struct options *o, struct error *err) {
    if (o->load.wanted && (o->delay_us || o->verbose))
        return error_usage(err, "-delay, -v: not in a load run, which keeps no replies and sets "
                                "its own pace: -rate");
    if (o->generator.lower > o->generator.upper)
        return error_usage(err, "-lower %ld is above -upper %ld", o->generator.lower,
                           o->generator.upper);
    if (o->method && (o->method[0] != '/' || !strchr(o->method + 1, '/')))
        return error_usage(err, "-method '%s': write /package.Service/Method", o->method);
    if (o->cold && !o->function)
        return error_usage(err, "-cold: say which function it is: -function NAME");
    if (o->generator.input && strlen(o->generator.input) > INPUT_MAX)
        return error_usage(err, "-input is longer than %d bytes", INPUT_MAX);
    if (o->load.wanted)
        return load_options_check(o, err);
    if (!o->invocations)
        o->invocations = 10;
    if (o->invocations > INVOCATIONS_MAX)
        return error_usage(err,
                           "-n %ld: more than %d: their replies are kept; a load run's are not",
                           o->invocations, INVOCATIONS_MAX);
    return 0;
}

int options_parse(struct options *options, int argc, char **argv, struct error *err) {
    struct option table[DESCRIPTIONS + 1] = {{0}};
    int index, c;
    for (size_t i = 0; i < DESCRIPTIONS; i++)
        table[i] =
            (struct option){descriptions[i].name,
                            descriptions[i].argument ? required_argument : no_argument, NULL, 1};
    *options = (struct options){
        .address = "localhost:50051",
        .generator = {.lower = 1, .upper = 10, .seed = 1},
        .timeout_s = 10,
        .verify = true,
        .load = LOAD_OPTIONS_DEFAULT,
    };
    opterr = 0;
    while ((c = getopt_long_only(argc, argv, "", table, &index)) != -1) {
        if (c != 1)
            return error_usage(err, "option %s: unknown, or without its value: see client -help",
                               argv[optind - 1]);
        if (strcmp(table[index].name, "help") == 0) {
            print_help();
            exit(0);
        }
        if (strcmp(table[index].name, "version") == 0) {
            printf("client of serverless-suite " SLS_VERSION "\n");
            exit(0);
        }
        if (option_set(options, table[index].name, optarg, err) != 0)
            return -1;
    }
    if (optind < argc)
        return error_usage(err, "unexpected argument '%s': see client -help", argv[optind]);
    if (put_address_together(options, err) < 0)
        return -1;
    if (options->method && !options->function) /* whose requests and replies are as all others' */
        options->function = function_kind_find("helloworld", NULL);
    if (options->function && !options->method)
        options->method = options->function->method;
    if (options->function && !options->generator.input)
        options->generator.input = options->function->input;
    return options_check(options, err);
}

/* Plain reads: the file is a device's (fw_cfg), read anew each time.
 * `text` has PARAMETERS_MAX + 1 zeros. */
static int read_parameters(const char *path, char *text, struct error *err) {
    size_t size = 0;
    ssize_t n = 1;
    if (m5_spelling() != M5_SPELL_MARK) {
        m5_read_file(text, PARAMETERS_MAX, 0);
        return 0;
    }
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (; fd >= 0 && n > 0 && size<PARAMETERS_MAX; size += n> 0 ? (size_t)n : 0)
        n = read(fd, text + size, PARAMETERS_MAX - size);
    return fd < 0 || n < 0 ? error_errno(err, "read %s", path) : 0;
}

int options_read_parameters(struct options *options, struct error *err) {
    static char text[PARAMETERS_MAX + 1]; /* the values live on as options */
    memset(text, 0, sizeof text);         /* gem5 writes only to pages that are there */
    if (read_parameters(options->parameters, text, err) < 0)
        return -1;
    char *rest;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *equals = strchr(line, '=');
        size_t i = 0;
        if (equals)
            *equals = '\0';
        while (i < DESCRIPTIONS &&
               (!descriptions[i].late || strcmp(descriptions[i].name, line) != 0))
            i++;
        if (!equals || i == DESCRIPTIONS)
            return error_usage(err, "%s: '%s' is no parameter", options->parameters, line);
        if (option_set(options, line, equals + 1, err) != 0)
            return -1;
    }
    return options_check(options, err);
}
