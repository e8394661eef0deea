#include "image/compose.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/words.h"
#include "image/compose_readers.h"
#include "image/fetch.h"
#include "image/service.h"

struct compose {
    struct model *model;
    json_t *remarks; /* TEXT: whether it was said */
};

/* A service that is being read. */
struct reading {
    struct compose *compose;
    const char *name;
    struct definitions definitions;
    json_t *service, *named; /* the latter: keys that are not done, in their order */
    struct error *err;
};

struct compose *compose_open(const json_t *files, const json_t *env_files, struct error *err) {
    struct model *model = model_open(files, env_files, err);
    struct compose *compose = model ? calloc(1, sizeof *compose) : NULL;
    if (!model)
        return NULL;
    if (!compose)
        abort();
    *compose = (struct compose){.model = model, .remarks = json_object()};
    return compose;
}

void compose_close(struct compose *compose) {
    if (!compose)
        return;
    model_free(compose->model);
    json_decref(compose->remarks);
    free(compose);
}

const json_t *compose_names(const struct compose *compose) {
    return model_names(compose->model);
}

char *compose_spell(const char *name) {
    char *spelt = calloc(1, strlen(name) + 1), *to = spelt;
    if (!spelt)
        abort();
    for (; *name && to < spelt + SERVICE_MOST_LETTERS; name++)
        if (isalnum((unsigned char)*name))
            *to++ = (char)tolower((unsigned char)*name);
        else if (to > spelt)
            *to++ = '-';
    return spelt;
}

void compose_remark(struct compose *compose, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    autofree char *text = format_string_v(format, arguments);
    va_end(arguments);
    if (!json_object_get(compose->remarks, text))
        json_object_set_new(compose->remarks, text, json_false());
}

json_t *compose_remarks(struct compose *compose) {
    json_t *list = json_array(), *said;
    const char *text;
    void *next;
    json_object_foreach(model_missing(compose->model), text, said) {
        compose_remark(compose, "the variable %s is not set: nothing stands in its place", text);
    }
    json_object_foreach_safe(compose->remarks, next, text, said) {
        if (json_is_false(said)) {
            json_array_append_new(list, json_string(text));
            json_object_set_new(compose->remarks, text, json_true());
        }
    }
    return list;
}

/* An error of a key's value becomes one of its service, too: FILE:LINE: NAME: KEY: WHY. */
static int blame(const struct reading *reading, const char *key, const struct error *why) {
    const char *text = why->text, *colon = strchr(text, ':');
    while (colon && !(isdigit((unsigned char)colon[1]) && strspn(colon + 1, "0123456789") &&
                      strncmp(colon + 1 + strspn(colon + 1, "0123456789"), ": ", 2) == 0))
        colon = strchr(colon + 1, ':');
    size_t place = colon ? (size_t)(colon - text) + 1 + strspn(colon + 1, "0123456789") : 0;
    return error_set(reading->err, "%.*s%s%s: %s: %s", (int)place, text, place ? ": " : "",
                     reading->name, key, text + place + (place ? 2 : 0));
}

static int value_of(const struct reading *reading, const char *key,
                    const struct tree_node **value) {
    struct error why = {0};
    return model_value(reading->compose->model, &reading->definitions, key, value, &why) < 0
               ? blame(reading, key, &why)
               : 0;
}

static int refuse(const struct reading *reading, const struct tree_node *node, const char *key,
                  const char *why) {
    return tree_refuse(node, reading->err, "%s: %s: %s", reading->name, key, why);
}

static int put(const struct reading *reading, const char *key, json_t *value) {
    return json_object_set_new(reading->service, key, value);
}

/* Texts of one line: nothing that would end it goes to where they are written. */
static int read_text(const struct reading *reading, const struct tree_node *node, const char *key) {
    if (node->kind != TREE_TEXT || strpbrk(node->text, "\n\r"))
        return refuse(reading, node, key, "must be a text of one line");
    return *node->text ? put(reading, key, json_string(node->text)) : 0;
}

static int read_image(const struct reading *reading, const struct tree_node *node,
                      const char *key) {
    const char *text = tree_text(node);
    if (!text || strpbrk(text, " \t\n\r"))
        return refuse(reading, node, key, "must be an image's name");
    return put(reading, key,
               fetch_transport(text) ? json_string(text) : json_sprintf("docker://%s", text));
}

