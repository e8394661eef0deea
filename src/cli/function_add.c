/* slsuite function add: images of others as functions. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/function_services.h"
#include "common/cleanup.h"
#include "common/words.h"
#include "image/added.h"
#include "image/compose.h"
#include "image/compose_keys.h"
#include "image/function.h"

enum {
    OPTION_CLIENT = 1000,
    OPTION_CREDENTIALS,
    OPTION_ENV_FILE,
    OPTION_INSECURE,
    OPTION_KEYS,
    OPTION_PORT,
    OPTION_PREFIX,
    OPTION_REPLACE
};

static const struct argp_option options[] = {
    {"file", 'f', "FILE", 0, "the services of a Docker Compose file; several: one over the other",
     0},
    {"client", OPTION_CLIENT, "WORDS", 0,
     "which of our functions it answers like (aes), or options of the client", 0},
    {"creds-file", OPTION_CREDENTIALS, "FILE", 0,
     "a line USER:PASSWORD for the registry (else what skopeo knows)", 0},
    {"env-file", OPTION_ENV_FILE, "FILE", 0,
     "variables for Docker Compose files, instead of .env in the first one's folder", 0},
    {"insecure", OPTION_INSECURE, NULL, 0, "a registry without TLS, or with an unknown certificate",
     0},
    {"list-keys", OPTION_KEYS, NULL, 0, "what is done of each key in a Docker Compose file", 0},
    {"port", OPTION_PORT, "PORT", 0, "where it listens, if a file does not say so (50051)", 0},
    {"prefix", OPTION_PREFIX, "TEXT", 0, "before the names of a file's services", 0},
    {"replace", OPTION_REPLACE, NULL, 0, "a function of that name, if there is one", 0},
    {0},
};

struct request {
    const char *prefix, *port;
    json_t *files, *env_files; /* of Docker Compose; NULL: none */
    bool lists_keys;
    json_t *client;
    json_t *names; /* IMAGE [NAME], or services of the file */
    bool replace;
    struct fetch_options fetch;
    struct error *err;
};

/* One more, in a list that is made for the first. */
static void append(json_t **list, const char *text) {
    *list = *list ? *list : json_array();
    json_array_append_new(*list, json_string(text));
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    struct error *err = request->err;
    int result = 0;
    size_t count = json_array_size(request->names);
    long number;
    switch (key) {
    case 'f':
        append(&request->files, argument);
        break;
    case OPTION_ENV_FILE:
        append(&request->env_files, argument);
        break;
    case OPTION_KEYS:
        request->lists_keys = true;
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
        if (!request->files && !request->lists_keys && (count < 1 || count > 2))
            result = error_usage(err, "function add takes IMAGE [NAME], or -f FILE [SERVICE…]");
        else if (!request->files && (request->prefix || request->env_files))
            result = error_usage(err, "%s is for the services of a file: give -f FILE",
                                 request->prefix ? "--prefix" : "--env-file");
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
    autofree char *last = added_name(source), *usual = compose_spell(last);
    const struct addition addition = {.name = given ? given : usual,
                                      .source = source,
                                      .client = request->client,
                                      .port = request->port,
                                      .replace = request->replace,
                                      .fetch = request->fetch};
    return add(&addition, err);
}

static int add_services(const struct request *request, struct error *err) {
    const struct function_services services = {.names = request->names,
                                               .files = request->files,
                                               .env_files = request->env_files,
                                               .prefix = request->prefix,
                                               .like = {.client = request->client,
                                                        .port = request->port,
                                                        .replace = request->replace,
                                                        .fetch = request->fetch}};
    return function_add_services(&services, add, err);
}

static int list_keys(void) {
    for (size_t i = 0; i < compose_keys_count; i++)
        printf("%-20s %-10s %s\n", compose_keys[i].name, compose_use_name(compose_keys[i].use),
               compose_keys[i].what);
    return 0;
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
        result = request.lists_keys ? list_keys()
                 : request.files    ? add_services(&request, err)
                                    : add_image(&request, err);
    json_decref(request.names);
    json_decref(request.files);
    json_decref(request.env_files);
    json_decref(request.client);
    return result;
}
