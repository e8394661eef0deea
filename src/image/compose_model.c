#include "image/compose_model.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "image/compose_merge.h"

#define MOST_GROUPS 64 /* files that are included or extended */
#define MOST_DOCUMENTS 64
#define MOST_DEFINITIONS 64
#define DEEPEST_INCLUDE 8

/* Files that are merged into one another. */
struct group {
    char *path; /* of the first */
    char *real; /* the same without links and detours; NULL: there is none */
    char *directory;
    struct variables variables;
    const struct tree_node *documents[MOST_DOCUMENTS];
    size_t count;
    bool included; /* rather than extended: its services are the model's */
};

struct model {
    struct tree *tree;
    struct group groups[MOST_GROUPS]; /* the first is what was asked for */
    size_t count;
    json_t *names, *missing;
};

/* What leads to what: for those who go in a circle. */
struct frame {
    const struct group *group;
    size_t document;
    const char *name;
    const struct frame *above;
};

const json_t *model_names(const struct model *model) {
    return model->names;
}

json_t *model_missing(const struct model *model) {
    return model->missing;
}

const struct variables *model_variables(const struct model *model) {
    return &model->groups[0].variables;
}

/* A path that is said in a file of this directory. */
static char *path_from(const char *directory, const char *path) {
    if (strncmp(path, "~/", 2) == 0)
        return format_string("%s%s", getenv("HOME") ?: "", path + 1);
    return *path == '/' || strcmp(directory, ".") == 0 ? strdup(path)
                                                       : format_string("%s/%s", directory, path);
}

static char *directory_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

/* The node with variables put into its texts. NULL with an error. */
static const struct tree_node *expand(struct model *model, const struct variables *variables,
                                      const struct tree_node *node, struct error *err) {
    if (node->tag == TREE_RESET || node->kind == TREE_NULL ||
        (node->kind == TREE_TEXT && !strchr(node->text, '$')))
        return node;
    struct tree_node *new = tree_like(model->tree, node, node->kind);
    if (node->kind == TREE_TEXT) {
        struct error why = {0};
        autofree char *text = variables_expand(variables, node->text, &why);
        json_t *checked = text ? json_string(text) : NULL;
        bool is_text = checked != NULL;
        json_decref(checked);
        if (!is_text)
            tree_refuse(node, err, "%s", text ? "a variable's value is not in UTF-8" : why.text);
        else
            new->text = tree_print(model->tree, "%s", text);
        return is_text ? new : NULL;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct tree_entry *entry = &node->entries[i];
        const struct tree_node *one = expand(model, variables, entry->node, err);
        if (!one)
            return NULL;
        tree_put(model->tree, new, entry->key, entry->line, one);
    }
    return new;
}

/* Is the top level as the specification has it? */
static int check_top(const struct tree_node *document, struct error *err) {
    static const char *const keys[] = {"version", "name",    "include", "services", "networks",
                                       "volumes", "configs", "secrets", "models"};
    size_t count = sizeof keys / sizeof *keys;
    if (document->kind != TREE_MAPPING)
        return tree_refuse(document, err,
                           "services: must be a mapping of names to services, as in "
                           "a Docker Compose file");
    for (size_t i = 0; i < document->count; i++) {
        const struct tree_entry *entry = &document->entries[i];
        const struct tree_node at = {.file = document->file, .line = entry->line};
        bool known = strncmp(entry->key, "x-", 2) == 0;
        for (size_t k = 0; k < count && !known; k++)
            known = strcmp(entry->key, keys[k]) == 0;
        const char *nearest = known ? NULL : compose_nearest(entry->key, keys, count);
        if (!known)
            return tree_refuse(&at, err, "%s: a Docker Compose file has no such key%s%s%s",
                               entry->key, nearest ? ": did you mean " : "", nearest ? nearest : "",
                               nearest ? "?" : "");
    }
    return 0;
}

