/* A Docker Compose application as its files say it: several files one over the other, those that
 * they include, services that extend others. Nothing is looked at before it is asked for, so that
 * only what a service needs is judged. For compose.c. */
#ifndef SLS_IMAGE_COMPOSE_MODEL_H
#define SLS_IMAGE_COMPOSE_MODEL_H

#include <jansson.h>

#include "common/yaml_tree.h"
#include "image/compose_keys.h"
#include "image/variables.h"

/* What one place says of a service. */
struct definition {
    const struct tree_node *node;
    const char *directory; /* from which its paths go */
    const struct variables *variables;
};

/* All that is said of one service, what goes before it first. */
struct definitions {
    struct definition *list;
    size_t count;
};

struct model;

/* Paths of files, and of .env files (NULL: the one in the first file's folder, if there is one).
 * NULL with an error. */
struct model *model_open(const json_t *files, const json_t *env_files, struct error *err);
void model_free(struct model *model);

/* The services' names, in their order, as an object of nulls; the model's. */
const json_t *model_names(const struct model *model);

/* What the service's name stands for in the file that is asked last. The caller frees the list. */
int model_define(struct model *model, const char *name, struct definitions *definitions,
                 struct error *err);

/* What they say of a key, variables put in, and merged as its kind wants it; NULL: nothing.
 * Paths of `env_file` lead there from here. */
int model_value(struct model *model, const struct definitions *definitions, const char *key,
                const struct tree_node **value, struct error *err);

/* Of the top level's `volumes`, the one of this name. NULL: there is none, or with an error. */
int model_volume(struct model *model, const char *name, const struct tree_node **volume,
                 struct error *err);

/* Those of the first file, with which bare names are looked up. */
const struct variables *model_variables(const struct model *model);

/* Variables that were asked for and are not there, as an object of nulls; the model's. */
json_t *model_missing(const struct model *model);

#endif
