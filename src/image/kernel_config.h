/* What a Linux kernel was configured to have, and whether that is enough. */
#ifndef SLS_IMAGE_KERNEL_CONFIG_H
#define SLS_IMAGE_KERNEL_CONFIG_H

#include <stdbool.h>

#include <jansson.h>

#include "common/error.h"

/* A configuration, as `make config` writes it, plain or compressed by gzip: an object of the
 * options that are set, by their names without CONFIG_: "y", "m", or what else stands there. The
 * caller's; NULL with an error: not one. */
json_t *kernel_config_read(const char *path, struct error *err);

/* How a requirement is met. */
enum kernel_option_state { OPTION_ABSENT, OPTION_MODULE, OPTION_BUILT_IN };
enum kernel_need { NEEDED, OPTIONAL, FORBIDDEN };

/* A line of recipes/kernel-requirements.list. The strings live as long as the check. */
struct kernel_requirement {
    const char *who, *title; /* of its section */
    enum kernel_need need;
    const char *options; /* OPTION, or OPTION|OPTION…: one is enough */
    bool built_in;       /* a module will not do */
    const char *why;
    const char *best; /* of the options */
    enum kernel_option_state state;
    bool met;
};

typedef void kernel_requirement_visitor(const struct kernel_requirement *requirement,
                                        void *context);

/* Hold the configuration against the list: the visitor sees each line in its order. */
int kernel_config_check(const json_t *config, kernel_requirement_visitor *visit, void *context,
                        struct error *err);

#endif
