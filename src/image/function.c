#include "image/function.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/process.h"
#include "common/progress.h"
#include "common/words.h"
#include "common/yaml_json.h"
#include "image/bundle.h"
#include "image/entry_point.h"
#include "image/image.h"
#include "image/oci.h"
#include "image/service.h"
#include "image/store.h"

#define RECIPE "4"         /* raise it when the way a function's images are made changes */
#define MODE "u=rwX,go=rX" /* whatever the user's umask is, and was when the files were built */
#define ADDED_MODE "u+rwX" /* as the image says, but we must be able to read them */

static int check_values(const json_t *yaml, const char *name, const char *path, struct error *err) {
    const char *said = json_string_value(json_object_get(yaml, "name"));
    const char *port = json_string_value(json_object_get(yaml, "port"));
    const char *warm_ups = json_string_value(json_object_get(yaml, "warm-ups"));
    if (strcmp(said, name) != 0)
        return error_set(err, "%s: name: %s, but its folders say %s", path, said, name);
    if (!service_is_port(port))
        return error_set(err, "%s: port: %s: must be a number from 1 to 65535", path, port);
    size_t digits = strspn(warm_ups, "0123456789");
    if (!digits || digits > 6 || warm_ups[digits])
        return error_set(err, "%s: warm-ups: %s: not a number from 0 to 999999", path, warm_ups);
    return 0;
}

static int check(const json_t *yaml, const char *name, bool added, const char *path,
                 struct error *err) {
    static const struct {
        const char *key;
        json_type type;
    } wanted[] = {
        {"name", JSON_STRING},   {"description", JSON_STRING}, {"service", JSON_STRING},
        {"port", JSON_STRING},   {"entrypoint", JSON_ARRAY},   {"files", JSON_ARRAY},
        {"client", JSON_ARRAY},  {"warm-ups", JSON_STRING},    {"source", JSON_STRING},
        {"digest", JSON_STRING}, /* the last two: if it was added */
    };
    if (!json_is_object(yaml))
        return error_set(err, "%s: not a mapping of keys to values", path);
    size_t count = sizeof wanted / sizeof *wanted - (added ? 0 : 2);
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(yaml, wanted[i].key);
        if (!value || json_typeof(value) != wanted[i].type)
            return error_set(err, "%s: %s: %s", path, wanted[i].key,
                             wanted[i].type == JSON_ARRAY ? "must be a list" : "must be a text");
        if (json_array_size(value) > FUNCTION_MOST_WORDS)
            return error_set(err, "%s: %s: more than %d texts", path, wanted[i].key,
                             FUNCTION_MOST_WORDS);
        size_t index;
        json_t *item;
        json_array_foreach(value, index, item) if (!json_is_string(item)) return error_set(
            err, "%s: %s: must be a list of texts", path, wanted[i].key);
    }
    const json_t *services = json_object_get(yaml, "services");
    if (json_object_size(yaml) != count + (services != NULL))
        return error_set(err, "%s: has an unknown key", path);
    if (service_check_all(services, added, path, err) < 0)
        return -1;
    return check_values(yaml, name, path, err);
}

/* folder: of its function.yaml */
typedef int visitor(const char *folder, const char *name, void *context);

/* The functions below one folder. Each has its own, so many levels down, whose path is the name
 * with / for -: NAME/LANGUAGE is NAME-LANGUAGE. */
