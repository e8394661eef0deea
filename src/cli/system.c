/* slsuite system list|show|check|diff */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "common/cleanup.h"
#include "system/system.h"

enum { MOST_NAMES = 2 };

struct request {
    const struct action *action;
    const char *names[MOST_NAMES];
    unsigned count;
    struct error *err;
};

struct action {
    const char *name;
    unsigned count; /* of systems that it takes */
    int (*function)(const struct request *request, struct error *err);
};

static int read_system(const char *name_or_path, struct model_parameters *parameters,
                       struct error *err) {
    autofree char *path = system_find(name_or_path, err);
    return path ? system_load(path, parameters, err) : -1;
}

static int list(const struct request *request, struct error *err) {
    char **names;
    int count = system_names(&names, err), result = count < 0 ? -1 : 0;
    for (int i = 0; result == 0 && i < count; i++) {
        struct model_parameters parameters;
        result = read_system(names[i], &parameters, err);
        if (result == 0)
            printf("%-16s %s\n", names[i], parameters.description);
    }
    if (count >= 0)
        system_names_free(names, count);
    return result;
}

static int show(const struct request *request, struct error *err) {
    struct model_parameters parameters;
    int result = read_system(request->names[0], &parameters, err);
    if (result == 0)
        system_describe(stdout, &parameters);
    return result;
}

static int check(const struct request *request, struct error *err) {
    struct model_parameters parameters;
    int result = read_system(request->names[0], &parameters, err);
    if (result == 0)
        printf("%s: a valid system\n", request->names[0]);
    return result;
}

static int diff(const struct request *request, struct error *err) {
    struct model_parameters a, b;
    if (read_system(request->names[0], &a, err) < 0 || read_system(request->names[1], &b, err) < 0)
        return -1;
    if (system_compare(stdout, &a, &b) == 0)
        printf("%s and %s have the same parameters\n", request->names[0], request->names[1]);
    return 0;
}

static const struct action actions[] = {
    {"list", 0, list}, {"show", 1, show}, {"check", 1, check}, {"diff", 2, diff}};

static error_t choose(struct request *request, const char *name) {
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(name, actions[i].name) == 0)
            request->action = &actions[i];
    if (!request->action)
        error_usage(request->err, "system %s: unknown: use list, show, check or diff", name);
    return request->action ? 0 : EINVAL;
}

static error_t expect_all(struct request *request) {
    if (!request->action)
        error_usage(request->err, "system: to do what: use list, show, check or diff");
    else if (request->count < request->action->count)
        error_usage(request->err,
                    "system %s: needs %s: a name as `slsuite system list` shows, or the path of a "
                    ".yaml file",
                    request->action->name,
                    request->action->count == 1 ? "a system" : "two systems");
    return request->err->status ? EINVAL : 0;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    if (key == ARGP_KEY_END)
        return expect_all(request);
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (!request->action)
        return choose(request, argument);
    if (request->count == request->action->count)
        return EINVAL;
    request->names[request->count++] = argument;
    return 0;
}

int command_system(int argc, char **argv, struct error *err) {
    static const struct argp argp = {
        NULL,
        parse,
        "list\nshow NAME|FILE\ncheck NAME|FILE\ndiff NAME|FILE NAME|FILE",
        "List the systems; show one whole, as a system file whose comments say what each parameter "
        "is; check a system file; or show in which parameters two systems differ.",
        NULL,
        NULL,
        NULL};
    struct request request = {.err = err};
    if (command_parse(&argp, argc, argv, &request, err) < 0)
        return -1;
    return request.action->function(&request, err);
}
