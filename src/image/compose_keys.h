/* What of a service in a Docker Compose file is done here, and what is not: the one table
 * from which the reader (compose.c), its refusals and the table in docs/functions.md follow.
 * The keys are those of the Compose specification's schema. */
#ifndef SLS_IMAGE_COMPOSE_KEYS_H
#define SLS_IMAGE_COMPOSE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

enum compose_use {
    COMPOSE_DONE,    /* as the specification says, within the limits that are stated */
    COMPOSE_IDLE,    /* has no effect here that a run could show */
    COMPOSE_NAMED,   /* not done; a run is the same, but for what is stated: said by name */
    COMPOSE_REFUSED, /* not done, and the container would be another one */
};

/* How the value in a later file, or of a service that extends one, goes with the earlier one. */
enum compose_merge {
    COMPOSE_REPLACE, /* the later, unless it is null */
    COMPOSE_WORDS,   /* the later, also null */
    COMPOSE_APPEND,  /* lists; a single text is a list of one */
    COMPOSE_BY_NAME, /* mappings, or lists of NAME=VALUE or NAME */
    COMPOSE_DEEP,    /* mappings, level by level */
};

struct compose_key {
    const char *name;
    enum compose_use use;
    enum compose_merge merge;
    const char *harmless; /* of those not done, values that ask for nothing: " a b " */
    const char *what;     /* what is done, or why not */
};

extern const struct compose_key compose_keys[];
extern const size_t compose_keys_count;

/* NULL: the specification has no such key. */
const struct compose_key *compose_key_find(const char *name);

/* Of these words, the one most like `name`, or NULL if none is. */
const char *compose_nearest(const char *name, const char *const words[], size_t count);

/* The same, of the keys of a service. */
const char *compose_key_nearest(const char *name);

/* Its use in one word: "done", "no effect", "named", "refused". */
const char *compose_use_name(enum compose_use use);

/* Whether the text is one of the words in a list " a b ". */
bool compose_is_listed(const char *text, const char *list);

#endif
