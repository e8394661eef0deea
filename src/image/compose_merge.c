#include "image/compose_merge.h"

#include <string.h>

/* A list of one for a text. */
static int list_of(struct tree *tree, const struct tree_node *node, const struct tree_node **list,
                   struct error *err) {
    struct tree_node *new = tree_like(tree, node, TREE_LIST);
    struct tree_node *one = tree_like(tree, node, TREE_TEXT);
    *list = node->kind == TREE_LIST ? node : new;
    if (node->kind == TREE_MAPPING)
        return tree_refuse(node, err, "must be a list");
    one->tag = TREE_UNTAGGED;
    one->text = node->text;
    if (node->kind == TREE_TEXT)
        tree_put(tree, new, NULL, node->line, one);
    return 0;
}

/* NAME=VALUE, or NAME without a value. */
static int put_named(struct tree *tree, const struct tree_node *item, struct tree_node *mapping,
                     struct error *err) {
    if (item->kind != TREE_TEXT || item->tag != TREE_UNTAGGED || !*item->text)
        return tree_refuse(item, err, "must be a list of texts, NAME=VALUE or NAME");
    const char *equals = strchr(item->text, '=');
    const char *key = tree_print(tree, "%.*s", (int)strcspn(item->text, "="), item->text);
    struct tree_node *value = tree_like(tree, item, equals ? TREE_TEXT : TREE_NULL);
    if (equals)
        value->text = equals + 1;
    tree_put(tree, mapping, key, item->line, value);
    return 0;
}

/* A mapping for a list of names. */
static int mapping_of(struct tree *tree, const struct tree_node *node,
                      const struct tree_node **mapping, struct error *err) {
    struct tree_node *new = tree_like(tree, node, TREE_MAPPING);
    *mapping = node->kind == TREE_MAPPING ? node : new;
    if (node->kind == TREE_TEXT)
        return tree_refuse(node, err, "must be a list or a mapping");
    for (size_t i = 0; node->kind == TREE_LIST && i < node->count; i++)
        if (put_named(tree, node->entries[i].node, new, err) < 0)
            return -1;
    return 0;
}

static int merge(struct tree *tree, const struct tree_node *later, const struct tree_node **value,
                 struct error *err);

static int append(struct tree *tree, const struct tree_node *later, const struct tree_node **value,
                  struct error *err) {
    struct tree_node *both = tree_like(tree, later, TREE_LIST);
    both->tag = TREE_UNTAGGED;
    for (int turn = 0; turn < 2; turn++) {
        const struct tree_node *list = turn ? later : *value;
        for (size_t i = 0; list && i < list->count; i++) {
            const struct tree_entry *entry = &list->entries[i];
            if (entry->node->tag != TREE_UNTAGGED)
                return tree_refuse(entry->node, err,
                                   "!reset and !override are for keys, not for a list's items");
            tree_put(tree, both, NULL, entry->line, entry->node);
        }
    }
    *value = both;
    return 0;
}

/* Key by key; with `by_name`, what is no mapping replaces whatever it was before. */
static int put_over(struct tree *tree, const struct tree_node *later, bool by_name,
                    const struct tree_node **value, struct error *err) {
    struct tree_node *both = tree_like(tree, *value ? *value : later, TREE_MAPPING);
    both->tag = TREE_UNTAGGED;
    for (size_t i = 0; *value && i < (*value)->count; i++)
        tree_put(tree, both, (*value)->entries[i].key, (*value)->entries[i].line,
                 (*value)->entries[i].node);
    for (size_t i = 0; i < later->count; i++) {
        const struct tree_entry *entry = &later->entries[i];
        const struct tree_node *one = tree_get(both, entry->key);
        bool deep = entry->node->kind == TREE_MAPPING && one && one->kind == TREE_MAPPING;
        if (by_name && !deep)
            one = entry->node->tag == TREE_RESET ? NULL : entry->node;
        else if (merge(tree, entry->node, &one, err) < 0)
            return -1;
        if (one)
            tree_put(tree, both, entry->key, entry->line, one);
        else
            tree_remove(both, entry->key);
    }
    *value = both;
    return 0;
}

/* By what they are. */
static int merge(struct tree *tree, const struct tree_node *later, const struct tree_node **value,
                 struct error *err) {
    if (later->tag == TREE_RESET) {
        *value = NULL;
        return 0;
    }
    if (later->tag == TREE_OVERRIDE || (*value && (*value)->kind == TREE_NULL))
        *value = NULL;
    if (later->kind == TREE_NULL) {
        *value = *value ? *value : later;
        return 0;
    }
    if (*value && (*value)->kind != later->kind)
        return tree_refuse(later, err,
                           "%s:%zu has something of another kind: !override replaces it",
                           (*value)->file, (*value)->line);
    if (later->kind == TREE_LIST)
        return append(tree, later, value, err);
    if (later->kind == TREE_MAPPING)
        return put_over(tree, later, false, value, err);
    *value = later;
    return 0;
}

int compose_merge(struct tree *tree, enum compose_merge how, const struct tree_node *later,
                  const struct tree_node **value, struct error *err) {
    if (later->tag == TREE_RESET || later->tag == TREE_OVERRIDE)
        *value = NULL;
    if (later->tag == TREE_RESET)
        return 0;
    if (how == COMPOSE_WORDS || (later->kind == TREE_NULL && !*value) || how == COMPOSE_REPLACE) {
        *value = how == COMPOSE_REPLACE && later->kind == TREE_NULL && *value ? *value : later;
        return 0;
    }
    if (later->kind == TREE_NULL)
        return 0;
    if (*value && (*value)->kind == TREE_NULL)
        *value = NULL;
    if (how == COMPOSE_BY_NAME)
        return mapping_of(tree, later, &later, err) < 0 ? -1
                                                        : put_over(tree, later, true, value, err);
    if (how == COMPOSE_APPEND && list_of(tree, later, &later, err) < 0)
        return -1;
    return merge(tree, later, value, err);
}
