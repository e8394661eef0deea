/* The client's command line, and the parameters that replace parts of it after the checkpoint. */
#ifndef SLS_GUEST_CLIENT_OPTIONS_H
#define SLS_GUEST_CLIENT_OPTIONS_H

#include <stdbool.h>

#include "client/functions.h"
#include "client/load_options.h"

struct options {
    const char *address;
    const char *url, *port; /* what it is put together from, or NULL */
    /* Both NULL: the server is asked (discover.h) before anything else is done. */
    const struct function_kind *function;
    const char *method; /* "/package.Service/Method" */
    struct generator generator;
    long invocations; /* 0: a load run that ends otherwise */
    long warm_ups;
    long settle_us, delay_us;
    long timeout_s, wait_s;
    const char *parameters; /* a file, or NULL */
    const char *then;       /* a program that runs right before the checkpoint, or NULL */
    const char *cold;       /* the function whose cold start is the one invocation, or NULL */
    const char *log;        /* a file for what is printed, or NULL */
    bool m5ops, verify, channel, checkpoint, json, verbose;
    struct load_options load;
};

/* The command line over the defaults. -help and -version are served here and exit. */
int options_parse(struct options *options, int argc, char **argv, struct error *err);

/* The file of lines NAME=VALUE, NUL-padded, over the options. */
int options_read_parameters(struct options *options, struct error *err);

/* The value of -NAME as a number from `least` to `most`. */
int option_number(const char *name, const char *text, long least, long most, long *number,
                  struct error *err);

#endif