static int read_file(struct model *model, struct group *group, const char *path,
                     struct error *err) {
    size_t size;
    autofree char *text = file_read(path, &size, err);
    const struct tree_node *documents =
        text ? tree_parse(model->tree, path, text, size, err) : NULL;
    if (!documents)
        return -1;
    for (size_t i = 0; i < documents->count; i++) {
        const struct tree_node *document = documents->entries[i].node;
        if (document->kind == TREE_NULL && documents->count > 1)
            continue;
        if (check_top(document, err) < 0)
            return -1;
        if (group->count == MOST_DOCUMENTS)
            return tree_refuse(document, err, "more than %d files or documents", MOST_DOCUMENTS);
        group->documents[group->count++] = document;
    }
    return 0;
}

/* The variables of .env files, of those named or else of the one in the first file's folder. */
static int read_variables(struct group *group, const json_t *env_files, struct error *err) {
    autofree char *usual = path_from(group->directory, ".env");
    size_t index;
    const json_t *path;
    group->variables.own = json_object();
    if (!env_files)
        return file_exists(usual)
                   ? variables_read(usual, false, &group->variables, group->variables.own, err)
                   : 0;
    json_array_foreach(env_files, index, path) {
        if (variables_read(json_string_value(path), false, &group->variables, group->variables.own,
                           err) < 0)
            return -1;
    }
    return 0;
}

/* A group of these files, of which the first is known as `path`. NULL with an error. */
static struct group *open_group(struct model *model, const json_t *files, char *directory,
                                const struct variables *above, struct error *err) {
    size_t index;
    const json_t *file;
    if (model->count == MOST_GROUPS) {
        free(directory);
        error_set(err, "%s: more than %d files are included or extended",
                  json_string_value(json_array_get(files, 0)), MOST_GROUPS);
        return NULL;
    }
    struct group *group = &model->groups[model->count++];
    *group = (struct group){.path = strdup(json_string_value(json_array_get(files, 0))),
                            .real = realpath(json_string_value(json_array_get(files, 0)), NULL),
                            .directory = directory,
                            .variables = {.missing = model->missing, .above = above}};
    json_array_foreach(files, index, file) {
        if (read_file(model, group, json_string_value(file), err) < 0)
            return NULL;
    }
    return group;
}

/* $COMPOSE_PROJECT_NAME is `name`, or else the folder's, as Compose spells it. */
static int name_project(struct model *model, struct group *group, struct error *err) {
    static const char key[] = "COMPOSE_PROJECT_NAME";
    const struct tree_node *said = NULL;
    for (size_t i = 0; i < group->count; i++)
        said = tree_get(group->documents[i], "name") ?: said;
    if (variables_get(&group->variables, key))
        return 0;
    if (said && !(said = expand(model, &group->variables, said, err)))
        return -1;
    autofree char *folder = realpath(group->directory, NULL);
    const char *from = tree_text(said), *slash = folder ? strrchr(folder, '/') : NULL;
    autofree char *name = strdup(from ? from : slash ? slash + 1 : "");
    char *to = name;
    for (const char *c = name; *c; c++)
        if (isalnum((unsigned char)*c) || (to > name && strchr("_-", *c)))
            *to++ = (char)tolower((unsigned char)*c);
    *to = '\0';
    return json_object_set_new(group->variables.own, key, json_string(name));
}

static int add_names(struct model *model, const struct group *group, struct error *err) {
    for (size_t i = 0; i < group->count; i++) {
        const struct tree_node *services = tree_get(group->documents[i], "services");
        if (!services || services->kind == TREE_NULL)
            continue;
        if (services->kind != TREE_MAPPING || services->tag != TREE_UNTAGGED)
            return tree_refuse(services, err, "services: must be a mapping of names to services");
        for (size_t k = 0; k < services->count; k++)
            json_object_set_new(model->names, services->entries[k].key, json_null());
    }
    return 0;
}

/* Texts, one or several, as paths from this directory. NULL with an error. */
static json_t *read_paths(const struct tree_node *node, const char *directory, struct error *err) {
    json_t *paths = json_array();
    size_t count = node->kind == TREE_LIST ? node->count : 1;
    for (size_t i = 0; i < count; i++) {
        const struct tree_node *one = node->kind == TREE_LIST ? node->entries[i].node : node;
        autofree char *path = tree_text(one) ? path_from(directory, one->text) : NULL;
        if (!path) {
            tree_refuse(one, err, "must be a path, or a list of paths");
            return json_decref(paths), NULL;
        }
        json_array_append_new(paths, json_string(path));
    }
    if (count)
        return paths;
    tree_refuse(node, err, "must name a file");
    return json_decref(paths), NULL;
}

