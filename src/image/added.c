#include "image/added.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/process.h"
#include "common/progress.h"
#include "common/words.h"
#include "image/client.h"
#include "image/folders.h"
#include "image/function.h"
#include "image/oci.h"
#include "image/service.h"
#include "image/store.h"

#define WARM_UPS "20" /* as those of the suite's functions */

char *added_name(const char *source) {
    const char *rest = strchr(source, ':');
    rest = rest ? rest + 1 : source;
    const char *slash = strrchr(rest, '/');
    const char *last = slash ? slash + 1 : rest;
    char *name = strndup(last, strcspn(last, ":@"));
    char *end = name + strlen(name);
    if (strncmp(source, "docker-archive:", 15) == 0 && end - name > 4 && !strcmp(end - 4, ".tar"))
        end[-4] = '\0';
    return name;
}

static bool exists(const char *name) {
    json_t *names = function_names();
    bool found = words_contain(names, name);
    json_decref(names);
    return found;
}

/* The image's name tells what to ask it, or else the function's. */
static int find_client(const struct addition *addition, json_t **client, char **service,
                       struct error *err) {
    autofree char *name = added_name(addition->source);
    return client_find(client_is_known(name) ? name : addition->name, addition->client, client,
                       service, err);
}

int added_check(const struct addition *addition, struct error *err) {
    const char *name = addition->name;
    json_t *client = NULL;
    autofree char *service = NULL;
    if (fetch_check(addition->source, err) < 0)
        return -1;
    if (!service_is_name(name))
        return error_usage(err,
                           "%s is no name for a function: at most %d small letters, digits and -: "
                           "give another behind the image",
                           *name ? name : addition->source, SERVICE_MOST_LETTERS);
    if (!addition->replace && exists(name))
        return error_set(err, "%s: there is a function of that name: give another, or --replace",
                         name);
    int result = find_client(addition, &client, &service, err);
    if (result == 0 && json_array_size(client) > FUNCTION_MOST_WORDS)
        result =
            error_usage(err, "%s: more than %d words for the client", name, FUNCTION_MOST_WORDS);
    if (result == 0 && json_object_size(addition->services) > SERVICE_MOST)
        result = error_set(err, "%s: needs %zu services: at most %d can be started", name,
                           json_object_size(addition->services), SERVICE_MOST);
    json_decref(client);
    return result;
}

/* The command line that image and addition give it. NULL with an error: none. */
static json_t *find_arguments(const char *layout, const char *source, bool has_changed,
                              struct error *err) {
    json_t *image = oci_config(layout, err), *arguments = NULL;
    const json_t *config = json_object_get(image, "config");
    const char *system = json_string_value(json_object_get(image, "os")) ?: "unknown";
    const char *processor = json_string_value(json_object_get(image, "architecture")) ?: "unknown";
    if (image && (strcmp(system, "linux") != 0 || strcmp(processor, "amd64") != 0)) {
        error_set(err, "%s: the image is for %s/%s: the guest needs one for linux/amd64", source,
                  system, processor);
    } else if (image) {
        arguments = json_array();
        json_array_extend(arguments, json_object_get(config, "Entrypoint"));
        json_array_extend(arguments, json_object_get(config, "Cmd"));
        size_t count = json_array_size(arguments);
        if (count == 0 || count > FUNCTION_MOST_WORDS) {
            error_set(err,
                      count ? "%s: its command line has more than %d words: give a shorter one in "
                              "a Docker Compose file (entrypoint: …)"
                      : has_changed
                          ? "%s: neither the image's nor the file's entrypoint and command leave "
                            "anything to run: give an entrypoint"
                          : "%s: the image has no entry point: give one in a Docker Compose file "
                            "(entrypoint: …)",
                      source, FUNCTION_MOST_WORDS);
            json_decref(arguments);
            arguments = NULL;
        }
    }
    json_decref(image);
    return arguments;
}

/* skopeo has checked the digests of what it copied; umoci checks what is in the layers, and that
 * its user is in it. With the folders that it is to have. */
static int try_to_unpack(const struct addition *addition, const char *folder, const char *layout,
                         const char *log, struct error *err) {
    autofree char *bundle = format_string("%s/bundle", folder);
    autofree char *root = format_string("%s/rootfs", bundle);
    autofree char *place = format_string("%s/folders", folder);
    struct error why = {0};
    if (oci_unpack(layout, bundle, log, &why) < 0)
        return error_set(err, "cannot unpack %s: %s: %s", addition->source, why.text,
                         strstr(why.text, "user spec") ? "give a user that is in it, or numbers"
                                                       : "it is damaged, or not an image of Linux");
    return folders_add(layout, root, addition->how, place, log, err) < 0
               ? -1
               : folder_remove(bundle, err);
}

/* An image, into FOLDER/oci, with what is said of how it is to be run. Returns its command line;
 * NULL with an error. */
static json_t *take_image(const struct addition *addition, const char *folder, const char *log,
                          struct error *err) {
    autofree char *layout = format_string("%s/oci", folder);
    if (fetch_image(addition->source, layout, &addition->fetch, log, err) < 0 ||
        oci_configure(layout, addition->how, log, err) < 0)
        return NULL;
    bool has_changed =
        json_object_get(addition->how, "entrypoint") || json_object_get(addition->how, "command");
    json_t *arguments = find_arguments(layout, addition->source, has_changed, err);
    if (arguments && try_to_unpack(addition, folder, layout, log, err) == 0)
        return arguments;
    json_decref(arguments);
    return NULL;
}

