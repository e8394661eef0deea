#include "client/inputs.h"

#include <stdlib.h>
#include <string.h>

#include "client/requests.h"
#include "client/results.h"

#define INPUTS_MAX 16384
#define INPUTS_BYTES_MAX (64 << 20) /* generated texts can be long */
#define RIGHT_MAX (64 << 10)        /* a longer reply is verified each time */

/* Linear ones come round whole, also where they pick from three sizes or four tokens. */
static long count_inputs(const struct options *options) {
    const struct generator *g = &options->generator;
    long span = g->upper - g->lower + 1, count = INPUTS_MAX;
    if (g->mode == GENERATE_UNIQUE)
        return 1;
    if (INPUTS_MAX > INPUTS_BYTES_MAX / g->upper)
        count = INPUTS_BYTES_MAX / g->upper;
    if (g->mode == GENERATE_LINEAR && 12 * span < count)
        count = 12 * span;
    return options->invocations && options->invocations < count ? options->invocations : count;
}

int inputs_prepare(struct inputs *inputs, const struct options *options, struct error *err) {
    inputs->options = options;
    inputs->count = count_inputs(options);
    inputs->right = calloc((size_t)inputs->count, sizeof *inputs->right);
    if (!inputs->right)
        return error_errno(err, "memory for %ld inputs", inputs->count);
    inputs->requests = requests_prepare(options, inputs->count, err);
    return inputs->requests ? 0 : -1;
}

int inputs_check(struct inputs *inputs, long index, const struct grpc_message *reply,
                 struct error *err) {
    struct grpc_message *right = &inputs->right[index];
    if (right->size == reply->size && memcmp(right->bytes, reply->bytes, reply->size) == 0)
        return 0;
    if (reply_check(inputs->options, index, reply, NULL, err) != 0)
        return -1;
    right->size = 0;
    if (reply->size <= RIGHT_MAX)
        grpc_message_add(right, reply->bytes, reply->size);
    return 0;
}

void inputs_free(struct inputs *inputs) {
    requests_free(inputs->requests, inputs->count);
    for (long i = 0; inputs->right && i < inputs->count; i++)
        grpc_message_free(&inputs->right[i]);
    free(inputs->right);
}