static int include(struct model *model, const struct group *group, int depth, struct error *err);

/* One of `include`: PATH, or path, project_directory and env_file. */
static int include_one(struct model *model, const struct group *group,
                       const struct tree_node *entry, int depth, struct error *err) {
    static const char *const keys[] = {"path", "project_directory", "env_file"};
    for (size_t i = 0; entry->kind == TREE_MAPPING && i < entry->count; i++)
        if (!compose_nearest(entry->entries[i].key, keys, 3) ||
            !compose_is_listed(entry->entries[i].key, "path project_directory env_file"))
            return tree_refuse(entry, err, "include: %s: no such key", entry->entries[i].key);
    const struct tree_node *path = entry->kind == TREE_MAPPING ? tree_get(entry, "path") : entry;
    const struct tree_node *place = tree_get(entry, "project_directory");
    const struct tree_node *env = tree_get(entry, "env_file");
    if (!path)
        return tree_refuse(entry, err, "include: must name a path");
    json_t *files = read_paths(path, group->directory, err), *env_files = NULL;
    if (!files)
        return -1;
    char *directory = tree_text(place) ? path_from(group->directory, place->text)
                                       : directory_of(json_string_value(json_array_get(files, 0)));
    struct group *new = open_group(model, files, directory, &group->variables, err);
    json_decref(files);
    if (!new ||
        (env && env->kind != TREE_NULL && !(env_files = read_paths(env, group->directory, err))))
        return -1;
    new->included = true;
    int result = read_variables(new, env_files, err);
    json_decref(env_files);
    if (result < 0 || add_names(model, new, err) < 0)
        return -1;
    return include(model, new, depth + 1, err);
}

static int include(struct model *model, const struct group *group, int depth, struct error *err) {
    for (size_t i = 0; i < group->count; i++) {
        const struct tree_node *list = tree_get(group->documents[i], "include");
        if (!list || list->kind == TREE_NULL)
            continue;
        if (list->kind != TREE_LIST || list->tag != TREE_UNTAGGED)
            return tree_refuse(list, err, "include: must be a list of files");
        if (depth == DEEPEST_INCLUDE)
            return tree_refuse(list, err, "include: files include one another");
        list = expand(model, &group->variables, list, err);
        for (size_t k = 0; list && k < list->count; k++)
            if (include_one(model, group, list->entries[k].node, depth, err) < 0)
                return -1;
        if (!list)
            return -1;
    }
    return 0;
}

static int open_all(struct model *model, const json_t *files, const json_t *env_files,
                    struct error *err) {
    const char *first = json_string_value(json_array_get(files, 0));
    struct group *group = open_group(model, files, directory_of(first), NULL, err);
    if (!group || read_variables(group, env_files, err) < 0 || name_project(model, group, err) < 0)
        return -1;
    group->included = true;
    if (add_names(model, group, err) < 0 || include(model, group, 0, err) < 0)
        return -1;
    if (json_object_size(model->names))
        return 0;
    const struct tree_node at = {.file = first, .line = 1};
    return tree_refuse(group->count ? group->documents[0] : &at, err,
                       "services: must be a mapping of names to services, as in a Docker Compose "
                       "file");
}

struct model *model_open(const json_t *files, const json_t *env_files, struct error *err) {
    struct model *model = calloc(1, sizeof *model);
    if (!model)
        abort();
    model->tree = tree_new();
    model->names = json_object();
    model->missing = json_object();
    if (open_all(model, files, env_files, err) == 0)
        return model;
    model_free(model);
    return NULL;
}

void model_free(struct model *model) {
    if (!model)
        return;
    for (size_t i = 0; i < model->count; i++) {
        free(model->groups[i].path);
        free(model->groups[i].real);
        free(model->groups[i].directory);
        json_decref(model->groups[i].variables.own);
    }
    tree_free(model->tree);
    json_decref(model->names);
    json_decref(model->missing);
    free(model);
}

