#include "common/yaml_tree.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "common/cleanup.h"
#include "common/file.h"

/* What was allocated, in a chain, to be freed together. */
struct block {
    struct block *next;
    max_align_t data[];
};

struct tree {
    struct block *blocks;
};

struct anchor {
    char *name;
    const struct tree_node *node;
    struct anchor *next;
};

/* A file that is being read. */
struct reader {
    struct tree *tree;
    const char *file;
    yaml_parser_t parser;
    struct anchor *anchors; /* of this document; the latest of a name is the first */
    size_t nodes;
    struct error *err;
};

static void *take(struct tree *tree, size_t size) {
    struct block *block = calloc(1, sizeof *block + size);
    if (!block)
        abort();
    block->next = tree->blocks;
    tree->blocks = block;
    return block->data;
}

struct tree *tree_new(void) {
    struct tree *tree = calloc(1, sizeof *tree);
    if (!tree)
        abort();
    return tree;
}

void tree_free(struct tree *tree) {
    for (struct block *block = tree ? tree->blocks : NULL, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(tree);
}

const char *tree_print(struct tree *tree, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    autofree char *text = format_string_v(format, arguments);
    va_end(arguments);
    char *kept = take(tree, strlen(text) + 1);
    strcpy(kept, text);
    return kept;
}

int tree_refuse(const struct tree_node *node, struct error *err, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    autofree char *text = format_string_v(format, arguments);
    va_end(arguments);
    return error_set(err, "%s:%zu: %s", node->file, node->line, text);
}

const struct tree_node *tree_get(const struct tree_node *node, const char *key) {
    for (size_t i = 0; node && node->kind == TREE_MAPPING && i < node->count; i++)
        if (strcmp(node->entries[i].key, key) == 0)
            return node->entries[i].node;
    return NULL;
}

const char *tree_text(const struct tree_node *node) {
    return node && node->kind == TREE_TEXT && *node->text ? node->text : NULL;
}

struct tree_node *tree_like(struct tree *tree, const struct tree_node *like, enum tree_kind kind) {
    struct tree_node *node = take(tree, sizeof *node);
    *node = (struct tree_node){.kind = kind,
                               .tag = like->tag,
                               .file = like->file,
                               .line = like->line,
                               .text = "",
                               .size = 1};
    return node;
}

void tree_put(struct tree *tree, struct tree_node *node, const char *key, size_t line,
              const struct tree_node *value) {
    node->size += value->size;
    for (size_t i = 0; key && i < node->count; i++) {
        if (strcmp(node->entries[i].key, key) == 0) {
            node->entries[i] = (struct tree_entry){.key = key, .line = line, .node = value};
            return;
        }
    }
    if (node->count == node->room) {
        node->room = node->room ? node->room * 2 : 4;
        struct tree_entry *more = take(tree, node->room * sizeof *more);
        if (node->count)
            memcpy(more, node->entries, node->count * sizeof *more);
        node->entries = more;
    }
    node->entries[node->count++] = (struct tree_entry){.key = key, .line = line, .node = value};
}

void tree_remove(struct tree_node *node, const char *key) {
    for (size_t i = 0; i < node->count; i++) {
        if (strcmp(node->entries[i].key, key) == 0) {
            memmove(&node->entries[i], &node->entries[i + 1],
                    (node->count - i - 1) * sizeof *node->entries);
            node->count--;
            return;
        }
    }
}

static const void *refuse(struct reader *reader, const yaml_event_t *event, const char *what) {
    const struct tree_node at = {.file = reader->file, .line = event->start_mark.line + 1};
    tree_refuse(&at, reader->err, "%s", what);
    return NULL;
}

static int next_event(struct reader *reader, yaml_event_t *event) {
    const yaml_parser_t *parser = &reader->parser;
    if (yaml_parser_parse(&reader->parser, event))
        return 0;
    const struct tree_node at = {.file = reader->file, .line = parser->problem_mark.line + 1};
    return tree_refuse(&at, reader->err, "not YAML: %s",
                       parser->problem ? parser->problem : "unreadable");
}

static void forget_anchors(struct reader *reader) {
    for (struct anchor *anchor = reader->anchors, *next; anchor; anchor = next) {
        next = anchor->next;
        free(anchor->name);
        free(anchor);
    }
    reader->anchors = NULL;
}

static void remember(struct reader *reader, const char *name, const struct tree_node *node) {
    struct anchor *anchor = calloc(1, sizeof *anchor);
    if (!anchor)
        abort();
    *anchor = (struct anchor){.name = strdup(name), .node = node, .next = reader->anchors};
    reader->anchors = anchor;
}

/* Its anchor is remembered when it is complete: so none contains itself. */
static const struct tree_node *follow(struct reader *reader, const yaml_event_t *event) {
    const char *name = (const char *)event->data.alias.anchor;
    for (struct anchor *anchor = reader->anchors; anchor; anchor = anchor->next) {
        if (strcmp(anchor->name, name) == 0) {
            reader->nodes += anchor->node->size;
            return anchor->node;
        }
    }
    const struct tree_node at = {.file = reader->file, .line = event->start_mark.line + 1};
    tree_refuse(&at, reader->err, "*%s: no &%s is complete before it", name, name);
    return NULL;
}

/* The tags that say no more than what is seen, and Compose's. */
static int take_tag(struct reader *reader, const yaml_event_t *event, const yaml_char_t *said,
                    struct tree_node *node) {
    static const char standard[] = "tag:yaml.org,2002:";
    static const char *const kinds[] = {"str", "int", "float", "bool", "null", "map", "seq"};
    const char *tag = (const char *)said;
    if (!tag || strcmp(tag, "!") == 0)
        return 0;
    if (strcmp(tag, "!reset") == 0 || strcmp(tag, "!override") == 0) {
        node->tag = tag[1] == 'r' ? TREE_RESET : TREE_OVERRIDE;
        return 0;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(tag, standard, strlen(standard)) == 0 &&
            strcmp(tag + strlen(standard), kinds[i]) == 0)
            return 0;
    const struct tree_node at = {.file = reader->file, .line = event->start_mark.line + 1};
    return tree_refuse(&at, reader->err, "the tag %s is none that is known", tag);
}

/* Is this what YAML writes for nothing? Never in quotes. */
static bool is_null(const char *text, const yaml_event_t *event) {
    static const char *const nothing[] = {"", "~", "null", "Null", "NULL"};
    const char *tag = (const char *)event->data.scalar.tag;
    if (tag && strcmp(tag, "tag:yaml.org,2002:null") == 0)
        return true;
    for (size_t i = 0; event->data.scalar.plain_implicit && i < sizeof nothing / sizeof *nothing;
         i++)
        if (strcmp(text, nothing[i]) == 0)
            return true;
    /* A tag of Compose's leaves it as it is without one. */
    return tag && *tag == '!' && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (!*text || !strcmp(text, "~") || !strcasecmp(text, "null"));
}

static const struct tree_node *take_scalar(struct reader *reader, const yaml_event_t *event,
                                           struct tree_node *node) {
    const char *text = (const char *)event->data.scalar.value;
    if (strlen(text) != event->data.scalar.length)
        return refuse(reader, event, "a text with a NUL character in it");
    node->kind = is_null(text, event) ? TREE_NULL : TREE_TEXT;
    node->plain = event->data.scalar.plain_implicit && node->kind == TREE_TEXT;
    node->text = tree_print(reader->tree, "%s", node->kind == TREE_NULL ? "" : text);
    return node;
}

static const struct tree_node *take_node(struct reader *reader, const yaml_event_t *event,
                                         int depth);

static const struct tree_node *take_list(struct reader *reader, struct tree_node *node, int depth) {
    yaml_event_t event;
    while (next_event(reader, &event) == 0) {
        bool ends = event.type == YAML_SEQUENCE_END_EVENT;
        const struct tree_node *item = ends ? NULL : take_node(reader, &event, depth + 1);
        yaml_event_delete(&event);
        if (ends)
            return node;
        if (!item)
            return NULL;
        tree_put(reader->tree, node, NULL, item->line, item);
    }
    return NULL;
}

/* What `<<` names: a mapping, or several, of which the first has the last word. What the mapping
 * says itself goes before all of them. */
static int merge(struct reader *reader, struct tree_node *node, const struct tree_node *from) {
    for (size_t i = 0; from->kind == TREE_LIST && i < from->count; i++)
        if (from->entries[i].node->kind != TREE_MAPPING ||
            merge(reader, node, from->entries[i].node) < 0)
            return tree_refuse(from, reader->err, "<<: must be mappings");
    if (from->kind != TREE_LIST && from->kind != TREE_MAPPING)
        return tree_refuse(from, reader->err, "<<: must be a mapping, or a list of them");
    for (size_t i = 0; from->kind == TREE_MAPPING && i < from->count; i++)
        if (!tree_get(node, from->entries[i].key))
            tree_put(reader->tree, node, from->entries[i].key, from->entries[i].line,
                     from->entries[i].node);
    reader->nodes += from->size;
    return reader->nodes > TREE_MOST_NODES
               ? tree_refuse(from, reader->err, "more than %d values: too many", TREE_MOST_NODES)
               : 0;
}

/* A key, which is a text whatever it looks like. NULL with an error. */
static const char *take_key(struct reader *reader, const yaml_event_t *event) {
    const struct tree_node *key = NULL;
    if (event->type == YAML_ALIAS_EVENT) {
        key = follow(reader, event);
        if (!key)
            return NULL;
        if (key->kind == TREE_TEXT)
            return key->text;
    }
    if (event->type != YAML_SCALAR_EVENT ||
        strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
        return refuse(reader, event, "a key must be a text");
    const struct tree_node at = {.file = reader->file, .line = event->start_mark.line + 1};
    struct tree_node *node = tree_like(reader->tree, &at, TREE_TEXT);
    node->text = tree_print(reader->tree, "%s", (const char *)event->data.scalar.value);
    if (event->data.scalar.anchor)
        remember(reader, (const char *)event->data.scalar.anchor, node);
    return node->text;
}

/* One more pair, whose key is this event. `merged` is what `<<` named, so far. */
static int take_pair(struct reader *reader, yaml_event_t *event, struct tree_node *node,
                     struct tree_node *merged, int depth) {
    struct tree_node at = {.file = reader->file, .line = event->start_mark.line + 1};
    const char *key = take_key(reader, event);
    bool merges = key && strcmp(key, "<<") == 0 && event->type == YAML_SCALAR_EVENT &&
                  event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    yaml_event_delete(event);
    if (!key || next_event(reader, event) < 0)
        return -1;
    const struct tree_node *value = take_node(reader, event, depth + 1);
    if (!value)
        return -1;
    if (!merges && tree_get(node, key))
        return tree_refuse(&at, reader->err, "%s: is there twice", key);
    tree_put(reader->tree, merges ? merged : node, merges ? NULL : key, at.line, value);
    return 0;
}

static const struct tree_node *take_mapping(struct reader *reader, struct tree_node *node,
                                            int depth) {
    struct tree_node *merged = tree_like(reader->tree, node, TREE_LIST);
    yaml_event_t event;
    while (next_event(reader, &event) == 0) {
        bool ends = event.type == YAML_MAPPING_END_EVENT;
        int result = ends ? 0 : take_pair(reader, &event, node, merged, depth);
        yaml_event_delete(&event);
        if (result < 0)
            return NULL;
        for (size_t i = 0; ends && i < merged->count; i++)
            if (merge(reader, node, merged->entries[i].node) < 0)
                return NULL;
        if (ends)
            return node;
    }
    return NULL;
}

static const yaml_char_t *tag_of(const yaml_event_t *event) {
    return event->type == YAML_SCALAR_EVENT           ? event->data.scalar.tag
           : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.tag
                                                      : event->data.mapping_start.tag;
}

static const yaml_char_t *anchor_of(const yaml_event_t *event) {
    return event->type == YAML_SCALAR_EVENT           ? event->data.scalar.anchor
           : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.anchor
                                                      : event->data.mapping_start.anchor;
}

/* What begins with this event, which stays the caller's. */
static const struct tree_node *take_node(struct reader *reader, const yaml_event_t *event,
                                         int depth) {
    const struct tree_node at = {.file = reader->file, .line = event->start_mark.line + 1};
    if (depth > TREE_DEEPEST)
        return refuse(reader, event, "nested too deep");
    if (++reader->nodes > TREE_MOST_NODES)
        return refuse(reader, event, "more values than anybody writes: an alias in an alias?");
    if (event->type == YAML_ALIAS_EVENT)
        return follow(reader, event);
    struct tree_node *node = tree_like(reader->tree, &at, TREE_MAPPING);
    const struct tree_node *whole = NULL;
    const char *name = (const char *)anchor_of(event);
    if (take_tag(reader, event, tag_of(event), node) < 0)
        return NULL;
    if (event->type == YAML_SCALAR_EVENT)
        whole = take_scalar(reader, event, node);
    else if (event->type == YAML_SEQUENCE_START_EVENT)
        node->kind = TREE_LIST, whole = take_list(reader, node, depth);
    else
        whole = take_mapping(reader, node, depth);
    if (whole && name)
        remember(reader, name, whole);
    return whole;
}

static int take_documents(struct reader *reader, struct tree_node *documents) {
    yaml_event_t event;
    for (;;) {
        if (next_event(reader, &event) < 0)
            return -1;
        yaml_event_type_t type = event.type;
        bool is_node = type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT ||
                       type == YAML_MAPPING_START_EVENT || type == YAML_ALIAS_EVENT;
        const struct tree_node *node = is_node ? take_node(reader, &event, 0) : NULL;
        yaml_event_delete(&event);
        if (is_node && !node)
            return -1;
        if (is_node)
            tree_put(reader->tree, documents, NULL, node->line, node);
        if (type == YAML_DOCUMENT_END_EVENT)
            forget_anchors(reader);
        if (type == YAML_STREAM_END_EVENT)
            return 0;
    }
}

const struct tree_node *tree_parse(struct tree *tree, const char *file, const char *text,
                                   size_t size, struct error *err) {
    struct reader reader = {.tree = tree, .file = tree_print(tree, "%s", file), .err = err};
    const struct tree_node at = {.file = reader.file, .line = 1};
    struct tree_node *documents = tree_like(tree, &at, TREE_LIST);
    if (!yaml_parser_initialize(&reader.parser))
        abort();
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, size);
    int result = take_documents(&reader, documents);
    forget_anchors(&reader);
    yaml_parser_delete(&reader.parser);
    return result < 0 ? NULL : documents;
}
