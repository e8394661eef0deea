#include "client/discover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/requests.h"
#include "common/cleanup.h"
#include "proto/reflection.pb-c.h"

#define NAMES_SHOWN 400 /* bytes of the unknown services' names in an error */

enum outcome { FAILED = -1, ABSENT, FOUND };

typedef struct grpc_client *(*opener)(const struct options *, const char *method, struct error *);

/* Servers have either; v1alpha is what Go's had until 2023. */
static const char *const reflection_methods[] = {
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
};

/* "/package.Service/Method" is a method of "package.Service". */
static bool is_of_service(const char *method, const char *service) {
    size_t length = strlen(service);
    return strncmp(method + 1, service, length) == 0 && method[1 + length] == '/';
}

static void take(struct options *options, const struct function_kind *kind, const char *how) {
    options->function = kind;
    options->method = kind->method;
    if (!options->generator.input)
        options->generator.input = kind->input;
    fprintf(stderr, "client: %s serves %s (%s; %s)\n", options->address, kind->method, kind->name,
            how);
}

/* One call on a connection of its own. ABSENT: the server has no such method. */
static enum outcome call(const struct options *options, opener open, const char *method,
                         const struct grpc_message *request, struct grpc_client **client,
                         const struct grpc_message **reply, struct error *err) {
    *client = open(options, method, err);
    if (!*client)
        return FAILED;
    *reply = grpc_client_call(*client, request, err);
    if (*reply)
        return FOUND;
    if (!grpc_client_lacks_method(*client))
        return FAILED;
    *err = (struct error){0};
    return ABSENT;
}

/* A known function among the services that the server lists. */
static enum outcome choose(struct options *options, const Reflection__ServiceList *list,
                           struct error *err) {
    char names[NAMES_SHOWN] = "";
    for (size_t i = 0; list && i < list->n_service; i++) {
        const char *name = list->service[i]->name;
        for (unsigned k = 0; k < function_kinds(); k++)
            if (is_of_service(function_kind(k)->method, name)) {
                take(options, function_kind(k), "the server says so");
                return FOUND;
            }
        size_t used = strlen(names);
        if (strncmp(name, "grpc.", strlen("grpc.")) != 0) /* reflection itself, health */
            snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", name);
    }
    error_usage(err,
                "%s serves %s, and no function that the client knows: say what to call with "
                "-method /package.Service/Method -no-verify",
                options->address, *names ? names : "nothing");
    return FAILED;
}

static enum outcome ask(struct options *options, opener open, struct error *err) {
    enum outcome outcome = ABSENT;
    struct grpc_message request = {0};
    Reflection__Request wanted = REFLECTION__REQUEST__INIT;
    wanted.list_services = "*";
    if (grpc_message_pack(&request, &wanted.base) != GRPC_OK) {
        error_errno(err, "memory for a request");
        return FAILED;
    }
    for (size_t i = 0; i < 2 && outcome == ABSENT; i++) {
        struct grpc_client *client;
        const struct grpc_message *reply;
        outcome = call(options, open, reflection_methods[i], &request, &client, &reply, err);
        if (outcome == FAILED && client && grpc_client_has_status(client)) { /* it will not say */
            *err = (struct error){0};
            outcome = ABSENT;
        }
        if (outcome == FOUND) {
            Reflection__Response *response = (Reflection__Response *)grpc_message_unpack(
                reply, &reflection__response__descriptor);
            outcome = response ? choose(options, response->services, err) : ABSENT;
            if (response)
                protobuf_c_message_free_unpacked(&response->base, NULL);
        }
        grpc_client_close(client);
    }
    grpc_message_free(&request);
    return outcome;
}

/* Does the server have this function's method? Any answer says yes, a refusal of the input too. */
static enum outcome probe(const struct options *options, opener open,
                          const struct function_kind *kind, struct error *err) {
    struct options one = *options;
    one.function = kind;
    one.generator = (struct generator){.input = kind->input};
    struct grpc_message *request = requests_prepare(&one, 1, err);
    struct grpc_client *client = NULL;
    const struct grpc_message *reply;
    enum outcome outcome =
        request ? call(options, open, kind->method, request, &client, &reply, err) : FAILED;
    if (outcome == FAILED && client && grpc_client_has_status(client)) {
        *err = (struct error){0};
        outcome = FOUND;
    }
    grpc_client_close(client);
    requests_free(request, 1);
    return outcome;
}

int discover_function(struct options *options, opener open, struct error *err) {
    enum outcome outcome = ask(options, open, err);
    for (unsigned k = 0; k < function_kinds() && outcome == ABSENT; k++)
        if ((outcome = probe(options, open, function_kind(k), err)) == FOUND)
            take(options, function_kind(k), "it has answered");
    if (outcome == ABSENT)
        return error_usage(err,
                           "%s serves no function that the client knows: say what to call with "
                           "-method /package.Service/Method -no-verify",
                           options->address);
    return outcome == FOUND ? 0 : -1;
}