/* The files that a service extends one of. NULL with an error. */
static struct group *find_extended(struct model *model, const struct definition *definition,
                                   const char *said, struct error *err) {
    autofree char *path = path_from(definition->directory, said), *real = realpath(path, NULL);
    for (size_t i = 0; real && i < model->count; i++)
        if (!model->groups[i].included && strcmp(model->groups[i].real ?: "", real) == 0)
            return &model->groups[i];
    json_t *files = json_pack("[s]", path);
    struct group *group = open_group(model, files, directory_of(path), definition->variables, err);
    json_decref(files);
    if (group)
        group->variables.own = json_object();
    return group;
}

static int follow(struct model *model, struct frame frame, const struct tree_node *from,
                  struct definitions *definitions, struct error *err);

/* Of each of a group's documents, or of the one that a frame names, the service. Returns how many
 * there are; -1 with an error. */
static int follow_all(struct model *model, const struct group *group, const char *name,
                      const struct frame *above, const struct tree_node *from,
                      struct definitions *definitions, struct error *err) {
    int found = 0;
    for (size_t i = 0; i < group->count; i++) {
        struct frame frame = {.group = group, .document = i, .name = name, .above = above};
        if (!tree_get(tree_get(group->documents[i], "services"), name))
            continue;
        if (follow(model, frame, from, definitions, err) < 0)
            return -1;
        found++;
    }
    return found;
}

/* What a service extends, into the definitions. `extends`: SERVICE, or service and file. */
static int follow_base(struct model *model, const struct frame *frame,
                       const struct definition *definition, const struct tree_node *extends,
                       struct definitions *definitions, struct error *err) {
    const struct tree_node *service =
        extends->kind == TREE_MAPPING ? tree_get(extends, "service") : extends;
    const struct tree_node *file = tree_get(extends, "file");
    for (size_t i = 0; extends->kind == TREE_MAPPING && i < extends->count; i++)
        if (!compose_is_listed(extends->entries[i].key, "service file"))
            return tree_refuse(extends, err,
                               "%s: extends: %s: no such key: there are service, file", frame->name,
                               extends->entries[i].key);
    if (!tree_text(service))
        return tree_refuse(extends, err, "%s: extends: must name a service", frame->name);
    struct group *group =
        tree_text(file) ? find_extended(model, definition, file->text, err) : NULL;
    if (tree_text(file) && !group) {
        struct error why = *err;
        return tree_refuse(file, err, "%s: extends: %s", frame->name, why.text);
    }
    struct frame own = {
        .group = frame->group, .document = frame->document, .name = service->text, .above = frame};
    const struct tree_node *services =
        tree_get(frame->group->documents[frame->document], "services");
    if (!group && tree_get(services, service->text))
        return follow(model, own, service, definitions, err);
    int found =
        group ? follow_all(model, group, service->text, frame, service, definitions, err) : 0;
    return found
               ? (found < 0 ? -1 : 0)
               : tree_refuse(service, err, "%s: extends: no service is named %s in %s", frame->name,
                             service->text, tree_text(file) ? file->text : "this file");
}

static int follow(struct model *model, struct frame frame, const struct tree_node *from,
                  struct definitions *definitions, struct error *err) {
    const struct group *group = frame.group;
    const struct tree_node *node =
        tree_get(tree_get(group->documents[frame.document], "services"), frame.name);
    struct definition definition = {.node = node,
                                    .directory = group->directory,
                                    .variables = group->included ? &group->variables
                                                                 : group->variables.above};
    for (const struct frame *above = frame.above; above; above = above->above)
        if (above->group == group && above->document == frame.document &&
            strcmp(above->name, frame.name) == 0)
            return tree_refuse(from, err, "%s: extends: %s extends itself in a circle",
                               frame.above->name, frame.name);
    if (node->kind != TREE_MAPPING && node->kind != TREE_NULL)
        return tree_refuse(node, err, "%s: must be a mapping of keys to values", frame.name);
    if (node->tag != TREE_UNTAGGED)
        definitions->count = 0;
    const struct tree_node *extends = tree_get(node, "extends");
    extends = extends ? expand(model, definition.variables, extends, err) : NULL;
    if (tree_get(node, "extends") && !extends)
        return -1;
    if (node->tag == TREE_RESET)
        return 0;
    if (extends && extends->kind != TREE_NULL && extends->tag != TREE_RESET &&
        follow_base(model, &frame, &definition, extends, definitions, err) < 0)
        return -1;
    if (definitions->count == MOST_DEFINITIONS)
        return tree_refuse(node, err, "%s: extends too many others", frame.name);
    definitions->list[definitions->count++] = definition;
    return 0;
}

