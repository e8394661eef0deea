#include "image/compose_readers.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

/* A folder of the container that it may be: from the root, and no part of it leads up. */
static int check_target(const struct tree_node *at, const char *target, struct error *err) {
    if (*target != '/' || strspn(target, "/") == strlen(target))
        return tree_refuse(at, err, "%s: must be a folder in the container, from /", target);
    static const char *const hidden[] = {"/tmp/", "/dev/", "/proc/", "/sys/"};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (strncmp(target, hidden[i], strlen(hidden[i])) == 0 && strcmp(target, "/dev/shm") != 0)
            return tree_refuse(at, err, "%s: the container has a file system of its own above it",
                               target);
    for (const char *up = target; (up = strstr(up, "/..")); up += 3)
        if (!up[3] || up[3] == '/')
            return tree_refuse(at, err, "%s: must be a folder without ..", target);
    return 0;
}

/* Is it a new, empty volume of this computer's? Else it is one whose content is not known here. */
static int check_volume(struct model *model, const struct tree_node *at, const char *name,
                        struct error *err) {
    const struct tree_node *volume;
    bool external = false;
    if (model_volume(model, name, &volume, err) < 0)
        return -1;
    if (!volume)
        return tree_refuse(at, err, "%s: the file's own `volumes` have none of this name", name);
    const struct tree_node *said = tree_get(volume, "external");
    const char *driver = tree_text(tree_get(volume, "driver"));
    if (said && said->kind == TREE_MAPPING)
        external = true;
    else if (compose_read_truth(said, false, &external, err) < 0)
        return -1;
    const struct tree_node *options = tree_get(volume, "driver_opts");
    if (external || (options && options->count) || (driver && strcmp(driver, "local") != 0))
        return tree_refuse(at, err, "%s: what is in it is not known here: put it into the image",
                           name);
    return 0;
}

static int put(const struct tree_node *at, const char *target, json_t *kind, json_t *folders,
               struct error *err) {
    if (check_target(at, target, err) == 0)
        return json_object_set_new(folders, target, kind);
    json_decref(kind);
    return -1;
}

static bool is_of_this_computer(const char *source) {
    return strchr("./~", *source) || strchr(source, '\\') || (source[0] && source[1] == ':');
}

static int refuse_mount(const struct tree_node *at, const char *what, struct error *err) {
    return tree_refuse(at, err, "%s: nothing is mounted: put it into the image", what);
}

/* [SOURCE:]TARGET[:OPTIONS]. */
static int take_short(struct model *model, const struct tree_node *node, json_t *folders,
                      struct error *err) {
    const char *colon = strchr(node->text, ':');
    if (!*node->text)
        return tree_refuse(node, err, "must be VOLUME:FOLDER");
    if (is_of_this_computer(node->text) && (colon || *node->text != '/'))
        return refuse_mount(node, node->text, err);
    if (!colon)
        return put(node, node->text, json_string(""), folders, err);
    autofree char *name = strndup(node->text, (size_t)(colon - node->text));
    autofree char *target = strndup(colon + 1, strcspn(colon + 1, ":"));
    const char *options = colon + 1 + strlen(target);
    if (strstr(options, "nocopy"))
        return tree_refuse(node, err, "nocopy: a new volume is as the image has the folder");
    return check_volume(model, node, name, err) < 0
               ? -1
               : put(node, target, json_string(name), folders, err);
}

static int take_long(struct model *model, const struct tree_node *node, json_t *folders,
                     struct error *err) {
    const char *type = tree_text(tree_get(node, "type"));
    const char *source = tree_text(tree_get(node, "source"));
    const char *target = tree_text(tree_get(node, "target"));
    const struct tree_node *volume = tree_get(node, "volume");
    bool nocopy;
    if (compose_check_keys(
            node, " type source target read_only consistency bind volume tmpfs image ", err) < 0)
        return -1;
    if (!type || !target)
        return tree_refuse(node, err, "must have type and target");
    if (strcmp(type, "tmpfs") == 0)
        return put(node, target, json_null(), folders, err);
    if (strcmp(type, "volume") != 0)
        return refuse_mount(node, type, err);
    if (compose_read_truth(tree_get(volume, "nocopy"), false, &nocopy, err) < 0)
        return -1;
    if (nocopy || tree_text(tree_get(volume, "subpath")))
        return tree_refuse(volume, err, "a new volume is as the image has the folder");
    return source && check_volume(model, node, source, err) < 0
               ? -1
               : put(node, target, json_string(source ?: ""), folders, err);
}

/* FOLDER[:OPTIONS]. */
static int take_tmpfs(const struct tree_node *node, json_t *folders, struct error *err) {
    if (!tree_text(node))
        return tree_refuse(node, err, "must be a folder, or a list of them");
    autofree char *target = strndup(node->text, strcspn(node->text, ":"));
    return put(node, target, json_null(), folders, err);
}

json_t *compose_read_volumes(struct model *model, const struct tree_node *volumes,
                             const struct tree_node *tmpfs, struct error *err) {
    json_t *folders = json_object();
    int result = 0;
    if (volumes && volumes->kind != TREE_LIST)
        result = tree_refuse(volumes, err, "must be a list");
    for (size_t i = 0; volumes && i < volumes->count && result == 0; i++) {
        const struct tree_node *node = volumes->entries[i].node;
        result = node->kind == TREE_MAPPING ? take_long(model, node, folders, err)
                 : node->kind == TREE_TEXT  ? take_short(model, node, folders, err)
                                            : tree_refuse(node, err, "must be VOLUME:FOLDER");
    }
    for (size_t i = 0; tmpfs && i < tmpfs->count && result == 0; i++)
        result = take_tmpfs(tmpfs->entries[i].node, folders, err);
    if (result == 0)
        return folders;
    json_decref(folders);
    return NULL;
}
