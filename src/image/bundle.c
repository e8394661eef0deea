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
        autofree char *text = json_dumps(config, JSON_INDENT(2));
        result = file_write(path, text, strlen(text), err);
        remove_notes(bundle);
    }
    json_decref(unpacked);
    json_decref(config);
    return result;
}

int bundle_for_host(const char *bundle, json_t *arguments, json_t **process, struct error *err) {
    autofree char *path = format_string("%s/config.json", bundle);
    json_t *config = load(path, err);
    *process = json_incref(json_object_get(config, "process"));
    if (!config)
        return -1;
    json_object_set(*process, "args", arguments);
    json_object_set_new(*process, "terminal", json_false());
    autofree char *text = json_dumps(config, JSON_INDENT(2));
    int result = file_write(path, text, strlen(text), err);
    json_decref(config);
    return result;
}
