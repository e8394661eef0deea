/* YAML as a tree that remembers its lines (libyaml's events): for files of others, whose faults
 * must be named. Aliases are followed, `<<` merges mappings, a key that is there twice is refused.
 * Nodes never change; several parents may share one. They live as long as the tree. */
#ifndef SLS_COMMON_YAML_TREE_H
#define SLS_COMMON_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

#define TREE_DEEPEST 48       /* levels */
#define TREE_MOST_NODES 20000 /* of a file, each as often as it is referred to */

enum tree_kind { TREE_NULL, TREE_TEXT, TREE_LIST, TREE_MAPPING };
enum tree_tag { TREE_UNTAGGED, TREE_RESET, TREE_OVERRIDE }; /* Compose's: !reset, !override */

struct tree_node;

struct tree_entry {
    const char *key; /* of a mapping; NULL in a list */
    size_t line;     /* the key's */
    const struct tree_node *node;
};

struct tree_node {
    enum tree_kind kind;
    enum tree_tag tag;
    bool plain;       /* a text without quotes or tag: it may be meant as a number or a truth */
    const char *file; /* where it stands: FILE:LINE */
    size_t line;
    const char *text; /* "" if it is none */
    size_t count, room;
    struct tree_entry *entries; /* of a list or a mapping */
    size_t size;                /* nodes in it, itself included */
};

/* What owns nodes. */
struct tree;
struct tree *tree_new(void);
void tree_free(struct tree *tree);

/* Take this file's documents into the tree: a list of them. NULL with an error that names file and
 * line. */
const struct tree_node *tree_parse(struct tree *tree, const char *file, const char *text,
                                   size_t size, struct error *err);

/* The value of a mapping's key, or NULL. A node that is NULL or no mapping has none. */
const struct tree_node *tree_get(const struct tree_node *node, const char *key);

/* A text and not empty, or else NULL. */
const char *tree_text(const struct tree_node *node);

/* For making nodes. A copy of `like` (its place, kind and tag) without entries; an entry put at its
 * end, or in the place of the one with that key (may be NULL: a list); one taken away. */
struct tree_node *tree_like(struct tree *tree, const struct tree_node *like, enum tree_kind kind);
void tree_put(struct tree *tree, struct tree_node *node, const char *key, size_t line,
              const struct tree_node *value);
void tree_remove(struct tree_node *node, const char *key);

/* printf into a string of the tree's. */
const char *tree_print(struct tree *tree, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "FILE:LINE: …" Always -1. */
int tree_refuse(const struct tree_node *node, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