int model_define(struct model *model, const char *name, struct definitions *definitions,
                 struct error *err) {
    const struct group *first = NULL;
    definitions->list = calloc(MOST_DEFINITIONS, sizeof *definitions->list);
    definitions->count = 0;
    if (!definitions->list)
        abort();
    for (size_t i = 0; i < model->count; i++) {
        const struct group *group = &model->groups[i];
        int found = group->included && !first
                        ? follow_all(model, group, name, NULL, NULL, definitions, err)
                        : 0;
        if (found < 0)
            return -1;
        if (found)
            first = group;
    }
    for (size_t i = 0; i < model->count; i++) {
        const struct group *group = &model->groups[i];
        for (size_t k = 0; group->included && group != first && k < group->count; k++)
            if (tree_get(tree_get(group->documents[k], "services"), name))
                return error_set(err, "%s: %s: %s has one of that name, too", group->path, name,
                                 first->path);
    }
    return definitions->count ? 0 : error_set(err, "%s: is taken away by !reset", name);
}

/* Its paths lead there from the directory of the file that says them. */
static int resolve_env_files(struct model *model, const struct definition *definition,
                             const struct tree_node **value, struct error *err) {
    struct tree_node *list = tree_like(model->tree, *value, TREE_LIST);
    size_t count = (*value)->kind == TREE_LIST ? (*value)->count : 1;
    for (size_t i = 0; i < count; i++) {
        const struct tree_node *one =
            (*value)->kind == TREE_LIST ? (*value)->entries[i].node : *value;
        const struct tree_node *said = one->kind == TREE_MAPPING ? tree_get(one, "path") : one;
        if (!tree_text(said) || (one != *value && one->tag != TREE_UNTAGGED))
            return tree_refuse(one, err, "must be a path, or path, required and format");
        autofree char *path = path_from(definition->directory, said->text);
        struct tree_node *new = tree_like(model->tree, one, TREE_MAPPING);
        struct tree_node *resolved = tree_like(model->tree, said, TREE_TEXT);
        new->tag = resolved->tag = TREE_UNTAGGED;
        resolved->text = tree_print(model->tree, "%s", path);
        for (size_t k = 0; one->kind == TREE_MAPPING && k < one->count; k++)
            tree_put(model->tree, new, one->entries[k].key, one->entries[k].line,
                     one->entries[k].node);
        tree_put(model->tree, new, "path", said->line, resolved);
        tree_put(model->tree, list, NULL, one->line, new);
    }
    *value = list;
    return 0;
}

int model_value(struct model *model, const struct definitions *definitions, const char *key,
                const struct tree_node **value, struct error *err) {
    const struct compose_key *kind = compose_key_find(key);
    *value = NULL;
    for (size_t i = 0; i < definitions->count; i++) {
        const struct definition *definition = &definitions->list[i];
        const struct tree_node *said = tree_get(definition->node, key);
        const struct tree_node *later =
            said ? expand(model, definition->variables, said, err) : NULL;
        if (said && !later)
            return -1;
        if (later && strcmp(key, "env_file") == 0 && later->kind != TREE_NULL &&
            later->tag != TREE_RESET && resolve_env_files(model, definition, &later, err) < 0)
            return -1;
        if (later && compose_merge(model->tree, kind->merge, later, value, err) < 0)
            return -1;
    }
    if (*value && (*value)->kind == TREE_NULL)
        *value = NULL;
    return 0;
}

int model_volume(struct model *model, const char *name, const struct tree_node **volume,
                 struct error *err) {
    *volume = NULL;
    for (size_t i = 0; i < model->count; i++) {
        const struct group *group = &model->groups[i];
        for (size_t k = 0; group->included && k < group->count; k++) {
            const struct tree_node *volumes = tree_get(group->documents[k], "volumes");
            const struct tree_node *found = tree_get(volumes, name);
            if (found && !(found = expand(model, &group->variables, found, err)))
                return -1;
            *volume = found ? found : *volume;
        }
    }
    return 0;
}
