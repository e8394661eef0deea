#include "image/host.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/process.h"
#include "image/bundle.h"
#include "image/oci.h"
#include "image/service.h"

#define MOST_WORDS ((SERVICE_MOST + 2) * (FUNCTION_MOST_WORDS + 16))
#define TEST_SECONDS 300

struct words {
    const char *word[MOST_WORDS + 1];
    size_t count;
};

static void add(struct words *words, const char *word) {
    if (words->count == MOST_WORDS)
        abort(); /* function.yaml's lists are shorter: FUNCTION_MOST_WORDS */
    words->word[words->count++] = word;
}

/* A port that was free a moment ago. */
static int find_port(unsigned *port, struct error *err) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        return error_errno(err, "cannot find a free port");
    *port = ntohs(address.sin_port);
    return 0;
}

/* What listens on a port of its own: the services, and last the function. */
struct listener {
    const char *name; /* NULL: the function */
    const char *port; /* in its container */
    const json_t *entrypoint;
    bool data;         /* lies on the data services' base layer */
    unsigned number;   /* its port on this computer */
    char *bundle;      /* owned, and so is what follows */
    json_t *arguments; /* the entry point, as it is on this computer */
};

struct listeners {
    struct listener listener[SERVICE_MOST + 1];
    size_t count;
};

static int add_listener(struct listeners *listeners, const struct listener *listener,
                        const char *place, struct error *err) {
    struct listener *added = &listeners->listener[listeners->count++];
    *added = *listener;
    added->bundle =
        format_string("%s/bundle-%s", place, listener->name ? listener->name : "of-function");
    return added->number ? 0 : find_port(&added->number, err);
}

static int find_listeners(const struct function *function, const char *place, unsigned port,
                          struct listeners *listeners, struct error *err) {
    const char *name;
    json_t *service;
    json_object_foreach(json_object_get(function->yaml, "services"), name, service) {
        const struct listener listener = {
            .name = name,
            .port = json_string_value(json_object_get(service, "port")),
            .entrypoint = json_object_get(service, "entrypoint"),
            .data = service_is_data(service),
        };
        if (add_listener(listeners, &listener, place, err) < 0)
            return -1;
    }
    const struct listener listener = {
        .port = FUNCTION_PORT,
        .entrypoint = json_object_get(function->yaml, "entrypoint"),
        .number = port,
    };
    return add_listener(listeners, &listener, place, err);
}

static void free_listeners(struct listeners *listeners) {
    for (size_t i = 0; i < listeners->count; i++) {
        free(listeners->listener[i].bundle);
        json_decref(listeners->listener[i].arguments);
    }
}

/* What a word of a listener's entry point is here, where all share one network: its own 0.0.0.0,
 * PORT and 0.0.0.0:PORT, and another's NAME:PORT, are replaced. The caller frees it. */
static char *translate(const char *word, const struct listener *own,
                       const struct listeners *listeners) {
    autofree char *all = format_string("0.0.0.0:%s", own->port);
    if (strcmp(word, "0.0.0.0") == 0)
        return strdup("127.0.0.1");
    if (strcmp(word, own->port) == 0)
        return format_string("%u", own->number);
    if (strcmp(word, all) == 0)
        return format_string("127.0.0.1:%u", own->number);
    for (size_t i = 0; i < listeners->count && listeners->listener[i].name; i++) {
        const struct listener *other = &listeners->listener[i];
        autofree char *address = format_string("%s:%s", other->name, other->port);
        if (strcmp(word, address) == 0)
            return format_string("127.0.0.1:%u", other->number);
    }
    return strdup(word);
}

static void translate_all(struct listeners *listeners) {
    for (size_t i = 0; i < listeners->count; i++) {
        struct listener *listener = &listeners->listener[i];
        size_t index;
        const json_t *word;
        listener->arguments = json_array();
        json_array_foreach(listener->entrypoint, index, word) {
            autofree char *text = translate(json_string_value(word), listener, listeners);
            json_array_append_new(listener->arguments, json_string(text));
        }
    }
}

