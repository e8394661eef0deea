#include "image/service.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "image/bundle.h"
#include "image/function.h"
#include "image/oci.h"

bool service_is_name(const char *name) {
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return length && length <= SERVICE_MOST_LETTERS && !name[length] && *name != '-';
}

/* Further names go to /etc/hosts only. */
static bool are_names(const json_t *names) {
    size_t index;
    const json_t *one;
    json_array_foreach(names, index, one) {
        const char *name = json_string_value(one) ?: "";
        size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789._-");
        if (!length || length > 255 || name[length] || *name == '-')
            return false;
    }
    return !names || (json_is_array(names) && json_array_size(names) <= SERVICE_MOST_NAMES);
}

bool service_is_port(const char *text) {
    size_t digits = text ? strspn(text, "0123456789") : 0;
    return digits && digits <= 5 && !text[digits] && atoi(text) > 0 && atoi(text) < 65536;
}

static bool is_command(const json_t *words) {
    size_t count = json_array_size(words);
    for (size_t i = 0; i < count; i++)
        if (!json_is_string(json_array_get(words, i)))
            return false;
    return count && count <= FUNCTION_MOST_WORDS;
}

static const char *const layers_names[] = {[LAYERS_OF_FUNCTION] = "function",
                                           [LAYERS_OF_SERVICES] = "services",
                                           [LAYERS_OF_ITS_OWN] = "own"};

enum service_layers service_layers(const json_t *service) {
    const char *image = json_string_value(json_object_get(service, "image")) ?: "";
    return strcmp(image, layers_names[LAYERS_OF_SERVICES]) == 0  ? LAYERS_OF_SERVICES
           : strcmp(image, layers_names[LAYERS_OF_ITS_OWN]) == 0 ? LAYERS_OF_ITS_OWN
                                                                 : LAYERS_OF_FUNCTION;
}

static int check(const char *name, const json_t *service, bool added, const char *path,
                 struct error *err) {
    const char *port = json_string_value(json_object_get(service, "port"));
    const json_t *image = json_object_get(service, "image");
    enum service_layers layers = service_layers(service);
    if (!service_is_name(name))
        return error_set(err, "%s: services: %s: a name is of at most %d small letters, digits, -",
                         path, name, SERVICE_MOST_LETTERS);
    if (!is_command(json_object_get(service, "entrypoint")))
        return error_set(err, "%s: services: %s: entrypoint: must be a list of 1 to %d texts", path,
                         name, FUNCTION_MOST_WORDS);
    if (!service_is_port(port))
        return error_set(err, "%s: services: %s: port: must be a number from 1 to 65535", path,
                         name);
    if (added ? layers != LAYERS_OF_ITS_OWN : image && layers != LAYERS_OF_SERVICES)
        return error_set(err, "%s: services: %s: image: must be `%s`", path, name,
                         added ? "own" : "services`, or be left out: not `own");
    if (added && !json_is_string(json_object_get(service, "digest")))
        return error_set(err, "%s: services: %s: digest: must be a text", path, name);
    const json_t *names = json_object_get(service, "names");
    if (!are_names(names))
        return error_set(err, "%s: services: %s: names: must be at most %d hosts' names", path,
                         name, SERVICE_MOST_NAMES);
    if (json_object_size(service) != (added ? 4 : image ? 3 : 2) + (size_t)(names != NULL))
        return error_set(err, "%s: services: %s: has an unknown key", path, name);
    return 0;
}

int service_check_all(const json_t *services, bool added, const char *path, struct error *err) {
    const char *name;
    json_t *service;
    if (services && (!json_is_object(services) || json_object_size(services) > SERVICE_MOST))
        return error_set(err, "%s: services: must be a mapping of at most %d names", path,
                         SERVICE_MOST);
    json_object_foreach((json_t *)services, name, service) {
        if (check(name, service, added, path, err) < 0)
            return -1;
    }
    return 0;
}

char *service_layout(const char *folder, const char *name) {
    return format_string("%s/services/%s/oci", folder, name);
}

bool service_any_is_data(const json_t *services) {
    const char *name;
    json_t *service;
    json_object_foreach((json_t *)services, name,
                        service) if (service_layers(service) == LAYERS_OF_SERVICES) return true;
    return false;
}

/* Its own image, unpacked, with a configuration as the function's. */
static int unpack(const char *folder, const char *name, const char *bundle, const char *log,
                  struct error *err) {
    autofree char *layout = service_layout(folder, name);
    autofree char *root = format_string("%s/rootfs", bundle);
    autofree char *config = format_string("%s/config.json", bundle);
    if (oci_unpack(layout, bundle, log, err) < 0 ||
        oci_runtime_config(layout, root, config, log, err) < 0)
        return -1;
    return bundle_finish(bundle, name, err);
}

static int write_bundle(const json_t *service, const char *name, const char *folder,
                        const char *bundle, const char *log, struct error *err) {
    autofree char *own = format_string("%s/services/%s", bundle, name);
    autofree char *config = format_string("%s/services/%s.json", bundle, name);
    bool has_own = service_layers(service) == LAYERS_OF_ITS_OWN;
    if (has_own && unpack(folder, name, own, log, err) < 0)
        return -1;
    return bundle_write_service(has_own ? own : bundle, name,
                                json_object_get(service, "entrypoint"), config, err);
}

/* " NAME NAME", each with a blank before it. The caller frees it. */
static char *further_names(const json_t *service) {
    char *list = strdup("");
    size_t index;
    const json_t *name;
    json_array_foreach(json_object_get(service, "names"), index, name) {
        char *longer = format_string("%s %s", list, json_string_value(name));
        free(list);
        list = longer;
    }
    return list;
}

int service_write_bundles(const json_t *services, const char *folder, const char *bundle,
                          const char *log, struct error *err) {
    if (!json_object_size(services))
        return 0;
    autofree char *place = format_string("%s/services", bundle);
    autofree char *list_file = format_string("%s/list", place);
    autofree char *list = strdup("");
    const char *name;
    json_t *service;
    unsigned number = 0;
    if (folder_make(place, err) < 0)
        return -1;
    json_object_foreach((json_t *)services, name, service) {
        if (write_bundle(service, name, folder, bundle, log, err) < 0)
            return -1;
        autofree char *names = further_names(service);
        char *longer = format_string("%s%u %s %s %s%s\n", list, ++number, name,
                                     json_string_value(json_object_get(service, "port")),
                                     layers_names[service_layers(service)], names);
        free(list);
        list = longer;
    }
    return file_write(list_file, list, strlen(list), err);
}