/* The lowest port that the image says it listens on, or NULL. The caller frees it. */
static char *exposed_port(const char *layout, struct error *err) {
    json_t *image = oci_config(layout, err), *nothing;
    const char *port;
    long lowest = 0;
    json_object_foreach(json_object_get(json_object_get(image, "config"), "ExposedPorts"), port,
                        nothing) {
        long number = strtol(port, NULL, 10);
        if (!strstr(port, "/udp") && number > 0 && (!lowest || number < lowest))
            lowest = number;
    }
    json_decref(image);
    return lowest ? format_string("%ld", lowest) : NULL;
}

/* One that the function needs: function.yaml's description of it, or NULL with an error. */
static json_t *take_service(const struct addition *addition, const char *name, const json_t *said,
                            const char *folder, const char *log, struct error *err) {
    const char *port = json_string_value(json_object_get(said, "port"));
    const struct addition service = {
        .source = json_string_value(json_object_get(said, "image")),
        .how = said,
        .fetch = addition->fetch,
    };
    autofree char *layout = format_string("%s/oci", folder);
    char digest[HASH_HEX];
    if (folder_make(folder, err) < 0)
        return NULL;
    json_t *arguments = take_image(&service, folder, log, err);
    autofree char *exposed = arguments && !port ? exposed_port(layout, err) : NULL;
    if (arguments && !port && !exposed)
        error_set(err, "%s: neither the file (expose: …) nor its image says where it listens",
                  name);
    else if (arguments && oci_digest(layout, digest, err) == 0)
        return json_pack("{s:s, s:s, s:s+, s:o, s:O*}", "image", "own", "port", port ?: exposed,
                         "digest", "sha256:", digest, "entrypoint", arguments, "names",
                         json_object_get(said, "names"));
    json_decref(arguments);
    return NULL;
}

/* Owned by the caller; NULL with an error. */
static json_t *take_services(const struct addition *addition, const struct store_entry *entry,
                             const char *log, struct error *err) {
    json_t *services = json_object(), *said;
    const char *name;
    json_object_foreach((json_t *)addition->services, name, said) {
        autofree char *folder = format_string("%s/services/%s", entry->work, name);
        json_t *service = take_service(addition, name, said, folder, log, err);
        if (!service) {
            json_decref(services);
            return NULL;
        }
        json_object_set_new(services, name, service);
    }
    return services;
}

/* JSON is YAML. */
static int describe(const struct addition *addition, const char *layout, const char *path,
                    json_t *arguments, json_t *services, struct error *err) {
    char digest[HASH_HEX];
    json_t *client = NULL;
    autofree char *service = NULL;
    if (oci_digest(layout, digest, err) < 0 || find_client(addition, &client, &service, err) < 0)
        return -1;
    json_t *yaml = json_pack("{s:s, s:s+, s:s, s:s, s:O, s:[], s:o, s:s, s:s, s:s+, s:O}", "name",
                             addition->name, "description", "from ", addition->source, "service",
                             service, "port", addition->port ?: FUNCTION_PORT, "entrypoint",
                             arguments, "files", "client", client, "warm-ups", WARM_UPS, "source",
                             addition->source, "digest", "sha256:", digest, "services", services);
    autofree char *json = json_dumps(yaml, JSON_INDENT(2)), *text = format_string("%s\n", json);
    json_decref(yaml);
    return service_check_all(services, true, addition->name, err) < 0
               ? -1
               : file_write(path, text, strlen(text), err);
}

static int fill(const struct addition *addition, const struct store_entry *entry,
                struct error *err) {
    autofree char *layout = store_file(entry, "oci"), *log = store_file(entry, "log");
    autofree char *description = store_file(entry, "function.yaml");
    json_t *arguments = take_image(addition, entry->work, log, err);
    json_t *services = arguments ? take_services(addition, entry, log, err) : NULL;
    int result = services ? describe(addition, layout, description, arguments, services, err) : -1;
    json_decref(services);
    json_decref(arguments);
    return result;
}

int added_make(const struct addition *addition, struct error *err) {
    struct store_entry entry = {.lock = -1};
    int result = added_check(addition, err);
    if (result == 0)
        result = store_begin(&entry, paths_added(), addition->name, err);
    if (result == 0) /* another process may have added it while we waited */
        result = added_check(addition, err);
    if (result == 0) {
        autofree char *title = format_string("function %s: add", addition->name);
        struct progress *progress = progress_begin("add", title, 10);
        result = fill(addition, &entry, err);
        if (result == 0)
            result = store_commit(&entry, err);
        progress_end(progress, result == 0);
    }
    store_close(&entry);
    return result;
}

int added_remove(const char *name, struct error *err) {
    autofree char *path = format_string("%s/%s/function.yaml", paths_added(), name);
    if (strchr(name, '/') || *name == '.' || !file_exists(path))
        return error_usage(err,
                           "%s: no function of that name was added: only what `slsuite function "
                           "add` has added can be removed",
                           name);
    return store_remove(paths_added(), name, err);
}
