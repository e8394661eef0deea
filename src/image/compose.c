#include "image/compose.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/words.h"
#include "image/fetch.h"
#include "image/function.h"

/* A file that is being read. */
struct compose {
    const char *path;
    yaml_document_t document;
    struct error *err;
};

static yaml_node_t *node_at(struct compose *compose, int index) {
    return yaml_document_get_node(&compose->document, index);
}

static const char *text_of(const yaml_node_t *node) {
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static void *refuse(const struct compose *compose, const yaml_node_t *node, const char *what,
                    const char *why) {
    error_set(compose->err, "%s:%zu: %s: %s", compose->path,
              node ? node->start_mark.line + 1 : (size_t)1, what, why);
    return NULL;
}

static yaml_node_t *find(struct compose *compose, const yaml_node_t *mapping, const char *key) {
    for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++) {
        const char *text = text_of(node_at(compose, pair->key));
        if (text && strcmp(text, key) == 0)
            return node_at(compose, pair->value);
    }
    return NULL;
}

typedef json_t *reader(struct compose *compose, yaml_node_t *node, const char *key);

static json_t *read_image(struct compose *compose, yaml_node_t *node, const char *key) {
    const char *text = text_of(node);
    if (!text || !*text)
        return refuse(compose, node, key, "must be an image's name");
    return fetch_transport(text) ? json_string(text) : json_sprintf("docker://%s", text);
}

static json_t *read_list(struct compose *compose, yaml_node_t *node, const char *key) {
    json_t *list = json_array();
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        const char *text = text_of(node_at(compose, *item));
        if (!text) {
            json_decref(list);
            return refuse(compose, node_at(compose, *item), key, "must be a list of texts");
        }
        json_array_append_new(list, json_string(text));
    }
    return list;
}

/* A list of words, or a text to be split into them. */
static json_t *read_words(struct compose *compose, yaml_node_t *node, const char *key) {
    if (node->type == YAML_SEQUENCE_NODE)
        return read_list(compose, node, key);
    const char *text = text_of(node);
    if (!text)
        return refuse(compose, node, key, "must be a text or a list of texts");
    json_t *words = words_split(text);
    return words ? words : refuse(compose, node, key, "a quote is left open");
}

/* A list, or the keys of a mapping, whose values say when the service may start. */
static json_t *read_depends_on(struct compose *compose, yaml_node_t *node, const char *key) {
    if (node->type == YAML_SEQUENCE_NODE)
        return read_list(compose, node, key);
    if (node->type != YAML_MAPPING_NODE)
        return refuse(compose, node, key, "must be a list of services");
    json_t *list = json_array();
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++)
        json_array_append_new(list, json_string(text_of(node_at(compose, pair->key)) ?: "?"));
    return list;
}

/* NAME=VALUE in a list, or NAME: VALUE in a mapping. */
static json_t *read_environment(struct compose *compose, yaml_node_t *node, const char *key) {
    json_t *list, *one;
    size_t index;
    if (node->type == YAML_SEQUENCE_NODE) {
        list = read_list(compose, node, key);
        json_array_foreach(list, index, one) if (!strchr(json_string_value(one), '=')) {
            refuse(compose, node, key, "must be NAME=VALUE: none is taken from outside");
            json_decref(list);
            return NULL;
        }
        return list;
    }
    if (node->type != YAML_MAPPING_NODE)
        return refuse(compose, node, key, "must be a list of NAME=VALUE, or a mapping");
    list = json_array();
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const char *name = text_of(node_at(compose, pair->key));
        const char *value = text_of(node_at(compose, pair->value));
        if (!name || !value) {
            json_decref(list);
            return refuse(compose, node_at(compose, pair->key), key, "must be NAME: VALUE");
        }
        json_array_append_new(list, json_sprintf("%s=%s", name, value));
    }
    return list;
}

/* The container's port: PORT, HOST:PORT, ADDRESS:HOST:PORT,
 * each also with /tcp, or target: PORT. */