static int read_list(const struct reading *reading, const struct tree_node *node, const char *key) {
    json_t *list = json_array();
    for (size_t i = 0; node->kind == TREE_LIST && i < node->count; i++) {
        if (node->entries[i].node->kind != TREE_TEXT) {
            json_decref(list);
            return refuse(reading, node->entries[i].node, key, "must be a list of texts");
        }
        json_array_append_new(list, json_string(node->entries[i].node->text));
    }
    return put(reading, key, list);
}

/* A list of words, or a text to be split into them. */
static int read_words(const struct reading *reading, const struct tree_node *node,
                      const char *key) {
    if (node->kind == TREE_LIST)
        return read_list(reading, node, key);
    if (node->kind != TREE_TEXT)
        return refuse(reading, node, key, "must be a text or a list of texts");
    json_t *words = words_split(node->text);
    return words ? put(reading, key, words) : refuse(reading, node, key, "a quote is left open");
}

static int read_working_dir(const struct reading *reading, const struct tree_node *node,
                            const char *key) {
    return tree_text(node) && *node->text != '/' ? refuse(reading, node, key, "must begin with /")
                                                 : read_text(reading, node, key);
}

static int read_user(const struct reading *reading, const struct tree_node *node, const char *key) {
    const char *text = tree_text(node);
    return text && (*text == ':' || strchr(text, ' '))
               ? refuse(reading, node, key, "must be USER or USER:GROUP")
               : read_text(reading, node, key);
}

/* One of depends_on: when the other one counts as started. */
static int read_condition(const struct reading *reading, const struct tree_entry *entry,
                          bool *required) {
    const struct tree_node *node = entry->node, *condition = tree_get(node, "condition");
    struct error why = {0};
    *required = true;
    if (node->kind == TREE_NULL)
        return 0;
    if (node->kind != TREE_MAPPING)
        return refuse(reading, node, "depends_on", "must be a list of services, or a mapping");
    if (compose_check_keys(node, " condition required restart ", &why) < 0 ||
        compose_read_truth(tree_get(node, "required"), true, required, &why) < 0)
        return blame(reading, "depends_on", &why);
    if (!condition || compose_is_listed(condition->text, "service_started service_healthy"))
        return 0;
    return tree_refuse(condition, reading->err, "%s: depends_on: %s: %s: %s", reading->name,
                       entry->key, condition->text,
                       strcmp(condition->text, "service_completed_successfully") == 0
                           ? "what is to end first cannot be run: put what it does into the image"
                           : "no such condition");
}

static int read_depends_on(const struct reading *reading, const struct tree_node *node,
                           const char *key) {
    json_t *names = json_object();
    put(reading, key, names);
    for (size_t i = 0; i < node->count; i++) {
        bool required;
        if (read_condition(reading, &node->entries[i], &required) < 0)
            return -1;
        json_object_set_new(names, node->entries[i].key, json_boolean(required));
    }
    return 0;
}

/* SERVICE or SERVICE:ALIAS. */
static int read_links(const struct reading *reading, const struct tree_node *node,
                      const char *key) {
    json_t *links = json_object();
    put(reading, key, links);
    for (size_t i = 0; node->kind == TREE_LIST && i < node->count; i++) {
        const struct tree_node *one = node->entries[i].node;
        if (!tree_text(one))
            return refuse(reading, one, key, "must be a list of SERVICE or SERVICE:ALIAS");
        size_t length = strcspn(one->text, ":");
        autofree char *name = strndup(one->text, length);
        json_t *aliases = json_object_get(links, name);
        if (!aliases)
            json_object_set_new(links, name, aliases = json_array());
        if (one->text[length])
            json_array_append_new(aliases, json_string(one->text + length + 1));
    }
    return 0;
}

static int read_ports(const struct reading *reading, const struct tree_node *node,
                      const char *key) {
    json_t *port = json_object_get(reading->service, "port");
    struct error why = {0};
    if (compose_read_ports(node, strcmp(key, "expose") == 0, &port, &why) < 0)
        return blame(reading, key, &why);
    return port && !json_object_get(reading->service, "port") ? put(reading, "port", port) : 0;
}

static void note(const struct reading *reading, const char *key) {
    if (!words_contain(reading->named, key))
        json_array_append_new(reading->named, json_string(key));
}

static void add_name(const struct reading *reading, const char *name) {
    json_t *names = json_object_get(reading->service, "names");
    if (!names)
        put(reading, "names", names = json_array());
    if (!words_contain(names, name))
        json_array_append_new(names, json_string(name));
}

static int read_container_name(const struct reading *reading, const struct tree_node *node,
                               const char *key) {
    if (!tree_text(node))
        return refuse(reading, node, key, "must be a name");
    add_name(reading, node->text);
    return 0;
}

