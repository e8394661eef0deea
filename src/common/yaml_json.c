#include "common/yaml_json.h"

#include "common/cleanup.h"
#include "common/file.h"
#include "common/yaml_tree.h"

static json_t *convert(const struct tree_node *node, struct error *err) {
    if (node->tag != TREE_UNTAGGED) {
        tree_refuse(node, err, "!reset and !override are for Docker Compose files");
        return NULL;
    }
    if (node->kind == TREE_NULL)
        return json_null();
    if (node->kind == TREE_TEXT)
        return json_string(node->text);
    json_t *value = node->kind == TREE_LIST ? json_array() : json_object();
    for (size_t i = 0; i < node->count; i++) {
        const struct tree_entry *entry = &node->entries[i];
        json_t *one = convert(entry->node, err);
        if (!one)
            return json_decref(value), NULL;
        if (node->kind == TREE_LIST)
            json_array_append_new(value, one);
        else
            json_object_set_new(value, entry->key, one);
    }
    return value;
}

json_t *yaml_read(const char *path, struct error *err) {
    struct tree *tree = tree_new();
    size_t size;
    autofree char *text = file_read(path, &size, err);
    const struct tree_node *documents = text ? tree_parse(tree, path, text, size, err) : NULL;
    json_t *value = NULL;
    if (documents && documents->count != 1)
        error_set(err, "%s: %s", path, documents->count ? "more than one document" : "empty");
    else if (documents)
        value = convert(documents->entries[0].node, err);
    tree_free(tree);
    return value;
}