static char *container_port(struct compose *compose, yaml_node_t *node) {
    if (node->type == YAML_MAPPING_NODE)
        node = find(compose, node, "target");
    const char *text = text_of(node), *colon = text ? strrchr(text, ':') : NULL;
    const char *port = colon ? colon + 1 : text;
    size_t digits = port ? strspn(port, "0123456789") : 0;
    return digits && (!port[digits] || strcmp(port + digits, "/tcp") == 0) ? strndup(port, digits)
                                                                           : NULL;
}

static json_t *read_ports(struct compose *compose, yaml_node_t *node, const char *key) {
    json_t *first = NULL;
    if (node->type != YAML_SEQUENCE_NODE)
        return refuse(compose, node, key, "must be a list");
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        autofree char *port = container_port(compose, node_at(compose, *item));
        if (!port) {
            json_decref(first);
            return refuse(compose, node_at(compose, *item), key,
                          "must be PORT, HOST:PORT or target: PORT");
        }
        if (first && strcmp(port, FUNCTION_PORT) != 0)
            continue;
        json_decref(first);
        first = json_string(port);
    }
    return first ? first : json_string(FUNCTION_PORT);
}

static json_t *read_service(struct compose *compose, yaml_node_t *node, const char *name) {
    static const struct {
        const char *key, *as;
        reader *read;
    } known[] = {
        {"image", "image", read_image},
        {"entrypoint", "entrypoint", read_words},
        {"command", "command", read_words},
        {"environment", "environment", read_environment},
        {"depends_on", "depends_on", read_depends_on},
        {"expose", "port", read_ports},
        {"ports", "port", read_ports}, /* rather than what is exposed */
        {"x-client", "x-client", read_words},
    };
    if (node->type != YAML_MAPPING_NODE)
        return refuse(compose, node, name, "must be a mapping of keys to values");
    json_t *service = json_pack("{s: o}", "where",
                                json_sprintf("%s:%zu", compose->path, node->start_mark.line + 1));
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        yaml_node_t *value = find(compose, node, known[i].key);
        json_t *read = value ? known[i].read(compose, value, known[i].key) : NULL;
        if (value && !read)
            return json_decref(service), NULL;
        if (read)
            json_object_set_new(service, known[i].as, read);
    }
    return service;
}

static json_t *read_services(struct compose *compose) {
    yaml_node_t *root = yaml_document_get_root_node(&compose->document);
    yaml_node_t *services =
        root && root->type == YAML_MAPPING_NODE ? find(compose, root, "services") : NULL;
    if (!services || services->type != YAML_MAPPING_NODE)
        return refuse(compose, services ? services : root, "services",
                      "must be a mapping of names to services, as in a Docker Compose file");
    json_t *all = json_object();
    for (yaml_node_pair_t *pair = services->data.mapping.pairs.start;
         pair < services->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = node_at(compose, pair->key);
        const char *name = text_of(key);
        json_t *service = NULL;
        if (!name || json_object_get(all, name))
            refuse(compose, key, name ? name : "services", name ? "is there twice" : "needs names");
        else
            service = read_service(compose, node_at(compose, pair->value), name);
        if (!service)
            return json_decref(all), NULL;
        json_object_set_new(all, name, service);
    }
    return all;
}

json_t *compose_read(const char *path, struct error *err) {
    struct compose compose = {.path = path, .err = err};
    autofclose FILE *stream = fopen(path, "re");
    yaml_parser_t parser;
    json_t *services = NULL;
    if (!stream) {
        error_errno(err, "cannot read %s", path);
        return NULL;
    }
    yaml_parser_initialize(&parser);
    yaml_parser_set_input_file(&parser, stream);
    if (!yaml_parser_load(&parser, &compose.document)) {
        error_set(err, "%s:%zu: not YAML: %s", path, parser.problem_mark.line + 1,
                  parser.problem ? parser.problem : "unreadable");
    } else {
        services = read_services(&compose);
        yaml_document_delete(&compose.document);
    }
    yaml_parser_delete(&parser);
    return services;
}