static int for_each_below(const char *place, int levels, visitor *visit, void *context) {
    autofree char *pattern = format_string("%s/%s/function.yaml", place, levels == 2 ? "*/*" : "*");
    glob_t found;
    int result = 0;
    if (glob(pattern, 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; i < found.gl_pathc && result == 0; i++) {
        char *path = found.gl_pathv[i];
        *strrchr(path, '/') = '\0';
        const char *begin = path + strlen(path);
        for (int level = 0; level < levels; level++)
            begin = memrchr(path, '/', (size_t)(begin - path));
        autofree char *name = strdup(begin + 1);
        for (char *slash; (slash = strchr(name, '/'));)
            *slash = '-';
        result = visit(path, name, context);
    }
    globfree(&found);
    return result;
}

/* Call visit(folder, name) for each function, the user's own ($SLSUITE_FUNCTIONS, then added ones)
 * before those that came with the suite, until it returns non-zero. */
static int for_each(visitor *visit, void *context) {
    const char *own = getenv("SLSUITE_FUNCTIONS");
    int result = own && *own ? for_each_below(own, 2, visit, context) : 0;
    result = result ? result : for_each_below(paths_added(), 1, visit, context);
    return result ? result : for_each_below(paths_functions(), 2, visit, context);
}

static int add_name(const char *folder, const char *name, void *names) {
    (void)folder;
    return json_object_set_new(names, name, json_null());
}

static int compare_names(const void *one, const void *other) {
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

json_t *function_names(void) {
    json_t *found = json_object(), *names = json_array(), *null;
    for_each(add_name, found);
    size_t count = 0;
    autofree const char **sorted = calloc(json_object_size(found) + 1, sizeof *sorted);
    const char *name;
    if (!sorted)
        abort();
    json_object_foreach(found, name, null) sorted[count++] = name;
    qsort(sorted, count, sizeof *sorted, compare_names);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(names, json_string(sorted[i]));
    json_decref(found);
    return names;
}

static int take(const char *folder, const char *name, void *context) {
    struct function *function = context;
    if (strcmp(name, function->name) != 0)
        return 0;
    function->folder = strdup(folder);
    function->added = strncmp(folder, paths_added(), strlen(paths_added())) == 0;
    return 1;
}

/* The description of /PACKAGE.Service/Method is PACKAGE.proto:
 * the function's own, or the suite's. */
static void find_proto(struct function *function) {
    const char *service = json_string_value(json_object_get(function->yaml, "service"));
    service += *service == '/';
    int length = (int)strcspn(service, ".");
    function->proto = format_string("%s/%.*s.proto", function->folder, length, service);
    if (file_exists(function->proto))
        return;
    free(function->proto);
    function->proto = format_string("%s/proto/%.*s.proto", paths_functions(), length, service);
}

/* One of its `files`: of its folder, also where a symbolic link leads. */
static int check_file(const struct function *function, const char *name, const char *path,
                      struct error *err) {
    autofree char *folder = realpath(function->folder, NULL), *file = realpath(path, NULL);
    size_t length = folder ? strlen(folder) : 0;
    struct stat about;
    if (*name == '/' || (file && (strncmp(file, folder, length) != 0 || file[length] != '/')))
        return error_set(err, "%s/function.yaml: files: '%s' is not in this folder: copy it there",
                         function->folder, name);
    if (!file || stat(file, &about) < 0)
        return error_errno(err, "cannot read %s", path);
    if (!S_ISREG(about.st_mode))
        return error_set(err,
                         "%s/function.yaml: files: %s is not a file: name its files one by one",
                         function->folder, name);
    return 0;
}

/* Its name in the cache: of all that its images depend on. */
static int name_images(struct function *function, struct error *err) {
    struct hash *hash = hash_new();
    char key[HASH_HEX];
    hash_add_field(hash, "recipe", RECIPE);
    hash_add_field(hash, "language", function->added ? "added" : function->language.key);
    autofree char *yaml = format_string("%s/function.yaml", function->folder);
    autofree char *template = format_string("%s/bundle.json", paths_recipes());
    int result = hash_add_file(hash, yaml, err) < 0 ? -1 : hash_add_file(hash, template, err);
    if (result == 0 && file_exists(function->proto))
        result = hash_add_file(hash, function->proto, err);
    size_t index;
    json_t *file;
    json_array_foreach(json_object_get(function->yaml, "files"), index, file) {
        const char *said = json_string_value(file);
        autofree char *path = format_string("%s/%s", function->folder, said);
        if (result == 0)
            result = check_file(function, said, path, err);
        if (result == 0)
            result = hash_add_file(hash, path, err);
    }
    hash_finish(hash, key);
    function->entry = format_string("%s-%.16s", function->name, key);
    return result;
}

int function_find(const char *name, struct function *function, struct error *err) {
    *function = (struct function){.name = strdup(name)};
    /* The name goes into the guest's run script. */
    if (!*name || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") != strlen(name))
        return error_usage(err, "%s is no function's name: small letters, digits, - and .", name);
    if (!for_each(take, function)) {
        json_t *names = function_names();
        autofree char *list = words_join(names);
        json_decref(names);
        return error_usage(err, "no function is named %s: known are %s", name,
                           *list ? list : "none");
    }
    autofree char *path = format_string("%s/function.yaml", function->folder);
    function->yaml = yaml_read(path, err);
    if (!function->yaml || check(function->yaml, name, function->added, path, err) < 0 ||
        (!function->added &&
         language_find(strrchr(function->folder, '/') + 1, &function->language, err) < 0))
        return -1;
    if (service_any_is_data(json_object_get(function->yaml, "services")) &&
        language_find_services(&function->services, err) < 0)
        return -1;
    find_proto(function);
    return name_images(function, err);
}

/* Its own files, by its language's `build`; where they are all that the image has, it must be able
 * to start from them. */
static int build(const struct function *function, const char *root, const char *log,
                 struct error *err) {
    const char *arguments[FUNCTION_MOST_WORDS + 4] = {function->folder, function->proto, root};
    const json_t *files = json_object_get(function->yaml, "files");
    size_t index;
    json_t *file;
    json_array_foreach(files, index, file) arguments[3 + index] = json_string_value(file);
    if (folder_make(root, err) < 0)
        return -1;
    if (language_run(&function->language, "build", arguments, log, err) == 0 &&
        (function->language.base_entry || entry_points_check(function->yaml, root, err) == 0))
        return 0;
    struct error why = *err;
    return error_set(err, "cannot build %s: %s", function->name, why.text);
}

/* An OCI image: a layer of its own files over its language's base layer.
 * In the bundle, these files only. */
static int make_bundle(const struct function *function, const struct store_entry *entry,
                       const char *bundle, const char *log, struct error *err) {
    autofree char *layout = store_file(entry, "oci"), *tar = store_file(entry, "layer.tar");
    autofree char *root = format_string("%s/rootfs", bundle);
    autofree char *config = format_string("%s/config.json", bundle);
    const json_t *entrypoint = json_object_get(function->yaml, "entrypoint");
    if (build(function, root, log, err) < 0 ||
        oci_new(layout, function->language.base_layout, log, err) < 0 ||
        oci_add_folder(layout, root, tar, log, err) < 0 ||
        oci_finish(layout, entrypoint, log, err) < 0 ||
        oci_runtime_config(layout, NULL, config, log, err) < 0)
        return -1;
    return folder_remove(tar, err);
}

/* Of an image that was added: all its layers, flattened. */
static int unpack_bundle(const struct function *function, const char *bundle, const char *log,
                         struct error *err) {
    autofree char *layout = format_string("%s/oci", function->folder);
    autofree char *root = format_string("%s/rootfs", bundle);
    autofree char *config = format_string("%s/config.json", bundle);
    autofree char *above = strndup(bundle, (size_t)(strrchr(bundle, '/') - bundle));
    if (folder_make(above, err) < 0 || oci_unpack(layout, bundle, log, err) < 0)
        return -1;
    return oci_runtime_config(layout, root, config, log, err);
}

/* What an ext4 image holds, by its UUID: the guest's init goes by the last byte. */
#define OF_FUNCTIONS "51e5e5e5-0000-4000-8000-000000000002"
#define OF_ARCHIVES "51e5e5e5-0000-4000-8000-000000000005"

/* The folder becomes an ext4 image with this UUID, and goes. */
static int pack(const char *content, const char *image, const char *uuid, const char *log,
                struct error *err) {
    autofree char *recipe = format_string("%s/make-ext4", paths_recipes());
    const char *const arguments[] = {"fakeroot", "--", "sh", recipe, content, image, uuid, NULL};
    const char *const environment[] = {IMAGE_EPOCH, NULL};
    struct process_options options = {.log = log, .environment = environment};
    return process_run(arguments, &options, err) < 0 ? -1 : folder_remove(content, err);
}

/* As the guest mounts it: the function's files with the container's configuration. */
static int make_images(const struct function *function, const struct store_entry *entry,
                       struct error *err) {
    autofree char *log = store_file(entry, "log"), *content = store_file(entry, "content");
    autofree char *bundle = format_string("%s/%s", content, function->name);
    autofree char *image = store_file(entry, "function.ext4");
    autofree char *digest_file = store_file(entry, "digest");
    autofree char *port_file = format_string("%s/port", bundle);
    const char *port = function_port(function);
    const char *const mode[] = {"chmod", "-R", function->added ? ADDED_MODE : MODE, content, NULL};
    struct process_options options = {.log = log};
    char digest[HASH_HEX];
    if ((function->added ? unpack_bundle(function, bundle, log, err)
                         : make_bundle(function, entry, bundle, log, err)) < 0 ||
        bundle_finish(bundle, function->name, err) < 0 ||
        service_write_bundles(json_object_get(function->yaml, "services"), function->folder, bundle,
                              log, err) < 0 ||
        file_write(port_file, port, strlen(port), err) < 0 ||
        process_run(mode, &options, err) < 0 || pack(content, image, OF_FUNCTIONS, log, err) < 0 ||
        hash_file(image, digest, err) < 0)
        return -1;
    return file_write(digest_file, digest, strlen(digest), err);
}

static int find_images(const struct function *function, struct store_entry *entry,
                       struct error *err) {
    if (store_open(entry, FUNCTION_IMAGES, function->entry, err) < 0)
        return -1;
    if (!entry->work)
        return 0;
    if (store_need_room(function->added ? 1e9 : 50e6, "a function's image", err) < 0)
        return -1;
    autofree char *title = format_string("function %s: image", function->name);
    struct progress *progress = progress_begin("function", title, 2);
    int result = make_images(function, entry, err);
    if (result == 0)
        result = store_commit(entry, err);
    progress_end(progress, result == 0);
    return result;
}

/* What a checkpoint depends on: the function's own image, the base layer below it, and that below
 * its data services. */
static int read_digests(struct function *function, const struct store_entry *entry,
                        struct error *err) {
    const char *base = function->language.base_digest, *services = function->services.base_digest;
    autofree char *digest_file = store_file(entry, "digest");
    autofree char *digest = file_read(digest_file, NULL, err);
    if (!digest || oci_digest(function->layout, function->image_digest, err) < 0)
        return -1;
    snprintf(function->digest, HASH_HEX, "%s", digest);
    if (*base || *services) {
        struct hash *hash = hash_new();
        hash_add_field(hash, "function", digest);
        hash_add_field(hash, "base", base);
        hash_add_field(hash, "services", services);
        hash_finish(hash, function->digest);
    }
    return 0;
}

int function_prepare(const char *name, struct function *function, struct error *err) {
    if (function_find(name, function, err) < 0 || language_prepare(&function->language, err) < 0 ||
        language_prepare(&function->services, err) < 0)
        return -1;
    struct store_entry entry = {.lock = -1};
    int result = find_images(function, &entry, err);
    if (result == 0) {
        function->layout =
            function->added ? format_string("%s/oci", function->folder) : store_file(&entry, "oci");
        function->image = store_file(&entry, "function.ext4");
        result = read_digests(function, &entry, err);
    }
    store_close(&entry);
    return result;
}

static int make_archive(const struct function *function, const struct store_entry *entry,
                        struct error *err) {
    autofree char *log = store_file(entry, "log"), *content = store_file(entry, "content");
    autofree char *tar = format_string("%s/image.tar", content);
    autofree char *image = store_file(entry, "archive.ext4");
    if (folder_make(content, err) < 0 || oci_export(function->layout, tar, function->name, err) < 0)
        return -1;
    return pack(content, image, OF_ARCHIVES, log, err);
}

int function_prepare_archive(struct function *function, struct error *err) {
    struct store_entry entry = {.lock = -1};
    int result = store_open(&entry, FUNCTION_ARCHIVES, function->entry, err);
    if (result == 0 && entry.work)
        result = store_need_room(1e9, "a function's archive", err);
    if (result == 0 && entry.work) {
        autofree char *title = format_string("function %s: archive", function->name);
        struct progress *progress = progress_begin("archive", title, 5);
        result = make_archive(function, &entry, err);
        if (result == 0)
            result = store_commit(&entry, err);
        progress_end(progress, result == 0);
    }
    if (result == 0) {
        function->archive = store_file(&entry, "archive.ext4");
        struct hash *hash = hash_new();
        hash_add_field(hash, "function", function->digest);
        hash_add_field(hash, "archive", function->image_digest);
        hash_finish(hash, function->digest);
    }
    store_close(&entry);
    return result;
}

const char *function_port(const struct function *function) {
    return json_string_value(json_object_get(function->yaml, "port"));
}

/* 1: the image has no such file. */
static int extract(const char *image, const char *path, const char *to, struct error *err) {
    autofree char *log = format_string("%s.log", to);
    autofree char *command = format_string("dump \"%s\" \"%s\"", path, to);
    const char *const arguments[] = {"debugfs", "-R", command, image, NULL};
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

int function_extract(const struct function *function, const char *path, const char *to,
                     struct error *err) {
    autofree char *own = format_string("/%s/rootfs%s", function->name, path);
    int result = extract(function->image, own, to, err);
    if (result == 1 && function->language.base_image)
        result = extract(function->language.base_image, path, to, err);
    return result;
}

void function_free(struct function *function) {
    free(function->name);
    free(function->folder);
    free(function->proto);
    free(function->entry);
    language_free(&function->language);
    language_free(&function->services);
    json_decref(function->yaml);
    free(function->layout);
    free(function->image);
    free(function->archive);
    *function = (struct function){0};
}
