#include "client/results.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "guest/channel.h"
#include "proto/helloworld.pb-c.h"

int results_reserve(struct results *results, long count, size_t reply_size, struct error *err) {
    results->capacity = (size_t)count * (reply_size + 64);
    results->results = malloc((size_t)count * sizeof *results->results);
    results->replies = malloc(results->capacity);
    if (!results->results || !results->replies)
        return error_errno(err, "memory for %ld results", count);
    memset(results->results, 1, (size_t)count * sizeof *results->results);
    memset(results->replies, 1, results->capacity);
    return 0;
}

int results_add(struct results *results, uint64_t latency_ns, const struct grpc_message *reply,
                struct error *err) {
    while (results->used + reply->size > results->capacity) {
        size_t capacity = 2 * (results->capacity + reply->size);
        uint8_t *replies = realloc(results->replies, capacity);
        if (!replies)
            return error_errno(err, "memory for the replies");
        results->replies = replies;
        results->capacity = capacity;
    }
    results->results[results->count++] = (struct result){latency_ns, results->used, reply->size};
    memcpy(results->replies + results->used, reply->bytes, reply->size);
    results->used += reply->size;
    return 0;
}

int reply_check(const struct options *options, long index, const struct grpc_message *reply,
                char **text, struct error *err) {
    static char input[INPUT_MAX + 1];
    Helloworld__HelloReply *hello =
        (void *)grpc_message_unpack(reply, &helloworld__hello_reply__descriptor);
    int outcome = 0;
    if (!hello)
        return error_set(err, "the reply is no message with a text");
    function_input(options->function, &options->generator, (uint64_t)index, input);
    if (options->verify)
        outcome = function_verify(options->function, input, hello->message, err);
    if (outcome == 0 && text && !(*text = strdup(hello->message)))
        outcome = error_errno(err, "memory for a reply");
    helloworld__hello_reply__free_unpacked(hello, NULL);
    return outcome;
}

/* On a terminal: what a function says must not become control sequences. */
static void print_reply(long index, char *text) {
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    printf("invocation %ld: %s\n", index, text);
}

int results_check(const struct results *results, const struct options *options, struct error *err) {
    int outcome = 0;
    for (long i = 0; i < results->count; i++) {
        const struct result *r = &results->results[i];
        struct grpc_message reply = {results->replies + r->offset, r->size, r->size};
        struct error why = {0};
        autofree char *text = NULL;
        if (reply_check(options, i, &reply, &text, &why) == 0) {
            channel_line("invocation %ld %" PRIu64 " %s", i, r->latency_ns, text);
            if (options->verbose)
                print_reply(i, text);
            continue;
        }
        channel_line("wrong %ld %s", i, why.text);
        if (outcome == 0)
            outcome = error_set(err, "invocation %ld: %s", i, why.text);
    }
    return outcome;
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void results_print_latencies(const struct results *results, const struct options *options) {
    autofree uint64_t *sorted = malloc((size_t)results->count * sizeof *sorted);
    double sum = 0, us[6];
    if (!sorted || results->count == 0)
        return;
    for (long i = 0; i < results->count; i++)
        sum += (double)(sorted[i] = results->results[i].latency_ns);
    qsort(sorted, (size_t)results->count, sizeof *sorted, compare);
    static const int percent[] = {0, 50, 90, 95, 99, 100};
    for (int i = 0; i < 6; i++) { /* nearest rank */
        long rank = (results->count * percent[i] + 99) / 100;
        us[i] = (double)sorted[rank > 0 ? rank - 1 : 0] / 1e3;
    }
    printf(
        options->json
            ? "{\"invocations\": %ld, \"method\": \"%s\", \"latency_us\": {\"mean\": %.3f, "
              "\"min\": "
              "%.3f, \"p50\": %.3f, \"p90\": %.3f, \"p95\": %.3f, \"p99\": %.3f, \"max\": %.3f}}\n"
            : "%ld invocations of %s\nlatency in us: mean %.3f, min %.3f, p50 %.3f, p90 %.3f, p95 "
              "%.3f, p99 %.3f, max %.3f\n",
        results->count, options->method, sum / (double)results->count / 1e3, us[0], us[1], us[2],
        us[3], us[4], us[5]);
}

void results_free(struct results *results) {
    free(results->results);
    free(results->replies);
}
