/* slsuite function add: images of others as functions. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/progress.h"
#include "common/words.h"
#include "image/added.h"
#include "image/client.h"
#include "image/compose.h"
#include "image/function.h"

enum {
    OPTION_CLIENT = 1000,
    OPTION_CREDENTIALS,
    OPTION_INSECURE,
    OPTION_PORT,
    OPTION_PREFIX,
    OPTION_REPLACE
};

static const struct argp_option options[] = {
    {"file", 'f', "FILE", 0, "the services of a Docker Compose file", 0},
    {"client", OPTION_CLIENT, "WORDS", 0,
     "which of our functions it answers like (aes), or options of the client", 0},
    {"creds-file", OPTION_CREDENTIALS, "FILE", 0,
     "a line USER:PASSWORD for the registry (else what skopeo knows)", 0},
    {"insecure", OPTION_INSECURE, NULL, 0, "a registry without TLS, or with an unknown certificate",
     0},
    {"port", OPTION_PORT, "PORT", 0, "where it listens, if a file does not say so (50051)", 0},
    {"prefix", OPTION_PREFIX, "TEXT", 0, "before the names of a file's services", 0},
    {"replace", OPTION_REPLACE, NULL, 0, "a function of that name, if there is one", 0},
    {0},
};

struct request {
    const char *file, *prefix, *port;
    json_t *client;
    json_t *names; /* IMAGE [NAME], or services of the file */
    bool replace;
    struct fetch_options fetch;
    struct error *err;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    struct error *err = request->err;
    int result = 0;
    size_t count = json_array_size(request->names);
    long number;
    switch (key) {
    case 'f':
        request->file = argument;
        break;
    case OPTION_CLIENT:
        request->client = words_split(argument);
        if (!json_array_size(request->client))
            result = error_usage(err, "--client %s: no words, or a quote is left open", argument);
        break;
    case OPTION_CREDENTIALS:
        request->fetch.credentials = argument;
        break;
    case OPTION_INSECURE:
        request->fetch.insecure = true;
        break;
    case OPTION_PORT:
        result = command_number("--port", argument, 1, 65535, &number, err);
        request->port = argument;
        break;
    case OPTION_PREFIX:
        request->prefix = argument;
        break;
    case OPTION_REPLACE:
        request->replace = true;
        break;
    case ARGP_KEY_ARG:
        json_array_append_new(request->names, json_string(argument));
        break;
    case ARGP_KEY_END:
        if (!request->file && (count < 1 || count > 2))
            result = error_usage(err, "function add takes IMAGE [NAME], or -f FILE [SERVICE…]");
        else if (!request->file && request->prefix)
            result = error_usage(err, "--prefix is for the services of a file: give a NAME");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return result < 0 ? command_refuse(state) : 0;
}

static int add(const struct addition *addition, struct error *err) {
    if (added_make(addition, err) < 0)
        return -1;
    printf("%-24s %s\n", addition->name, addition->source);
    return 0;
}

static int add_image(const struct request *request, struct error *err) {
    const char *source = json_string_value(json_array_get(request->names, 0));
    const char *given = json_string_value(json_array_get(request->names, 1));
    autofree char *usual = added_name(source);
    const struct addition addition = {.name = given ? given : usual,
                                      .source = source,
                                      .client = request->client,
                                      .port = request->port,
                                      .replace = request->replace,
                                      .fetch = request->fetch};
    return add(&addition, err);
}

/* Put what this service of the file needs into `needed`, each behind what it needs itself. `above`
 * are those that wait for it. */
static int find_needed(const json_t *services, const char *service, const json_t *said,
                       json_t *above, json_t *needed, struct error *err) {
    const char *where = json_string_value(json_object_get(said, "where"));
    size_t index;
    const json_t *word;
    json_object_set_new(above, service, json_null());
    json_array_foreach(json_object_get(said, "depends_on"), index, word) {
        const char *name = json_string_value(word);
        json_t *other = json_object_get(services, name);
        if (!other)
            return error_set(err, "%s: %s: depends on %s, which the file does not describe", where,
                             service, name);
        if (json_object_get(above, name))
            return error_set(err, "%s: %s: depends on %s, and that on it", where, service, name);
        if (!json_object_get(other, "image"))
            return error_set(err, "%s: %s: has no image: build and push it first",
                             json_string_value(json_object_get(other, "where")), name);
        if (json_object_get(needed, name))
            continue;
        if (find_needed(services, name, other, above, needed, err) < 0)
            return -1;
        json_object_set(needed, name, other);
    }
    json_object_del(above, service);
    return 0;
}

