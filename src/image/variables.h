/* Variables as Docker Compose knows them: those of the environment, and below them those of .env
 * files; and texts in which they are put in: $NAME, ${NAME}, ${NAME:-DEFAULT}, ${NAME-DEFAULT},
 * ${NAME:?WHY}, ${NAME?WHY}, ${NAME:+OTHER}, ${NAME+OTHER}, one within the other. $$ is a dollar.
 */
#ifndef SLS_IMAGE_VARIABLES_H
#define SLS_IMAGE_VARIABLES_H

#include <stdbool.h>

#include <jansson.h>

#include "common/error.h"

struct variables {
    json_t *own;     /* NAME: VALUE, of files */
    json_t *missing; /* NAME: null: those that were asked for and are not there; may be NULL */
    const struct variables *above; /* what goes before `own`; NULL: the environment */
};

/* NULL: there is none of this name. */
const char *variables_get(const struct variables *variables, const char *name);

/* The text with its variables put in. The caller frees it.
 * NULL with an error, of the text alone. */
char *variables_expand(const struct variables *variables, const char *text, struct error *err);

/* Take the variables of a file into `into`, NAME: VALUE; those that are there give way. With `raw`,
 * what stands behind = is the value as it is; else it may be in quotes, with variables in it. A
 * name without = is taken from `variables`, if it is there. Error: FILE:LINE. */
int variables_read(const char *path, bool raw, const struct variables *variables, json_t *into,
                   struct error *err);

/* The same of a text that is there already. */
int variables_parse(const char *path, const char *text, bool raw, const struct variables *variables,
                    json_t *into, struct error *err);

#endif
