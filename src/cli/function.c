/* slsuite function list|build|install|test|serve|export|remove; add is in function_add.c */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/progress.h"
#include "image/added.h"
#include "image/function.h"
#include "image/host.h"
#include "image/oci.h"

#define TEST_INVOCATIONS 10

struct request;

/* What is done with one function; it is found, and where it needs to be, its images are made. */
typedef int action_function(const struct request *request, const struct function *function,
                            struct error *err);
static action_function list, build, install, test, serve, export, withdraw;

static const struct action {
    const char *name;
    action_function *run;
    bool prepared; /* needs the images */
    bool all;      /* of all functions, if none is named */
} actions[] = {
    {"list", list, false, true},        {"build", build, true, true},
    {"install", install, true, true},   {"test", test, true, true},
    {"serve", serve, true, false},      {"export", export, true, false},
    {"remove", withdraw, false, false},
};

enum { OPTION_OUT = 'o', OPTION_PORT = 'p' };

static const struct argp_option options[] = {
    {"out", OPTION_OUT, "FILE", 0, "export: the archive (NAME.tar)", 0},
    {"port", OPTION_PORT, "PORT", 0, "serve: listen on 127.0.0.1:PORT (50051)", 0},
    {0},
};

struct request {
    const struct action *action;
    json_t *names;
    const char *out;
    long port;
    struct error *err;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    int result = 0;
    if (key == OPTION_OUT)
        request->out = argument;
    else if (key == OPTION_PORT)
        result = command_number("--port", argument, 1, 65535, &request->port, request->err);
    else if (key == ARGP_KEY_ARG && request->action)
        json_array_append_new(request->names, json_string(argument));
    else if (key == ARGP_KEY_ARG)
        for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
            if (strcmp(argument, actions[i].name) == 0)
                request->action = &actions[i];
    if (key == ARGP_KEY_NO_ARGS || (key == ARGP_KEY_ARG && !request->action))
        return EINVAL;
    if (key == ARGP_KEY_END && !request->action->all && json_array_size(request->names) != 1)
        result = error_usage(request->err, "function %s takes one function's name",
                             request->action->name);
    return result < 0 ? command_refuse(state) : 0;
}

static int list(const struct request *request, const struct function *function, struct error *err) {
    printf("%-24s %-40s %s\n", function->name,
           json_string_value(json_object_get(function->yaml, "service")),
           json_string_value(json_object_get(function->yaml, "description")));
    return 0;
}

static int build(const struct request *request, const struct function *function,
                 struct error *err) {
    printf("%-24s sha256:%s\n%-24s %s\n", function->name, function->image_digest, "",
           function->layout);
    return 0;
}

/* What a run would take from the cache. */
static int install(const struct request *request, const struct function *function,
                   struct error *err) {
    printf("%-24s %s\n", function->name, function->image);
    return 0;
}

static int test(const struct request *request, const struct function *function, struct error *err) {
    if (host_test(function, TEST_INVOCATIONS, err) < 0)
        return -1;
    printf("%-24s %d replies are right\n", function->name, 2 * TEST_INVOCATIONS);
    return 0;
}

static int serve(const struct request *request, const struct function *function,
                 struct error *err) {
    progress_note("%s listens on 127.0.0.1:%ld, until it is ended", function->name, request->port);
    return host_serve(function, (unsigned)request->port, err);
}

static int export(const struct request *request, const struct function *function,
                  struct error *err) {
    autofree char *usual = format_string("%s.tar", function->name);
    const char *archive = request->out ? request->out : usual;
    if (oci_export(function->layout, archive, function->name, err) < 0)
        return -1;
    printf("%s: docker load -i %s, or podman load -i %s\n", function->name, archive, archive);
    return 0;
}

static int withdraw(const struct request *request, const struct function *function,
                    struct error *err) {
    return added_remove(function->name, err);
}

static int run(const struct request *request, const char *name, struct error *err) {
    struct function function = {0};
    int result =
        (request->action->prepared ? function_prepare : function_find)(name, &function, err);
    if (result == 0)
        result = request->action->run(request, &function, err);
    function_free(&function);
    return result;
}

int command_function_(int argc, char **argv, struct error *err) {
    static const struct argp argp = {
        options,
        parse,
        "list|build|install|test [NAME...]\nserve|export|remove NAME\nadd ...",
        "List the functions; build their OCI images and print digests and folders; install what a "
        "run needs of them; "
        "test them on this computer, in a container; of all functions, if none is named. Or serve "
        "one on "
        "this computer, export its image for docker load and podman load, or remove one that "
        "was added. `slsuite function add --help` tells how to add images of others.",
        NULL,
        NULL,
        NULL};
    if (argc > 1 && strcmp(argv[1], "add") == 0) {
        argv[1] = "function add";
        return function_add(argc - 1, argv + 1, err);
    }
    struct request request = {.names = json_array(), .port = 50051, .err = err};
    int result = command_parse(&argp, argc, argv, &request, err);
    json_t *names = json_array_size(request.names) ? json_incref(request.names) : function_names(),
           *name;
    size_t index;
    json_array_foreach(names, index, name) if (result == 0) result =
        run(&request, json_string_value(name), err);
    json_decref(names);
    json_decref(request.names);
    return result;
}
