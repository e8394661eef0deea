#include "image/host.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/process.h"
#include "image/bundle.h"
#include "image/listener.h"
#include "image/oci.h"

#define TEST_SECONDS 300

/* Commands are lists of strings here, as they hold the image's own. */
static void add(json_t *command, const char *const words[], size_t count) {
    for (size_t i = 0; i < count; i++)
        json_array_append_new(command, json_string_nocheck(words[i]));
}

void host_add_root_command(json_t *command, const char *bundle, const json_t *process) {
    const char *folder = json_string_value(json_object_get(process, "cwd"));
    autofree char *script = format_string("%s/run-in-root", paths_recipes());
    autofree char *root = format_string("%s/rootfs", bundle);
    const char *const begin[] = {"unshare", "--map-root-user", "--mount", "sh", script, root};
    const char *const change[] = {"/usr/bin/unshare", "--root", root, "--wd", folder ?: "/", "--"};
    add(command, begin, sizeof begin / sizeof *begin);
    json_array_extend(command, json_object_get(process, "env"));
    add(command, change, sizeof change / sizeof *change);
    json_array_extend(command, json_object_get(process, "args"));
}

/* Add the script that runs it until what follows has ended. */
static void add_script(json_t *command, const struct listener *listener, const char *bundle,
                       const json_t *process) {
    json_t *words = json_array();
    host_add_root_command(words, bundle, process);
    autofree char *script = format_string("%s/serve-function", paths_recipes());
    autofree char *subject =
        listener->name ? format_string("the service %s", listener->name) : strdup("it");
    autofree char *port = format_string("%u", listener->number);
    autofree char *count = format_string("%zu", json_array_size(words));
    const char *const begin[] = {"sh", script, subject, bundle, port, count};
    add(command, begin, sizeof begin / sizeof *begin);
    json_array_extend(command, words);
    json_decref(words);
}

/* Its process in the unpacked image, as it is on this computer. */
static json_t *find_process(const struct listener *listener, const struct listeners *listeners,
                            const char *unpacked, struct error *err) {
    json_t *process = bundle_process(unpacked, err);
    if (!process)
        return NULL;
    json_object_set(process, "args", listener->arguments);
    json_object_set_new(process, "env",
                        listener_translate(listener, listeners, json_object_get(process, "env")));
    json_object_set_new(process, "terminal", json_false());
    return process;
}

/* Where what it lies on is unpacked: the function's
 * and the data services' layers are there already. */
static char *find_unpacked(const struct function *function, const struct listener *listener,
                           const char *place, const char *log, struct error *err) {
    if (!listener->name || listener->layers == LAYERS_OF_FUNCTION)
        return format_string("%s/function", place);
    if (listener->layers == LAYERS_OF_SERVICES)
        return format_string("%s/services", place);
    autofree char *layout = service_layout(function->folder, listener->name);
    char *own = format_string("%s/service-%s", place, listener->name);
    if (oci_unpack(layout, own, log, err) == 0)
        return own;
    free(own);
    return NULL;
}

/* A bundle of this listener's, and how it is to be run. */
static int write_bundle(const struct function *function, const struct listener *listener,
                        const struct listeners *listeners, const char *place, const char *bundle,
                        json_t **process, struct error *err) {
    autofree char *log = format_string("%s/log", place);
    autofree char *unpacked = find_unpacked(function, listener, place, log, err);
    *process = unpacked ? find_process(listener, listeners, unpacked, err) : NULL;
    if (*process && bundle_for_host(bundle, unpacked, *process, err) == 0)
        return 0;
    json_decref(*process);
    *process = NULL;
    return -1;
}

int host_lay_out(const struct function *function, const struct listeners *listeners,
                 const char *place, json_t *services, struct error *err) {
    autofree char *log = format_string("%s/log", place);
    autofree char *own = format_string("%s/function", place);
    autofree char *data = format_string("%s/services", place);
    const char *layer = function->services.base_layout;
    if (oci_unpack(function->layout, own, log, err) < 0 ||
        (layer && oci_unpack(layer, data, log, err) < 0))
        return -1;
    for (size_t i = 0; i + 1 < listeners->count; i++) {
        const struct listener *service = &listeners->listener[i];
        autofree char *bundle = format_string("%s/bundle-%zu", place, i);
        json_t *process;
        if (write_bundle(function, service, listeners, place, bundle, &process, err) < 0)
            return -1;
        add_script(services, service, bundle, process);
        json_decref(process);
    }
    return 0;
}

