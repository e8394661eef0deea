/* slsuite function list|build */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "image/function.h"

struct request {
    const char *action, *name;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    if (key == ARGP_KEY_ARG && !request->action &&
        (strcmp(argument, "list") == 0 || strcmp(argument, "build") == 0))
        request->action = argument;
    else if (key == ARGP_KEY_ARG && request->action && !request->name)
        request->name = argument;
    else if (key == ARGP_KEY_ARG || key == ARGP_KEY_NO_ARGS)
        return EINVAL;
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
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
    static const struct argp argp = {
        NULL,
        parse,
        "list\nbuild [NAME]",
        "List the functions, or build the OCI image of one or all and print its digest and folder.",
        NULL,
        NULL,
        NULL};
    struct request request = {0};
    if (command_parse(&argp, argc, argv, &request, err) < 0)
        return -1;
    int (*action)(const char *, struct error *) = request.action[0] == 'l' ? list_one : build_one;
    if (request.name)
        return action(request.name, err);
    json_t *names = function_names(), *name;
    size_t index;
    int result = 0;
    json_array_foreach(names, index, name) if (result == 0) result =
        action(json_string_value(name), err);
    json_decref(names);
    return result;
}
