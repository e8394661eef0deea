#include "common/yaml_json.h"

#include <stdio.h>

#include <yaml.h>

#include "common/cleanup.h"

#define DEEPEST 32 /* an alias that contains itself would go on for ever */

static json_t *convert(yaml_document_t *document, int index, int depth) {
    yaml_node_t *node = yaml_document_get_node(document, index);
    if (!node || depth > DEEPEST)
        return NULL;
    if (node->type == YAML_SCALAR_NODE)
        return json_stringn((const char *)node->data.scalar.value, node->data.scalar.length);
    if (node->type == YAML_SEQUENCE_NODE) {
        json_t *array = json_array();
        for (yaml_node_item_t *item = node->data.sequence.items.start;
             item < node->data.sequence.items.top; item++)
            if (json_array_append_new(array, convert(document, *item, depth + 1)) < 0)
                return json_decref(array), NULL;
        return array;
    }
    json_t *object = json_object();
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(document, pair->key);
        if (!key || key->type != YAML_SCALAR_NODE ||
            json_object_set_new(object, (const char *)key->data.scalar.value,
                                convert(document, pair->value, depth + 1)) < 0)
            return json_decref(object), NULL;
    }
    return object;
}

json_t *yaml_read(const char *path, struct error *err) {
    autofclose FILE *stream = fopen(path, "re");
    if (!stream) {
        error_errno(err, "cannot read %s", path);
        return NULL;
    }
    yaml_parser_t parser;
    yaml_document_t document;
    yaml_parser_initialize(&parser);
    yaml_parser_set_input_file(&parser, stream);
    json_t *value = NULL;
    if (!yaml_parser_load(&parser, &document)) {
        error_set(err, "%s:%zu: not YAML: %s", path, parser.problem_mark.line + 1,
                  parser.problem ? parser.problem : "unreadable");
    } else {
        value = convert(&document, 1, 0);
        if (!value)
            error_set(err, "%s: empty, or not plain YAML (text, lists and mappings)", path);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return value;
}
