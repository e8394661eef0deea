/* The functions the client knows: where they are called, with which inputs, and what they must
 * answer. All take one string and return one, each in field 1, and one of them a number in field 2,
 * so that one message type serves for all. */
#ifndef SLS_GUEST_CLIENT_FUNCTIONS_H
#define SLS_GUEST_CLIENT_FUNCTIONS_H

#include <stdint.h>

#include "client/sized.h"
#include "common/error.h"

#define INPUT_MAX 1000000 /* bytes of an input, and the largest number generated */

/* As vSwarm's input generators: unique repeats the one input, linear counts from lower to upper and
 * begins again, random draws from lower to upper (splitmix64: the same seed gives the same inputs
 * on every machine). */
enum generator_mode { GENERATE_UNIQUE, GENERATE_LINEAR, GENERATE_RANDOM };

struct generator {
    enum generator_mode mode;
    const char *input;
    long lower, upper, seed;
};

int generator_kind(struct generator *generator, const char *name, struct error *err);

struct function_kind {
    const char *name;
    const char *method;
    const char *input; /* the default */
    /* The index-th generated input, at most INPUT_MAX bytes and a NUL. */
    void (*generate)(const struct generator *generator, uint64_t index, char *input);
    int (*verify)(const char *input, const char *reply, struct error *err);
    const struct sized_function *sized; /* verifies instead, if there is one */
};

/* By NAME or NAME-LANGUAGE. NULL: there is no such. */
const struct function_kind *function_kind_find(const char *name, struct error *err);

/* The known ones, 0 … function_kinds() - 1. */
unsigned function_kinds(void);
const struct function_kind *function_kind(unsigned index);

/* All names, on stdout, separated by commas. */
void function_print_names(void);

/* Of a function that is sent a number, too, the input is TEXT or TEXT:NUMBER: cut the number off,
 * and return it. 0: none, as for all other functions. */
int function_take_number(const struct function_kind *function, char *input);

/* Is this the right reply? -1: no, and why. */
int function_verify(const struct function_kind *function, const char *input, const char *reply,
                    struct error *err);

/* The index-th input of a run, in a buffer of INPUT_MAX + 1 bytes. */
void function_input(const struct function_kind *function, const struct generator *generator,
                    uint64_t index, char *input);

#endif