int host_write_bundle(const struct function *function, const struct listeners *listeners,
                      const char *place, unsigned port, const char *bundle, json_t **process,
                      struct error *err) {
    struct listener own = listeners->listener[listeners->count - 1];
    own.number = port;
    own.arguments = listener_translate(&own, listeners, own.entrypoint);
    int result = write_bundle(function, &own, listeners, place, bundle, process, err);
    json_decref(own.arguments);
    return result;
}

/* The services' scripts in their order, then the function's: each runs the next one. */
static int compose(const struct function *function, const char *place,
                   const struct listeners *listeners, json_t *command, struct error *err) {
    const struct listener *own = &listeners->listener[listeners->count - 1];
    autofree char *bundle = format_string("%s/bundle-function", place);
    json_t *process;
    if (host_lay_out(function, listeners, place, command, err) < 0 ||
        host_write_bundle(function, listeners, place, own->number, bundle, &process, err) < 0)
        return -1;
    add_script(command, own, bundle, process);
    json_decref(process);
    return 0;
}

const char **host_words(const json_t *command) {
    const char **words = calloc(json_array_size(command) + 1, sizeof *words);
    size_t index;
    const json_t *word;
    if (!words)
        abort();
    json_array_foreach(command, index, word) words[index] = json_string_value(word);
    return words;
}

static int run_command(const json_t *command, const struct process_options *options,
                       struct error *err) {
    autofree const char **words = host_words(command);
    return process_run(words, options, err);
}

/* With `check`, until that command has ended. */
static int run(const struct function *function, const char *place, unsigned port, json_t *check,
               struct error *err) {
    autofree char *log = format_string("%s/log", place);
    struct process_options options = {.log = log, .timeout_seconds = check ? TEST_SECONDS : 0};
    struct listeners listeners = {0};
    json_t *command = json_array();
    int result = listeners_find(function, port, &listeners, err);
    if (result == 0)
        result = compose(function, place, &listeners, command, err);
    if (result == 0) {
        json_array_extend(command, check);
        result = run_command(command, &options, err);
    }
    json_decref(command);
    listeners_free(&listeners);
    if (result == 0)
        return 0;
    struct error why = *err;
    return error_set(err, "%s on this computer: %s", function->name, why.text);
}

static int run_somewhere(const struct function *function, unsigned port, json_t *check,
                         struct error *err) {
    const char *own = function_port(function);
    if (port != (unsigned)atoi(own) &&
        !listener_can_move(json_object_get(function->yaml, "entrypoint"), own))
        return error_set(err,
                         "%s cannot listen on port %u: its command line names no port: leave it "
                         "at %s",
                         function->name, port, own);
    autofree char *place = format_string("%s/slsuite-function-XXXXXX", getenv("TMPDIR") ?: "/tmp");
    if (!mkdtemp(place))
        return error_errno(err, "cannot create %s", place);
    process_clear_at_end(place);
    int result = run(function, place, port, check, err);
    process_clear_at_end(NULL);
    folder_remove(place, NULL);
    return result;
}

int host_serve(const struct function *function, unsigned port, struct error *err) {
    return run_somewhere(function, port, NULL, err);
}

int host_test(const struct function *function, unsigned invocations, struct error *err) {
    unsigned port;
    if (listener_choose_port(json_object_get(function->yaml, "entrypoint"), function_port(function),
                             &port, err) < 0)
        return -1;
    autofree char *client = format_string("%s/client/client", paths_guest());
    autofree char *count = format_string("%u", invocations);
    autofree char *address = format_string("127.0.0.1:%u", port);
    /* sh -c 'first && second': its own inputs, then random ones. */
    const char *const begin[] = {
        "sh",    "-c",   "\"$@\" -generator unique && \"$@\" -generator random",
        "sh",    client, "-addr",
        address, "-n",   count,
        "-wait", "10",   "-timeout",
        "60"};
    json_t *check = json_array();
    add(check, begin, sizeof begin / sizeof *begin);
    json_array_extend(check, json_object_get(function->yaml, "client"));
    int result = run_somewhere(function, port, check, err);
    json_decref(check);
    return result;
}
