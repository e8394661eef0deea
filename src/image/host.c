#include "image/host.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/process.h"
#include "image/bundle.h"
#include "image/oci.h"

#define MOST_WORDS 256
#define MOST_VARIABLES 64
#define TEST_SECONDS 300

struct words {
    const char *word[MOST_WORDS + 1];
    size_t count;
};

static void add(struct words *words, const char *word) {
    if (words->count == MOST_WORDS)
        abort(); /* all lists are shorter: FUNCTION_MOST_WORDS, MOST_VARIABLES */
    words->word[words->count++] = word;
}

/* A port that was free a moment ago. */
static int find_port(unsigned *port, struct error *err) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        return error_errno(err, "cannot find a free port");
    *port = ntohs(address.sin_port);
    return 0;
}

/* `from` replaced by `to` wherever it stands for itself, not for a part of a longer number. The
 * caller frees it. */
static char *replace(const char *text, const char *from, const char *to) {
    char *result = strdup("");
    for (const char *found; (found = strstr(text, from)); text = found + strlen(from)) {
        bool part = strchr("0123456789", found[strlen(from)]) && found[strlen(from)];
        char *longer =
            format_string("%s%.*s%s", result, (int)(found - text), text, part ? from : to);
        free(result);
        result = longer;
    }
    char *whole = format_string("%s%s", result, text);
    free(result);
    return whole;
}

/* Its command line with this port instead of the guest's, and only for this computer. */
static json_t *arguments_at(const struct function *function, unsigned port) {
    autofree char *number = format_string("%u", port);
    json_t *arguments = json_array(), *word;
    size_t index;
    json_array_foreach(json_object_get(function->yaml, "entrypoint"), index, word) {
        autofree char *local = replace(json_string_value(word), "0.0.0.0", "127.0.0.1");
        autofree char *moved = replace(local, FUNCTION_PORT, number);
        json_array_append_new(arguments, json_string(moved));
    }
    return arguments;
}

/* Whether its command line names the port: else it is in the program. */
static bool can_move(const struct function *function) {
    json_t *here = arguments_at(function, 1), *there = arguments_at(function, 2);
    bool moves = !json_equal(here, there);
    json_decref(here);
    json_decref(there);
    return moves;
}

static void add_all(struct words *words, const json_t *list) {
    size_t index;
    json_t *word;
    json_array_foreach(list, index, word) add(words, json_string_value(word));
}

/* The script's command line. What it runs where there is no container runtime is for env(1):
 * variables, then a program that changes root and folder, then the function's own. The user is
 * ours. */
static void compose_command(struct words *command, const char *const fixed[3],
                            const json_t *process, const char *root, char length[12],
                            const struct words *check) {
    const char *folder = json_string_value(json_object_get(process, "cwd"));
    const json_t *variables = json_object_get(process, "env");
    const json_t *arguments = json_object_get(process, "args");
    const char *const change[] = {"/usr/bin/unshare", "--root", root, "--wd", folder ?: "/", "--"};
    size_t count = sizeof change / sizeof *change;
    snprintf(length, 12, "%zu", json_array_size(variables) + count + json_array_size(arguments));
    add(command, "sh");
    for (size_t i = 0; i < 3; i++)
        add(command, fixed[i]);
    add(command, length);
    add_all(command, variables);
    for (size_t i = 0; i < count; i++)
        add(command, change[i]);
    add_all(command, arguments);
    for (size_t i = 0; check && i < check->count; i++)
        add(command, check->word[i]);
}

/* Its image unpacked below `place`, and then the script that runs it: with `check`, until that
 * command has ended. */
static int run(const struct function *function, const char *place, unsigned port,
               const struct words *check, struct error *err) {
    autofree char *bundle = format_string("%s/bundle", place);
    autofree char *log = format_string("%s/log", place);
    autofree char *script = format_string("%s/serve-function", paths_recipes());
    autofree char *number = format_string("%u", port);
    autofree char *root = format_string("%s/rootfs", bundle);
    char length[12];
    json_t *arguments = arguments_at(function, port), *process = NULL;
    struct words command = {0};
    struct process_options options = {.log = log, .timeout_seconds = check ? TEST_SECONDS : 0};
    int result = oci_unpack(function->layout, bundle, log, err);
    if (result == 0)
        result = bundle_for_host(bundle, arguments, &process, err);
    if (result == 0 && json_array_size(json_object_get(process, "env")) > MOST_VARIABLES)
        result = error_set(err, "its environment has more than %d variables", MOST_VARIABLES);
    if (result == 0) {
        compose_command(&command, (const char *const[]){script, bundle, number}, process, root,
                        length, check);
        result = process_run(command.word, &options, err);
    }
    json_decref(arguments);
    json_decref(process);
    if (result == 0)
        return 0;
    struct error why = *err;
    return error_set(err, "%s on this computer: %s", function->name, why.text);
}

static int run_somewhere(const struct function *function, unsigned port, const struct words *check,
                         struct error *err) {
    if (function_check_alone(function, err) < 0)
        return -1;
    if (port != FUNCTION_PORT_NUMBER && !can_move(function))
        return error_set(err,
                         "%s cannot listen on port %u: its command line names no port: leave it "
                         "at " FUNCTION_PORT,
                         function->name, port);
    autofree char *place = format_string("%s/slsuite-function-XXXXXX", getenv("TMPDIR") ?: "/tmp");
    if (!mkdtemp(place))
        return error_errno(err, "cannot create %s", place);
    int result = run(function, place, port, check, err);
    folder_remove(place, NULL);
    return result;
}

int host_serve(const struct function *function, unsigned port, struct error *err) {
    return run_somewhere(function, port, NULL, err);
}

int host_test(const struct function *function, unsigned invocations, struct error *err) {
    unsigned port = FUNCTION_PORT_NUMBER;
    autofree char *client = format_string("%s/client/client", paths_guest());
    autofree char *count = format_string("%u", invocations);
    if (can_move(function) && find_port(&port, err) < 0)
        return -1;
    autofree char *address = format_string("127.0.0.1:%u", port);
    /* sh -c 'first && second': its own inputs, then random ones. */
    struct words check = {
        .word = {"sh", "-c", "\"$@\" -generator unique && \"$@\" -generator random", "sh", client,
                 "-addr", address, "-n", count, "-wait", "10", "-timeout", "60"},
        .count = 13};
    size_t index;
    json_t *word;
    json_array_foreach(json_object_get(function->yaml, "client"), index, word)
        add(&check, json_string_value(word));
    return run_somewhere(function, port, &check, err);
}
