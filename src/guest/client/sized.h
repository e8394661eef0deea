/* Functions with inputs of three sizes, small, medium and large, and what each must answer. The
 * answers were computed by tests/component/reference.py, in another way than the functions do, and
 * its test holds the two against each other. What follows them (sizes of compressed files) depends
 * on versions of libraries. */
#ifndef SLS_GUEST_CLIENT_SIZED_H
#define SLS_GUEST_CLIENT_SIZED_H

#include <stdbool.h>

#define SIZES 3

extern const char *const sizes[SIZES];

struct sized_function {
    const char *name, *method;
    const char *answers[SIZES]; /* beginnings of the replies, behind "fn: " */
    bool numbered;              /* its requests hold a number, too, and may ask for anything */
};

extern const struct sized_function sized_functions[];
extern const unsigned sized_function_count;

#endif
