/* slsuite function list|build */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "image/function.h"

static int list_one(const char *name, struct error *err);
static int build_one(const char *name, struct error *err);

static const struct action {
    const char *name;
    int (*of_one)(const char *function, struct error *err);
} actions[] = {{"list", list_one}, {"build", build_one}};

struct request {
    const struct action *action;
    json_t *names; /* none: all functions */
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    if (key == ARGP_KEY_ARG && request->action)
        json_array_append_new(request->names, json_string(argument));
    for (size_t i = 0;
         key == ARGP_KEY_ARG && !request->action && i < sizeof actions / sizeof *actions; i++)
        if (strcmp(argument, actions[i].name) == 0)
            request->action = &actions[i];
    if (key == ARGP_KEY_NO_ARGS || (key == ARGP_KEY_ARG && !request->action))
        return EINVAL;
    return key == ARGP_KEY_ARG ? 0 : ARGP_ERR_UNKNOWN;
}

static int list_one(const char *name, struct error *err) {
    struct function function = {0};
    int result = function_find(name, &function, err);
    if (result == 0)
        printf("%-16s %-32s %s\n", name,
               json_string_value(json_object_get(function.yaml, "service")),
               json_string_value(json_object_get(function.yaml, "description")));
    function_free(&function);
    return result;
}

static int build_one(const char *name, struct error *err) {
    struct function function = {0};
    int result = function_prepare(name, &function, err);
    if (result == 0)
        printf("%-16s sha256:%s\n%-16s %s\n", name, function.image_digest, "", function.layout);
    function_free(&function);
    return result;
}

int command_function_(int argc, char **argv, struct error *err) {
    static const struct argp argp = {NULL,
                                     parse,
                                     "list|build [NAME...]",
                                     "List the functions, or build their OCI images and print "
                                     "their digests and folders: of all, if none is named.",
                                     NULL,
                                     NULL,
                                     NULL};
    struct request request = {.names = json_array()};
    int result = command_parse(&argp, argc, argv, &request, err);
    json_t *names = json_array_size(request.names) ? json_incref(request.names) : function_names(),
           *name;
    size_t index;
    json_array_foreach(names, index, name) if (result == 0) result =
        request.action->of_one(json_string_value(name), err);
    json_decref(names);
    json_decref(request.names);
    return result;
}
