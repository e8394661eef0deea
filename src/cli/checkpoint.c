/* slsuite checkpoint list|prune */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "engine/checkpoint.h"
#include "image/store.h"

struct request {
    const char *action;
    int all, check;
};

static const struct argp_option options[] = {
    {"all", 'a', NULL, 0, "prune: every checkpoint, not only the damaged and the superseded", 0},
    {"check", 'c', NULL, 0, "list: read them all and say which are damaged", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    if (key == 'a')
        request->all = 1;
    else if (key == 'c')
        request->check = 1;
    else if (key == ARGP_KEY_ARG && !request->action &&
             (strcmp(argument, "list") == 0 || strcmp(argument, "prune") == 0))
        request->action = argument;
    else if (key == ARGP_KEY_ARG || key == ARGP_KEY_NO_ARGS)
        return EINVAL;
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static const char *text(const json_t *entry, const char *key) {
    return json_string_value(json_object_get(entry, key));
}

static void list(const json_t *checkpoints) {
    double total = 0;
    size_t index;
    json_t *entry;
    printf("%-34s %-20s %-20s %9s\n", "CHECKPOINT", "CREATED", "LAST USED", "ON DISK");
    json_array_foreach(checkpoints, index, entry) {
        double bytes = (double)json_integer_value(json_object_get(entry, "bytes"));
        printf("%-34s %-20s %-20s %6.0f MB%s\n", text(entry, "name"), text(entry, "created"),
               text(entry, "used"), bytes / 1e6,
               json_is_true(json_object_get(entry, "damaged")) ? "  damaged" : "");
        total += bytes;
    }
    printf("%zu checkpoints, %.0f MB\n", json_array_size(checkpoints), total / 1e6);
}

/* Of each function the one used last is kept, if it is good. */
static int superseded(const json_t *checkpoints, const json_t *entry) {
    size_t index;
    json_t *other;
    json_array_foreach(checkpoints, index,
                       other) if (other != entry &&
                                  strcmp(text(other, "function"), text(entry, "function")) == 0 &&
                                  !json_is_true(json_object_get(other, "damaged")) &&
                                  strcmp(text(other, "used"), text(entry, "used")) > 0) return 1;
    return 0;
}

static int prune(const json_t *checkpoints, int all, struct error *err) {
    size_t index, removed = 0;
    double bytes = 0;
    json_t *entry;
    json_array_foreach(checkpoints, index, entry) {
        if (!all && !json_is_true(json_object_get(entry, "damaged")) &&
            !superseded(checkpoints, entry))
            continue;
        if (checkpoint_remove(text(entry, "name"), err) < 0)
            return -1;
        printf("removed %s\n", text(entry, "name"));
        bytes += (double)json_integer_value(json_object_get(entry, "bytes"));
        removed++;
    }
    size_t unfinished = store_remove_unfinished(CHECKPOINTS);
    if (unfinished)
        printf("removed %zu that were never finished\n", unfinished);
    printf("%zu removed, %.0f MB freed\n", removed, bytes / 1e6);
    return 0;
}

int command_checkpoint(int argc, char **argv, struct error *err) {
    static const struct argp argp = {options,
                                     parse,
                                     "list|prune",
                                     "List the checkpoints, or remove the damaged ones and all but "
                                     "the last used of each function.",
                                     NULL,
                                     NULL,
                                     NULL};
    struct request request = {0};
    if (command_parse(&argp, argc, argv, &request, err) < 0)
        return -1;
    int pruning = strcmp(request.action, "prune") == 0;
    json_t *checkpoints = checkpoint_list(request.check || (pruning && !request.all));
    int result = 0;
    if (pruning)
        result = prune(checkpoints, request.all, err);
    else
        list(checkpoints);
    json_decref(checkpoints);
    return result;
}
