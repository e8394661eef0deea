/* A function's main(): its options, its one method, its server. */
#ifndef SLS_LIB_FUNCTION_H
#define SLS_LIB_FUNCTION_H

#include "lib/server.h"

struct function_option {
    const char *name;   /* without dashes; one dash or two are accepted */
    const char **value; /* the default, replaced by what is given */
    const char *help;
};

struct function {
    const char *name; /* "aes-c" */
    struct grpc_method method;
    const struct function_option *options; /* beside -addr; ended by a NULL name; NULL: none */
    int (*prepare)(struct error *err);     /* after the options are read; NULL: nothing to do */
};

/* printf into a fresh string, freed by the caller. NULL: no memory. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Exit status: 0 after SIGTERM, 1 failure, 2 usage. */
int function_main(int argc, char **argv, const struct function *function);

#endif