/* Add the script that runs it until what follows has ended. `texts` keeps what is made for that. */
static void add_script(struct words *command, const struct listener *listener, json_t *texts) {
    autofree char *script = format_string("%s/serve-function", paths_recipes());
    autofree char *subject =
        listener->name ? format_string("the service %s", listener->name) : strdup("it");
    autofree char *number = format_string("%u", listener->number);
    autofree char *length = format_string("%zu", json_array_size(listener->arguments));
    const char *const made[] = {"sh", script, subject, listener->bundle, number, length};
    size_t index;
    json_t *word;
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        json_array_append_new(texts, json_string(made[i]));
        add(command, json_string_value(json_array_get(texts, json_array_size(texts) - 1)));
    }
    json_array_foreach(listener->arguments, index, word) add(command, json_string_value(word));
}

/* The images unpacked below `place`, and a bundle for each listener. */
static int make_bundles(const struct function *function, const char *place, const char *log,
                        const struct listeners *listeners, struct error *err) {
    autofree char *own = format_string("%s/function", place);
    autofree char *data = format_string("%s/services", place);
    const char *layer = function->services.base_layout;
    if (oci_unpack(function->layout, own, log, err) < 0 ||
        (layer && oci_unpack(layer, data, log, err) < 0))
        return -1;
    for (size_t i = 0; i < listeners->count; i++) {
        const struct listener *listener = &listeners->listener[i];
        if (bundle_for_host(listener->bundle, listener->data ? data : own, listener->arguments,
                            err) < 0)
            return -1;
    }
    return 0;
}

/* Each script runs the next one: the services in their order, the function, and with `check` that
 * command, until it has ended. */
static int run(const struct function *function, const char *place, unsigned port,
               const struct words *check, struct error *err) {
    autofree char *log = format_string("%s/log", place);
    struct process_options options = {.log = log, .timeout_seconds = check ? TEST_SECONDS : 0};
    struct listeners listeners = {0};
    struct words command = {0};
    json_t *texts = json_array();
    int result = find_listeners(function, place, port, &listeners, err);
    if (result == 0) {
        translate_all(&listeners);
        result = make_bundles(function, place, log, &listeners, err);
    }
    if (result == 0) {
        for (size_t i = 0; i < listeners.count; i++)
            add_script(&command, &listeners.listener[i], texts);
        for (size_t i = 0; check && i < check->count; i++)
            add(&command, check->word[i]);
        result = process_run(command.word, &options, err);
    }
    json_decref(texts);
    free_listeners(&listeners);
    if (result == 0)
        return 0;
    struct error why = *err;
    return error_set(err, "%s on this computer: %s", function->name, why.text);
}

static int run_somewhere(const struct function *function, unsigned port, const struct words *check,
                         struct error *err) {
    autofree char *place = format_string("%s/slsuite-function-XXXXXX", getenv("TMPDIR") ?: "/tmp");
    if (!mkdtemp(place))
        return error_errno(err, "cannot create %s", place);
    int result = run(function, place, port, check, err);
    folder_remove(place, NULL);
    return result;
}

int host_serve(const struct function *function, unsigned port, struct error *err) {
    return run_somewhere(function, port, NULL, err);
}

int host_test(const struct function *function, unsigned invocations, struct error *err) {
    unsigned port = 0;
    autofree char *client = format_string("%s/client/client", paths_guest());
    autofree char *count = format_string("%u", invocations);
    if (find_port(&port, err) < 0)
        return -1;
    autofree char *address = format_string("127.0.0.1:%u", port);
    /* sh -c 'first && second': its own inputs, then random ones. */
    struct words check = {
        .word = {"sh", "-c", "\"$@\" -generator unique && \"$@\" -generator random", "sh", client,
                 "-addr", address, "-n", count, "-wait", "10", "-timeout", "60"},
        .count = 13};
    size_t index;
    json_t *word;
    json_array_foreach(json_object_get(function->yaml, "client"), index, word)
        add(&check, json_string_value(word));
    return run_somewhere(function, port, &check, err);
}