typedef int action_addition(const struct addition *addition, struct error *err);

/* A service of a file, handed on as an addition. */
static int with_service(const struct request *request, const json_t *services, const char *service,
                        const json_t *said, action_addition *action, struct error *err) {
    autofree char *name = format_string("%s%s", request->prefix ?: "", service);
    const char *where = json_string_value(json_object_get(said, "where"));
    const char *image = json_string_value(json_object_get(said, "image"));
    const char *port = json_string_value(json_object_get(said, "port"));
    const json_t *client = json_object_get(said, "x-client");
    if (!image)
        return error_set(err, "%s: %s: has no image: build and push it first", where, service);
    json_t *above = json_object(), *needed = json_object();
    int result = find_needed(services, service, said, above, needed, err);
    json_decref(above);
    const struct addition addition = {.name = name,
                                      .source = image,
                                      .client = request->client ? request->client : client,
                                      .entrypoint = json_object_get(said, "entrypoint"),
                                      .command = json_object_get(said, "command"),
                                      .environment = json_object_get(said, "environment"),
                                      .port = port ?: request->port,
                                      .services = needed,
                                      .replace = request->replace,
                                      .fetch = request->fetch};
    struct error why = {0};
    if (result == 0 && action(&addition, &why) < 0) {
        result = error_set(err, "%s: %s", where, why.text);
        err->status = why.status;
    }
    json_decref(needed);
    return result;
}

/* Whether what its client is to ask is said, or told by the image's name. */
static bool is_known(const struct request *request, const json_t *said) {
    const char *image = json_string_value(json_object_get(said, "image"));
    autofree char *name = added_name(image ?: "");
    return request->client || json_object_get(said, "x-client") || client_is_known(name);
}

/* Those that are named; else those that are known: the others are databases and the like.
 * NULL on failure. */
static json_t *choose(const struct request *request, const json_t *services, struct error *err) {
    json_t *chosen = json_object(), *said, *name;
    const char *service;
    size_t index;
    json_array_foreach(request->names, index, name) {
        service = json_string_value(name);
        said = json_object_get(services, service);
        if (!said) {
            error_usage(err, "%s: no service is named %s", request->file, service);
            json_decref(chosen);
            return NULL;
        }
        json_object_set(chosen, service, said);
    }
    if (json_array_size(request->names))
        return chosen;
    json_object_foreach((json_t *)services, service, said) {
        if (is_known(request, said))
            json_object_set(chosen, service, said);
        else
            progress_note(
                "%s is left out: its image's name does not tell what to ask it: name it, with "
                "--client, to add it",
                service);
    }
    if (json_object_size(chosen) > 0)
        return chosen;
    json_decref(chosen);
    error_usage(err, "%s: none of its services is known: name one, with --client", request->file);
    return NULL;
}

/* What can be found out of all of them is, before the first is fetched. */
static int add_services(const struct request *request, struct error *err) {
    static action_addition *const actions[] = {added_check, add};
    json_t *services = compose_read(request->file, err), *said;
    json_t *chosen = services ? choose(request, services, err) : NULL;
    const char *service;
    int result = chosen ? 0 : -1;
    for (size_t i = 0; i < 2; i++)
        json_object_foreach(chosen, service, said) if (result == 0) result =
            with_service(request, services, service, said, actions[i], err);
    json_decref(chosen);
    json_decref(services);
    return result;
}

int function_add(int argc, char **argv, struct error *err) {
    static const struct argp argp = {
        options,
        parse,
        "IMAGE [NAME]\n-f FILE [SERVICE...]",
        "Add images of others as functions: docker://HOST/NAME:TAG, oci:FOLDER[:TAG] or "
        "docker-archive:FILE; or those of a Docker Compose file.",
        NULL,
        NULL,
        NULL};
    struct request request = {.names = json_array(), .err = err};
    int result = command_parse(&argp, argc, argv, &request, err);
    if (result == 0)
        result = request.file ? add_services(&request, err) : add_image(&request, err);
    json_decref(request.names);
    json_decref(request.client);
    return result;
}
