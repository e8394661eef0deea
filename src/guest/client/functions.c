#include "client/functions.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/verify.h"
#include "common/random.h"

/* A number from lower to upper. */
static long pick(const struct generator *g, uint64_t index) {
    uint64_t span = (uint64_t)(g->upper - g->lower) + 1;
    uint64_t step = g->mode == GENERATE_LINEAR ? index : random_draw((uint64_t)g->seed, index);
    return g->lower + (long)(step % span);
}

static void generate_number(const struct generator *g, uint64_t index, char *input) {
    sprintf(input, "%ld", pick(g, index));
}

/* Random letters, as many as the number picked; linear: the number itself. */
static void generate_text(const struct generator *g, uint64_t index, char *input) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (g->mode == GENERATE_LINEAR) {
        generate_number(g, index, input);
        return;
    }
    long length = pick(g, index);
    uint64_t seed = random_draw(~(uint64_t)g->seed, index);
    for (long i = 0; i < length; i++)
        input[i] = letters[random_draw(seed, (uint64_t)i) % (sizeof letters - 1)];
    input[length] = '\0';
}

static void generate_token(const struct generator *g, uint64_t index, char *input) {
    static const char *const tokens[] = {"allow", "deny", "unauthorized", "bla bla"};
    uint64_t step = g->mode == GENERATE_LINEAR ? index : random_draw((uint64_t)g->seed, index);
    strcpy(input, tokens[step % (sizeof tokens / sizeof *tokens)]);
}

static void generate_size(const struct generator *g, uint64_t index, char *input) {
    uint64_t step = g->mode == GENERATE_LINEAR ? index : random_draw((uint64_t)g->seed, index);
    strcpy(input, sizes[step % SIZES]);
}

static const struct function_kind functions[] = {
    {"aes", "/aes.Aes/ShowEncryption", "world", generate_text, verify_aes, NULL},
    {"auth", "/auth.Greeter/SayHello", "allow", generate_token, verify_auth, NULL},
    {"fibonacci", "/fibonacci.Greeter/SayHello", "10", generate_number, verify_fibonacci, NULL},
    {"helloworld", "/helloworld.Greeter/SayHello", "world", generate_text, verify_helloworld, NULL},
};
#define FUNCTIONS (sizeof functions / sizeof *functions)

/* `name` is KIND, or KIND-LANGUAGE. */
static bool is_of_kind(const char *name, const char *kind) {
    size_t length = strlen(kind);
    return strncmp(name, kind, length) == 0 && (!name[length] || name[length] == '-');
}

unsigned function_kinds(void) {
    return FUNCTIONS + sized_function_count;
}

const struct function_kind *function_kind(unsigned index) {
    static struct function_kind found;
    if (index < FUNCTIONS)
        return &functions[index];
    const struct sized_function *sized = &sized_functions[index - FUNCTIONS];
    found =
        (struct function_kind){sized->name, sized->method, sizes[0], generate_size, NULL, sized};
    return &found;
}

const struct function_kind *function_kind_find(const char *name, struct error *err) {
    for (unsigned i = 0; i < function_kinds(); i++)
        if (is_of_kind(name, function_kind(i)->name))
            return function_kind(i);
    error_usage(err, "function '%s': unknown: see client -help", name);
    return NULL;
}

void function_print_names(void) {
    for (unsigned i = 0; i < function_kinds(); i++)
        printf("%s%s", i ? ", " : "", function_kind(i)->name);
}

int function_take_number(const struct function_kind *function, char *input) {
    char *colon = function->sized && function->sized->numbered ? strrchr(input, ':') : NULL;
    if (!colon)
        return 0;
    *colon = '\0';
    return atoi(colon + 1);
}

int function_verify(const struct function_kind *function, const char *input, const char *reply,
                    struct error *err) {
    return function->sized ? verify_sized(function->sized, input, reply, err)
                           : function->verify(input, reply, err);
}

int generator_kind(struct generator *generator, const char *name, struct error *err) {
    static const char *const names[] = {"unique", "linear", "random"};
    for (int i = 0; i < 3; i++)
        if (strcmp(name, names[i]) == 0) {
            generator->mode = (enum generator_mode)i;
            return 0;
        }
    return error_usage(err, "generator '%s': unknown: unique, linear or random", name);
}

void function_input(const struct function_kind *function, const struct generator *generator,
                    uint64_t index, char *input) {
    if (generator->mode == GENERATE_UNIQUE)
        strcpy(input, generator->input);
    else
        function->generate(generator, index, input);
}