/* What one network says of the service. */
static int read_network(const struct reading *reading, const struct tree_entry *entry) {
    static const char known[] = " aliases interface_name ipv4_address ipv6_address link_local_ips "
                                "mac_address driver_opts priority gw_priority ";
    const struct tree_node *node = entry->node, *aliases = tree_get(node, "aliases");
    struct error why = {0};
    if (node->kind != TREE_MAPPING && node->kind != TREE_NULL)
        return refuse(reading, node, "networks", "must be a list of networks, or a mapping");
    if (compose_check_keys(node, known, &why) < 0)
        return blame(reading, "networks", &why);
    for (size_t i = 0; aliases && i < aliases->count; i++) {
        if (!tree_text(aliases->entries[i].node))
            return refuse(reading, aliases, "networks", "aliases: must be a list of names");
        add_name(reading, aliases->entries[i].node->text);
    }
    for (size_t i = 0; i < node->count; i++) {
        const char *key = node->entries[i].key;
        if (compose_is_listed(key, "ipv4_address ipv6_address link_local_ips"))
            return tree_refuse(node, reading->err,
                               "%s: networks: %s: addresses are the suite's to give: use names",
                               reading->name, key);
        if (compose_is_listed(key, "interface_name mac_address driver_opts"))
            note(reading, "networks");
    }
    return 0;
}

static int read_networks(const struct reading *reading, const struct tree_node *node,
                         const char *key) {
    for (size_t i = 0; i < node->count; i++)
        if (read_network(reading, &node->entries[i]) < 0)
            return -1;
    return 0;
}

/* Those of the environment are read with its files. */
static int read_environment(const struct reading *reading) {
    const struct tree_node *files, *environment;
    struct error why = {0};
    if (value_of(reading, "env_file", &files) < 0 ||
        value_of(reading, "environment", &environment) < 0)
        return -1;
    if (!files && !environment)
        return 0;
    json_t *list = compose_read_environment(files, environment,
                                            model_variables(reading->compose->model), &why);
    return list ? put(reading, "environment", list)
                : blame(reading, environment ? "environment" : "env_file", &why);
}

/* What a tmpfs is to be beyond a folder: its size, its mode. */
static void note_options(const struct reading *reading, const struct tree_node *list,
                         const char *key) {
    for (size_t i = 0; list && i < list->count; i++) {
        const struct tree_node *one = list->entries[i].node;
        bool is_volume = strcmp(key, "volumes") == 0;
        if (is_volume ? tree_get(one, "tmpfs") != NULL : strchr(one->text, ':') != NULL)
            note(reading, key);
    }
}

static int read_folders(const struct reading *reading) {
    const struct tree_node *volumes, *tmpfs;
    struct error why = {0};
    if (value_of(reading, "volumes", &volumes) < 0 || value_of(reading, "tmpfs", &tmpfs) < 0)
        return -1;
    if (!volumes && !tmpfs)
        return 0;
    note_options(reading, volumes, "volumes");
    note_options(reading, tmpfs, "tmpfs");
    json_t *folders = compose_read_volumes(reading->compose->model, volumes, tmpfs, &why);
    return folders ? put(reading, "folders", folders)
                   : blame(reading, volumes ? "volumes" : "tmpfs", &why);
}

typedef int reader(const struct reading *reading, const struct tree_node *node, const char *key);

/* Of the keys that are done, what reads them. The order counts: `ports` goes before `expose`. */
static const struct {
    const char *key;
    reader *read;
} readers[] = {
    {"image", read_image},       {"x-client", read_words},
    {"profiles", read_list},     {"entrypoint", read_words},
    {"command", read_words},     {"working_dir", read_working_dir},
    {"user", read_user},         {"ports", read_ports},
    {"expose", read_ports},      {"depends_on", read_depends_on},
    {"links", read_links},       {"container_name", read_container_name},
    {"networks", read_networks},
};
#define AT_A_GLANCE 3 /* of these, enough to tell whether the service is wanted */

static int read_keys(const struct reading *reading, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct tree_node *node;
        if (value_of(reading, readers[i].key, &node) < 0 ||
            (node && readers[i].read(reading, node, readers[i].key) < 0))
            return -1;
    }
    return 0;
}

/* Does it ask for more than what is there anyhow? */
static bool asks(const struct compose_key *key, const struct tree_node *node) {
    if (!node || node->kind == TREE_NULL)
        return false;
    if (node->kind == TREE_TEXT)
        return *node->text && !compose_is_listed(node->text, key->harmless);
    if (node->kind == TREE_MAPPING)
        return node->count > 0;
    for (size_t i = 0; i < node->count; i++)
        if (asks(key, node->entries[i].node))
            return true;
    return false;
}

