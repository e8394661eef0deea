#include "native/caller.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/results.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "image/host.h"

#define TIMEOUT "60" /* s for a reply */

static void add(json_t *words, const char *word) {
    json_array_append_new(words, json_string(word));
}

json_t *caller_words(const struct sim_options *run, const struct function *function,
                     const char *address, unsigned invocations) {
    autofree char *client = format_string("%s/client/client", paths_guest());
    autofree char *count = format_string("%u", invocations);
    const char *const begin[] = {client,  "-addr", address,    "-n",   count,
                                 "-wait", "10",    "-timeout", TIMEOUT};
    json_t *words = json_array();
    for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
        add(words, begin[i]);
    json_array_extend(words, json_object_get(function->yaml, "client"));
    if (run->input) {
        add(words, "-input");
        add(words, run->input);
    }
    if (run->generator) {
        add(words, "-generator");
        add(words, run->generator);
    }
    return words;
}

int caller_prepare(struct caller *caller, const struct sim_options *run,
                   const struct function *function, unsigned invocations, struct error *err) {
    unsigned told = invocations ? invocations : 1;
    *caller = (struct caller){.words = caller_words(run, function, "localhost:1", told)};
    caller->argv = host_words(caller->words);
    if (options_parse(&caller->options, (int)json_array_size(caller->words), (char **)caller->argv,
                      err) < 0)
        return -1;
    caller->options.invocations = invocations;
    return inputs_prepare(&caller->inputs, &caller->options, err);
}

struct grpc_client *caller_connect(const struct caller *caller, unsigned port, struct error *err) {
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    return grpc_client_open(address, caller->options.method, (int)caller->options.timeout_s * 1000,
                            err);
}

int caller_invoke(struct caller *caller, struct grpc_client *client, long index, char **text,
                  struct error *err) {
    struct inputs *inputs = &caller->inputs;
    long input = index % inputs->count;
    const struct grpc_message *reply = grpc_client_call(client, &inputs->requests[input], err);
    if (!reply || inputs_check(inputs, input, reply, err) < 0)
        return -1;
    return text ? reply_check(&caller->options, input, reply, text, err) : 0;
}

void caller_free(struct caller *caller) {
    inputs_free(&caller->inputs);
    free(caller->argv);
    json_decref(caller->words);
    *caller = (struct caller){0};
}
