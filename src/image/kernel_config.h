/* What a Linux kernel was configured to have, and whether that is enough for one of its version. */
#ifndef SLS_IMAGE_KERNEL_CONFIG_H
#define SLS_IMAGE_KERNEL_CONFIG_H

#include <stdbool.h>

#include <jansson.h>

#include "common/error.h"

/* A version of Linux, as far as options depend on it: 5.4 is 5004. */
#define KERNEL_VERSION(major, minor) ((major)*1000U + (minor))

struct kernel_config {
    json_t *options;  /* those that it speaks of, without CONFIG_: "y", "m", "n", or their values */
    char release[64]; /* of its head: 5.4.84; "": it has none */
    unsigned version; /* … as above; 0: it has none */
};

/* A configuration, as `make config` writes it, from where kernel_config_text()
 * (kernel_config_text.h) finds it. */
int kernel_config_read(struct kernel_config *config, const char *path, struct error *err);
void kernel_config_free(struct kernel_config *config);

/* How a requirement is met. */
enum kernel_option_state { OPTION_ABSENT, OPTION_MODULE, OPTION_BUILT_IN };
enum kernel_need { NEEDED, OPTIONAL, FORBIDDEN };

/* A line of recipes/kernel-requirements.list. The strings live as long as the check. */
struct kernel_requirement {
    const char *who, *title; /* of its section */
    enum kernel_need need;
    const char *options; /* OPTION, or OPTION|OPTION…: one is enough; those that the kernel has */
    bool built_in;       /* a module will not do */
    unsigned since;      /* the kernel is older than its options, and needs none: since this one */
    const char *why;
    const char *best; /* of the options */
    enum kernel_option_state state;
    bool met;
};

typedef void kernel_requirement_visitor(const struct kernel_requirement *requirement,
                                        void *context);

/* Hold the configuration against the list: the visitor sees each line in its order, but those that
 * only ask for what older kernels had. */
int kernel_config_check(const struct kernel_config *config, kernel_requirement_visitor *visit,
                        void *context, struct error *err);

#endif