/* Of `deploy` and `scale`, what a container could notice. */
static int judge_amount(const struct reading *reading, const struct compose_key *key,
                        const struct tree_node *node) {
    bool deploys = strcmp(key->name, "deploy") == 0;
    const struct tree_node *amount = deploys ? tree_get(node, "replicas") : node;
    const struct tree_node *resources = deploys ? tree_get(node, "resources") : NULL;
    const struct tree_node *reserved = tree_get(resources, "reservations");
    if (amount && strcmp(amount->text, "0") == 0)
        return refuse(reading, amount, key->name, "none of it is to be there");
    if (asks(key, tree_get(reserved, "devices")) ||
        asks(key, tree_get(reserved, "generic_resources")))
        return refuse(reading, reserved, key->name, "the container has no devices");
    if ((amount && *amount->text && strcmp(amount->text, "1") != 0) || asks(key, resources))
        note(reading, key->name);
    return 0;
}

static int judge(const struct reading *reading, const struct compose_key *key) {
    const struct tree_node *node;
    if (key->use == COMPOSE_DONE || key->use == COMPOSE_IDLE)
        return 0;
    if (value_of(reading, key->name, &node) < 0)
        return -1;
    if (strcmp(key->name, "deploy") == 0 || strcmp(key->name, "scale") == 0)
        return node ? judge_amount(reading, key, node) : 0;
    if (!asks(key, node))
        return 0;
    if (key->use == COMPOSE_REFUSED)
        return refuse(reading, node, key->name, key->what);
    note(reading, key->name);
    return 0;
}

/* All keys, of all places: those that the specification has, and what is to be done of them. */
static int judge_all(const struct reading *reading) {
    for (size_t i = 0; i < reading->definitions.count; i++) {
        const struct tree_node *node = reading->definitions.list[i].node;
        for (size_t k = 0; k < node->count; k++) {
            const char *key = node->entries[k].key;
            const struct tree_node at = {.file = node->file, .line = node->entries[k].line};
            const struct compose_key *known = compose_key_find(key);
            const char *nearest = known ? NULL : compose_key_nearest(key);
            if (!known && strncmp(key, "x-", 2) != 0)
                return tree_refuse(&at, reading->err, "%s: %s: a service has no such key%s%s%s",
                                   reading->name, key, nearest ? ": did you mean " : "",
                                   nearest ? nearest : "", nearest ? "?" : "");
            if (known && judge(reading, known) < 0)
                return -1;
        }
    }
    return 0;
}

/* One line for all that is not done. */
static void remark(const struct reading *reading) {
    autofree char *keys = words_join(reading->named);
    if (*keys)
        compose_remark(
            reading->compose, "%s: %s: not done here: %s (docs/functions.md says what is instead)",
            json_string_value(json_object_get(reading->service, "where")), reading->name, keys);
}

static bool is_service_name(const char *name) {
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "._-") == strlen(name);
}

static json_t *read_service(struct compose *compose, const char *name, bool glance,
                            struct error *err) {
    struct reading reading = {.compose = compose,
                              .name = name,
                              .service = json_object(),
                              .named = json_array(),
                              .err = err};
    int result = model_define(compose->model, name, &reading.definitions, err);
    if (result == 0) {
        const struct tree_node *last = reading.definitions.list[reading.definitions.count - 1].node;
        put(&reading, "where", json_sprintf("%s:%zu", last->file, last->line));
        if (!is_service_name(name))
            result = tree_refuse(last, err,
                                 "%s: a service's name is of letters, digits, ., _ and -", name);
    }
    if (result == 0 && !glance)
        result = judge_all(&reading);
    if (result == 0)
        result = read_keys(&reading, glance ? AT_A_GLANCE : sizeof readers / sizeof *readers);
    if (result == 0 && !glance && (result = read_environment(&reading)) == 0 &&
        (result = read_folders(&reading)) == 0)
        remark(&reading);
    free(reading.definitions.list);
    json_decref(reading.named);
    if (result == 0)
        return reading.service;
    json_decref(reading.service);
    return NULL;
}

json_t *compose_glance(struct compose *compose, const char *name, struct error *err) {
    return read_service(compose, name, true, err);
}

json_t *compose_service(struct compose *compose, const char *name, struct error *err) {
    return read_service(compose, name, false, err);
}
