#include "image/function.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/process.h"
#include "common/progress.h"
#include "common/yaml_json.h"
#include "image/bundle.h"
#include "image/image.h"
#include "image/store.h"

#define RECIPE "2"         /* raise it when the way a function's images are made changes */
#define PORT "50051"       /* which src/guest/slsuite-function publishes */
#define MODE "u=rwX,go=rX" /* whatever the user's umask is, and was when the files were built */
#define CREATED "2024-01-01T00:00:00Z" /* the same instant as IMAGE_EPOCH */

static int check_values(const json_t *yaml, const char *name, const char *path, struct error *err) {
    const char *said = json_string_value(json_object_get(yaml, "name"));
    const char *port = json_string_value(json_object_get(yaml, "port"));
    const char *warm_ups = json_string_value(json_object_get(yaml, "warm-ups"));
    if (strcmp(said, name) != 0)
        return error_set(err, "%s: name: %s, but its folders say %s", path, said, name);
    if (strcmp(port, PORT) != 0)
        return error_set(err, "%s: port: %s: must be " PORT, path, port);
    size_t digits = strspn(warm_ups, "0123456789");
    if (!digits || digits > 6 || warm_ups[digits])
        return error_set(err, "%s: warm-ups: %s: not a number from 0 to 999999", path, warm_ups);
    return 0;
}

static int check(const json_t *yaml, const char *name, const char *path, struct error *err) {
    static const struct {
        const char *key;
        json_type type;
    } wanted[] = {
        {"name", JSON_STRING},  {"description", JSON_STRING}, {"service", JSON_STRING},
        {"port", JSON_STRING},  {"entrypoint", JSON_ARRAY},   {"files", JSON_ARRAY},
        {"client", JSON_ARRAY}, {"warm-ups", JSON_STRING},
    };
    if (!json_is_object(yaml))
        return error_set(err, "%s: not a mapping of keys to values", path);
    size_t count = sizeof wanted / sizeof *wanted;
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(yaml, wanted[i].key);
        if (!value || json_typeof(value) != wanted[i].type)
            return error_set(err, "%s: %s: %s", path, wanted[i].key,
                             wanted[i].type == JSON_ARRAY ? "must be a list" : "must be a text");
        size_t index;
        json_t *item;
        json_array_foreach(value, index, item) if (!json_is_string(item)) return error_set(
            err, "%s: %s: must be a list of texts", path, wanted[i].key);
    }
    if (json_object_size(yaml) != count)
        return error_set(err, "%s: has an unknown key", path);
    return check_values(yaml, name, path, err);
}

typedef int visitor(const char *folder, const char *name, void *context);

