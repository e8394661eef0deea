/* slsuite checkpoint list|prune */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "engine/checkpoint.h"
#include "engine/gem5_checkpoint.h"
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

static double list(const json_t *checkpoints) {
    double total = 0;
    size_t index;
    json_t *entry;
    json_array_foreach(checkpoints, index, entry) {
        double bytes = (double)json_integer_value(json_object_get(entry, "bytes"));
        printf("%-34s %-20s %-20s %6.0f MB%s\n", text(entry, "name"), text(entry, "created"),
               text(entry, "used"), bytes / 1e6,
               json_is_true(json_object_get(entry, "damaged")) ? "  damaged" : "");
        total += bytes;
    }
    return total;
}

static void list_all(const json_t *ours, const json_t *gem5) {
    printf("%-34s %-20s %-20s %9s\n", "CHECKPOINT", "CREATED", "LAST USED", "ON DISK");
    double total = list(ours);
    if (json_array_size(gem5))
        puts("gem5's");
    total += list(gem5);
    printf("%zu checkpoints, %.0f MB\n", json_array_size(ours) + json_array_size(gem5),
           total / 1e6);
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

struct pruned {
    size_t count;
    double bytes;
};

static int prune(const char *kind, const json_t *checkpoints, int all, struct pruned *pruned,
                 struct error *err) {
    size_t index;
    json_t *entry;
    json_array_foreach(checkpoints, index, entry) {
        if (!all && !json_is_true(json_object_get(entry, "damaged")) &&
            !superseded(checkpoints, entry))
            continue;
        if (checkpoint_remove(kind, text(entry, "name"), err) < 0)
            return -1;
        printf("removed %s\n", text(entry, "name"));
        pruned->bytes += (double)json_integer_value(json_object_get(entry, "bytes"));
        pruned->count++;
    }
    return 0;
}

static int prune_all(const json_t *ours, const json_t *gem5, int all, struct error *err) {
    struct pruned pruned = {0};
    if (prune(CHECKPOINTS, ours, all, &pruned, err) < 0 ||
        prune(GEM5_CHECKPOINTS, gem5, all, &pruned, err) < 0)
        return -1;
    size_t unfinished =
        store_remove_unfinished(CHECKPOINTS) + store_remove_unfinished(GEM5_CHECKPOINTS);
    if (unfinished)
        printf("removed %zu that were never finished\n", unfinished);
    printf("%zu removed, %.0f MB freed\n", pruned.count, pruned.bytes / 1e6);
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
    json_t *ours = checkpoint_list(request.check || (pruning && !request.all));
    json_t *gem5 = gem5_checkpoint_list();
    int result = 0;
    if (pruning)
        result = prune_all(ours, gem5, request.all, err);
    else
        list_all(ours, gem5);
    json_decref(ours);
    json_decref(gem5);
    return result;
}
