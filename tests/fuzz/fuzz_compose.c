/* Any bytes as a Docker Compose file, for libFuzzer: the reader must take them or say in one line
 * what is wrong, of the file or of a service. What it takes of a service must be what the rest of
 * the suite can use. The bytes behind the first NUL are a file of variables. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/compose.h"
#include "image/fetch.h"
#include "image/service.h"
#include "image/variables.h"

static void require(int truth, const char *what, const char *details) {
    if (truth)
        return;
    fprintf(stderr, "fuzz_compose: %s: %s\n", what, details);
    abort();
}

static void check_refusal(const struct error *err) {
    require(err->status == 1 && *err->text, "a refusal without an error", err->text);
    for (const char *c = err->text; *c; c++)
        require((unsigned char)*c >= ' ' && *c != 0x7f, "a control character", err->text);
}

static void check_list(const json_t *list, const char *key) {
    size_t index;
    const json_t *word;
    require(!list || json_is_array(list), "no list", key);
    json_array_foreach(list, index, word) require(json_is_string(word), "no text in a list", key);
}

static void check_accepted(const json_t *service) {
    static const char *const lists[] = {"entrypoint", "command",  "environment",
                                        "names",      "profiles", "x-client"};
    const char *image = json_string_value(json_object_get(service, "image"));
    const char *port = json_string_value(json_object_get(service, "port"));
    const char *folder = json_string_value(json_object_get(service, "working_dir")), *path;
    json_t *kind;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        check_list(json_object_get(service, lists[i]), lists[i]);
    require(json_is_string(json_object_get(service, "where")), "no place", "where");
    require(!image || fetch_transport(image), "an image without a transport", image);
    require(!port || service_is_port(port), "no port", port);
    require(!folder || *folder == '/', "no folder", folder);
    json_object_foreach(json_object_get(service, "folders"), path, kind)
        require(*path == '/' && (json_is_null(kind) || json_is_string(kind)), "no folder", path);
}

/* Its services, each alone, as they are asked for. */
static void read_services(struct compose *compose) {
    const char *name;
    json_t *null;
    size_t count = 0;
    json_object_foreach((json_t *)compose_names(compose), name, null) {
        struct error err = {0};
        char *spelt = compose_spell(name);
        require(!*spelt || service_is_name(spelt), "no function's name", spelt);
        free(spelt);
        json_t *service = compose_service(compose, name, &err);
        if (service)
            check_accepted(service);
        else
            check_refusal(&err);
        json_decref(service);
        if (++count == 8)
            break;
    }
    json_decref(compose_remarks(compose));
}

static void read_file(const char *path) {
    struct error err = {0};
    json_t *files = json_pack("[s]", path), *none = json_array();
    struct compose *compose = compose_open(files, none, &err);
    if (compose)
        read_services(compose);
    else
        check_refusal(&err);
    compose_close(compose);
    json_decref(none);
    json_decref(files);
}

static void read_variables(const char *text) {
    struct variables variables = {.own = json_object(), .missing = json_object()};
    struct error err = {0};
    if (variables_parse("FILE", text, false, &variables, variables.own, &err) < 0)
        check_refusal(&err);
    json_decref(variables.own);
    json_decref(variables.missing);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static int fd = -1;
    static char path[64];
    char *text = strndup((const char *)data, size); /* to the NUL */
    size_t length = text ? strlen(text) : 0;
    if (fd < 0) {
        fd = memfd_create("compose.yaml", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    if (!text || fd < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, text, length, 0) != (ssize_t)length)
        abort();
    read_file(path);
    free(text);
    if (length < size && (text = strndup((const char *)data + length + 1, size - length - 1)))
        read_variables(text), free(text);
    return 0;
}