/* The functions below one folder: FOLDER/NAME/LANGUAGE/function.yaml is NAME-LANGUAGE. */
static int for_each_below(const char *place, visitor *visit, void *context) {
    autofree char *pattern = format_string("%s/*/*/function.yaml", place);
    glob_t found;
    int result = 0;
    if (glob(pattern, 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; i < found.gl_pathc && result == 0; i++) {
        char *path = found.gl_pathv[i];
        *strrchr(path, '/') = '\0';
        char *language = strrchr(path, '/') + 1;
        language[-1] = '\0';
        autofree char *name = format_string("%s-%s", strrchr(path, '/') + 1, language);
        language[-1] = '/';
        result = visit(path, name, context);
    }
    globfree(&found);
    return result;
}

/* Call visit(folder, name) for each function, the user's own ($SLSUITE_FUNCTIONS) before those that
 * came with the suite, until it returns non-zero. */
static int for_each(visitor *visit, void *context) {
    const char *own = getenv("SLSUITE_FUNCTIONS");
    int result = own && *own ? for_each_below(own, visit, context) : 0;
    return result ? result : for_each_below(paths_functions(), visit, context);
}

static int add_name(const char *folder, const char *name, void *names) {
    (void)folder;
    json_array_append_new(names, json_string(name));
    return 0;
}

json_t *function_names(void) {
    json_t *names = json_array();
    for_each(add_name, names);
    return names;
}

static int take(const char *folder, const char *name, void *context) {
    struct function *function = context;
    if (strcmp(name, function->name) != 0)
        return 0;
    function->folder = strdup(folder);
    return 1;
}

int function_find(const char *name, struct function *function, struct error *err) {
    *function = (struct function){.name = strdup(name)};
    /* The name goes into the guest's run script. */
    if (!*name || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") != strlen(name))
        return error_usage(err, "%s is no function's name: small letters, digits, - and .", name);
    if (!for_each(take, function)) {
        json_t *names = function_names();
        autofree char *list = strdup("");
        size_t index;
        json_t *known;
        json_array_foreach(names, index, known) {
            char *longer =
                format_string("%s%s%s", list, index ? ", " : "", json_string_value(known));
            free(list);
            list = longer;
        }
        json_decref(names);
        return error_usage(err, "no function is named %s: known are %s", name,
                           *list ? list : "none");
    }
    autofree char *path = format_string("%s/function.yaml", function->folder);
    function->yaml = yaml_read(path, err);
    return function->yaml ? check(function->yaml, name, path, err) : -1;
}

/* umoci VERB --image LAYOUT:latest ARGUMENTS… */
static int umoci(const char *layout, const char *const arguments[], const char *log,
                 struct error *err) {
    autofree char *image = format_string("%s:latest", layout);
    const char *vector[64] = {"umoci", arguments[0], "--image", image};
    size_t count = 4;
    for (size_t i = 1; arguments[i]; i++) {
        if (count + 2 > sizeof vector / sizeof *vector)
            return error_set(err, "too many arguments for umoci");
        vector[count++] = arguments[i];
    }
    const char *const environment[] = {IMAGE_EPOCH, NULL};
    struct process_options options = {.log = log, .environment = environment};
    return process_run(vector, &options, err);
}

/* The OCI image: one layer with the function's files, and its entry point. */
static int make_layout(const struct function *function, const char *layout, const char *staging,
                       const char *log, struct error *err) {
    const char *const init[] = {"umoci", "init", "--layout", layout, NULL};
    struct process_options options = {.log = log};
    if (process_run(init, &options, err) < 0 ||
        umoci(layout, (const char *const[]){"new", NULL}, log, err) < 0 ||
        folder_make(staging, err) < 0)
        return -1;
    size_t index;
    json_t *file;
    json_array_foreach(json_object_get(function->yaml, "files"), index, file) {
        autofree char *from = format_string("%s/%s", function->folder, json_string_value(file));
        autofree char *to = format_string("%s/%s", staging, json_string_value(file));
        autofree char *place = format_string("/%s", json_string_value(file));
        const char *const date[] = {"touch", "-d", CREATED, to, NULL};
        const char *const mode[] = {"chmod", MODE, to, NULL};
        const char *const insert[] = {"insert", "--rootless", "--history.created", CREATED, to,
                                      place,    NULL};
        if (file_copy(from, to, err) < 0 || process_run(date, &options, err) < 0 ||
            process_run(mode, &options, err) < 0 || umoci(layout, insert, log, err) < 0)
            return -1;
    }
    const char *config[48] = {"config", "--created", CREATED, "--history.created",
                              CREATED,  "--os",      "linux", "--architecture",
                              "amd64"};
    size_t count = 9;
    json_array_foreach(json_object_get(function->yaml, "entrypoint"), index, file) {
        if (count + 3 > sizeof config / sizeof *config)
            return error_set(err, "%s: its entry point is too long", function->name);
        config[count++] = "--config.entrypoint";
        config[count++] = json_string_value(file);
    }
    const char *const collect[] = {"umoci", "gc", "--layout", layout, NULL};
    if (umoci(layout, config, log, err) < 0)
        return -1;
    return process_run(collect, &options, err);
}

static int make_images(const struct function *function, const struct store_entry *entry,
                       struct error *err) {
    autofree char *layout = store_file(entry, "oci"), *staging = store_file(entry, "staging");
    autofree char *content = store_file(entry, "content"), *log = store_file(entry, "log");
    autofree char *bundle = format_string("%s/%s", content, function->name);
    autofree char *image = store_file(entry, "function.ext4"),
                  *digest_file = store_file(entry, "digest");
    autofree char *recipe = format_string("%s/make-ext4", paths_recipes());
    const char *const unpack[] = {"unpack", "--rootless", bundle, NULL};
    const char *const mode[] = {"chmod", "-R", MODE, content, NULL};
    const char *const pack[] = {
        "fakeroot", "--", "sh", recipe, content, image, "51e5e5e5-0000-4000-8000-000000000002",
        NULL};
    const char *const environment[] = {IMAGE_EPOCH, NULL};
    struct process_options options = {.log = log, .environment = environment};
    char digest[HASH_HEX];
    if (make_layout(function, layout, staging, log, err) < 0 || folder_make(content, err) < 0 ||
        umoci(layout, unpack, log, err) < 0 || bundle_finish(bundle, function->name, err) < 0 ||
        process_run(mode, &options, err) < 0 || process_run(pack, &options, err) < 0 ||
        folder_remove(content, err) < 0 || folder_remove(staging, err) < 0 ||
        hash_file(image, digest, err) < 0)
        return -1;
    return file_write(digest_file, digest, strlen(digest), err);
}

static int find_images(const struct function *function, struct store_entry *entry,
                       struct error *err) {
    struct hash *hash = hash_new();
    char key[HASH_HEX];
    hash_add_field(hash, "recipe", RECIPE);
    autofree char *yaml = format_string("%s/function.yaml", function->folder);
    autofree char *template = format_string("%s/bundle.json", paths_recipes());
    int result = hash_add_file(hash, yaml, err) < 0 ? -1 : hash_add_file(hash, template, err);
    size_t index;
    json_t *file;
    json_array_foreach(json_object_get(function->yaml, "files"), index, file) {
        autofree char *path = format_string("%s/%s", function->folder, json_string_value(file));
        if (result == 0)
            result = hash_add_file(hash, path, err);
    }
    hash_finish(hash, key);
    autofree char *name = format_string("%s-%.16s", function->name, key);
    if (result < 0 || store_open(entry, "functions", name, err) < 0)
        return -1;
    if (!entry->work)
        return 0;
    if (store_need_room(50e6, "a function's image", err) < 0)
        return -1;
    autofree char *title = format_string("function %s: image", function->name);
    struct progress *progress = progress_begin("function", title, 2);
    result = make_images(function, entry, err);
    if (result == 0)
        result = store_commit(entry, err);
    progress_end(progress, result == 0);
    return result;
}

/* The manifest's digest, from the layout's index. */
static int read_manifest_digest(struct function *function, struct error *err) {
    autofree char *path = format_string("%s/index.json", function->layout);
    json_t *index = json_load_file(path, 0, NULL);
    const json_t *manifest = json_array_get(json_object_get(index, "manifests"), 0);
    const char *digest = json_string_value(json_object_get(manifest, "digest"));
    int result =
        digest && strncmp(digest, "sha256:", 7) == 0
            ? 0
            : error_set(err, "%s names no image: remove its folder, it will be made again", path);
    if (result == 0)
        snprintf(function->image_digest, HASH_HEX, "%s", digest + 7);
    json_decref(index);
    return result;
}

int function_prepare(const char *name, struct function *function, struct error *err) {
    if (function_find(name, function, err) < 0)
        return -1;
    struct store_entry entry = {.lock = -1};
    int result = find_images(function, &entry, err);
    if (result == 0) {
        autofree char *digest_file = store_file(&entry, "digest");
        autofree char *digest = file_read(digest_file, NULL, err);
        function->layout = store_file(&entry, "oci");
        function->image = store_file(&entry, "function.ext4");
        if (digest)
            snprintf(function->digest, HASH_HEX, "%s", digest);
        result = digest ? read_manifest_digest(function, err) : -1;
    }
    store_close(&entry);
    return result;
}

int function_extract(const struct function *function, const char *path, const char *to,
                     struct error *err) {
    autofree char *log = format_string("%s.log", to);
    autofree char *command =
        format_string("dump \"/%s/rootfs%s\" \"%s\"", function->name, path, to);
    const char *const arguments[] = {"debugfs", "-R", command, function->image, NULL};
    struct process_options options = {.output = log, .log = log};
    if (strpbrk(path, "\"\\\n")) /* debugfs has no way to write these */
        return 1;
    int result = process_run(arguments, &options, err);
    unlink(log);
    if (result == 0 && file_size(to) <= 0) {
        unlink(to);
        return 1;
    }
    return result;
}

void function_free(struct function *function) {
    free(function->name);
    free(function->folder);
    json_decref(function->yaml);
    free(function->layout);
    free(function->image);
    *function = (struct function){0};
}
