#include "image/bundle.h"

#include <glob.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"

static json_t *load(const char *path, struct error *err) {
    json_error_t problem;
    json_t *value = json_load_file(path, 0, &problem);
    if (!value)
        error_set(err, "%s:%d: %s", path, problem.line, problem.text);
    return value;
}

static int write_config(const json_t *config, const char *path, struct error *err) {
    autofree char *text = json_dumps(config, JSON_INDENT(2));
    return file_write(path, text, strlen(text), err);
}

/* Keep of `unpacked` what the image's author decided. */
static void adopt(json_t *config, const json_t *unpacked, const char *name) {
    static const char *const decided[] = {"args", "env", "cwd", "user"};
    json_t *process = json_object_get(config, "process");
    for (size_t i = 0; i < sizeof decided / sizeof *decided; i++) {
        json_t *value = json_object_get(json_object_get(unpacked, "process"), decided[i]);
        if (value)
            json_object_set(process, decided[i], value);
    }
    json_object_set_new(config, "hostname", json_string(name));
}

/* umoci leaves its notes beside the bundle. */
static void remove_notes(const char *bundle) {
    static const char *const patterns[] = {"*.mtree", "umoci.json"};
    for (size_t i = 0; i < 2; i++) {
        autofree char *pattern = format_string("%s/%s", bundle, patterns[i]);
        glob_t found;
        if (glob(pattern, 0, NULL, &found) != 0)
            continue;
        for (size_t k = 0; k < found.gl_pathc; k++)
            unlink(found.gl_pathv[k]);
        globfree(&found);
    }
}

int bundle_finish(const char *bundle, const char *name, struct error *err) {
    autofree char *path = format_string("%s/config.json", bundle);
    autofree char *template = format_string("%s/bundle.json", paths_recipes());
    json_t *unpacked = load(path, err), *config = unpacked ? load(template, err) : NULL;
    int result = -1;
    if (config) {
        adopt(config, unpacked, name);
        result = write_config(config, path, err);
        remove_notes(bundle);
    }
    json_decref(unpacked);
    json_decref(config);
    return result;
}

/* The name space of this kind. */
static json_t *name_space(json_t *config, const char *type) {
    json_t *spaces = json_object_get(json_object_get(config, "linux"), "namespaces"), *space;
    size_t index;
    json_array_foreach(spaces, index, space) {
        if (strcmp(json_string_value(json_object_get(space, "type")), type) == 0)
            return space;
    }
    return NULL;
}

int bundle_write_service(const char *bundle, const char *name, json_t *entrypoint,
                         const char *config_file, struct error *err) {
    autofree char *path = format_string("%s/config.json", bundle);
    autofree char *group = format_string("/service-%s", name);
    autofree char *network = format_string("/run/netns/service-%s", name);
    json_t *config = load(path, err);
    if (!config)
        return -1;
    json_t *limits = json_object_get(config, "linux");
    json_object_set(json_object_get(config, "process"), "args", entrypoint);
    json_object_set_new(config, "hostname", json_string(name));
    json_object_set_new(limits, "cgroupsPath", json_string(group));
    json_object_set_new(json_object_get(json_object_get(limits, "resources"), "cpu"), "cpus",
                        json_string("0"));
    json_object_set_new(name_space(config, "network"), "path", json_string(network));
    int result = write_config(config, config_file, err);
    json_decref(config);
    return result;
}

json_t *bundle_process(const char *unpacked, struct error *err) {
    autofree char *path = format_string("%s/config.json", unpacked);
    json_t *config = load(path, err);
    json_t *process = config ? json_incref(json_object_get(config, "process")) : NULL;
    json_decref(config);
    return process;
}

int bundle_for_host(const char *bundle, const char *unpacked, json_t *process, struct error *err) {
    autofree char *path = format_string("%s/config.json", bundle);
    autofree char *from = format_string("%s/config.json", unpacked);
    autofree char *unpacked_root = format_string("%s/rootfs", unpacked);
    autofree char *root = realpath(unpacked_root, NULL); /* as runc wants it */
    autofree char *link = format_string("%s/rootfs", bundle);
    json_t *config = folder_make(bundle, err) < 0 ? NULL : load(from, err);
    if (!config)
        return -1;
    json_object_set(config, "process", process);
    json_object_set_new(json_object_get(config, "root"), "path", json_string(root));
    int result = write_config(config, path, err);
    if (result == 0 && (!root || symlink(root, link) < 0))
        result = error_errno(err, "cannot create %s", link);
    json_decref(config);
    return result;
}
