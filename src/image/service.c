#include "image/service.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "image/bundle.h"
#include "image/function.h"

#define MOST_LETTERS 32

/* A name is also that of a host, a network name space and a control group. */
static bool is_name(const char *name) {
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return length && length <= MOST_LETTERS && !name[length] && *name != '-';
}

static bool is_port(const char *text) {
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

static int check(const char *name, const json_t *service, const char *path, struct error *err) {
    const char *port = json_string_value(json_object_get(service, "port"));
    const json_t *image = json_object_get(service, "image");
    if (!is_name(name))
        return error_set(err, "%s: services: %s: a name is of at most %d small letters, digits, -",
                         path, name, MOST_LETTERS);
    if (!is_command(json_object_get(service, "entrypoint")))
        return error_set(err, "%s: services: %s: entrypoint: must be a list of 1 to %d texts", path,
                         name, FUNCTION_MOST_WORDS);
    if (!is_port(port))
        return error_set(err, "%s: services: %s: port: must be a number from 1 to 65535", path,
                         name);
    if (image && !service_is_data(service))
        return error_set(err, "%s: services: %s: image: must be `services`, or be left out", path,
                         name);
    if (json_object_size(service) != (image ? 3 : 2))
        return error_set(err, "%s: services: %s: has an unknown key", path, name);
    return 0;
}

int service_check_all(const json_t *services, const char *path, struct error *err) {
    const char *name;
    json_t *service;
    if (services && (!json_is_object(services) || json_object_size(services) > SERVICE_MOST))
        return error_set(err, "%s: services: must be a mapping of at most %d names", path,
                         SERVICE_MOST);
    json_object_foreach((json_t *)services, name, service) {
        if (check(name, service, path, err) < 0)
            return -1;
    }
    return 0;
}

bool service_is_data(const json_t *service) {
    const char *image = json_string_value(json_object_get(service, "image"));
    return image && strcmp(image, "services") == 0;
}

bool service_any_is_data(const json_t *services) {
    const char *name;
    json_t *service;
    json_object_foreach((json_t *)services, name,
                        service) if (service_is_data(service)) return true;
    return false;
}

int service_write_bundles(const json_t *services, const char *bundle, struct error *err) {
    if (!json_object_size(services))
        return 0;
    autofree char *folder = format_string("%s/services", bundle);
    autofree char *list_file = format_string("%s/list", folder);
    autofree char *list = strdup("");
    const char *name;
    json_t *service;
    unsigned number = 0;
    if (folder_make(folder, err) < 0)
        return -1;
    json_object_foreach((json_t *)services, name, service) {
        autofree char *config = format_string("%s/%s.json", folder, name);
        if (bundle_write_service(bundle, name, json_object_get(service, "entrypoint"), config,
                                 err) < 0)
            return -1;
        char *longer = format_string("%s%u %s %s %s\n", list, ++number, name,
                                     json_string_value(json_object_get(service, "port")),
                                     service_is_data(service) ? "services" : "function");
        free(list);
        list = longer;
    }
    return file_write(list_file, list, strlen(list), err);
}
