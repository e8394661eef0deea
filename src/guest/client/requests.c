#include "client/requests.h"

#include <stdbool.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "proto/rnn_serving.pb-c.h"

void requests_free(struct grpc_message *requests, long count) {
    for (long i = 0; requests && i < count; i++)
        grpc_message_free(&requests[i]);
    free(requests);
}

struct grpc_message *requests_prepare(const struct options *options, long count,
                                      struct error *err) {
    struct grpc_message *requests = calloc((size_t)count + 1, sizeof *requests);
    autofree char *input = malloc(INPUT_MAX + 1);
    bool good = requests && input;
    for (long i = 0; good && i < count; i++) {
        RnnServing__SendLanguage request = RNN_SERVING__SEND_LANGUAGE__INIT;
        function_input(options->function, &options->generator, (uint64_t)i, input);
        request.numsamples = function_take_number(options->function, input);
        request.language = input;
        good = grpc_message_pack(&requests[i], &request.base) == GRPC_OK;
    }
    if (good)
        return requests;
    requests_free(requests, count);
    error_errno(err, "memory for %ld requests", count);
    return NULL;
}
