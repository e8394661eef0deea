/* client: sends invocations to a function, marks them for the simulator, and checks every reply.
 *
 *     connect ─► warm up ─► [command] ─► [checkpoint ─► parameters] ─► prepare
 *             ─► n invocations, marked ─► check ─► report
 *
 * Of a cold start (cold.h) it begins with the checkpoint, and connects within the one invocation.
 *
 * Between the first mark and the last nothing runs but sending and receiving: inputs are packed and
 * memory is touched before, replies are checked and reported after.
 *
 * A load run (load.h) is another way on from the warm-ups. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/clock.h"
#include "client/cold.h"
#include "client/discover.h"
#include "client/load.h"
#include "client/options.h"
#include "client/requests.h"
#include "client/results.h"
#include "common/mark.h"
#include "guest/channel.h"
#include "guest/m5/m5op.h"
#include "lib/client.h"

#define RETRY_US 20000 /* between attempts to connect, while the container starts */

static struct grpc_client *connect_to(const struct options *options, const char *method,
                                      struct error *err) {
    uint64_t deadline = now_ns() + (uint64_t)options->wait_s * 1000000000u;
    for (;;) {
        struct grpc_client *client =
            grpc_client_open(options->address, method, (int)options->timeout_s * 1000, err);
        if (client || err->status == 2 || now_ns() >= deadline)
            return client;
        usleep(RETRY_US);
        *err = (struct error){0};
    }
}

static struct grpc_client *connect_client(const struct options *options, struct error *err) {
    return connect_to(options, options->method, err);
}

/* Not counted, not marked; but wrong replies count as wrong.
 * *reply_size: the longest reply seen. */
static int warm_up(struct grpc_client *client, const struct options *options, size_t *reply_size,
                   struct error *err) {
    struct grpc_message *requests = requests_prepare(options, options->warm_ups, err);
    for (long i = 0; requests && i < options->warm_ups && err->status == 0; i++) {
        struct error why = {0};
        const struct grpc_message *reply = grpc_client_call(client, &requests[i], &why);
        if (reply) {
            *reply_size = reply->size > *reply_size ? reply->size : *reply_size;
            reply_check(options, i, reply, NULL, &why);
        }
        if (why.status)
            error_set(err, "warm-up %ld: %s", i, why.text);
    }
    requests_free(requests, options->warm_ups);
    return err->status ? -1 : 0;
}

static int run_command(const char *command, struct error *err) {
    int status = system(command);
    return status == 0 ? 0 : error_set(err, "the command '%s' failed: see the console", command);
}

static int checkpoint(struct error *err) {
    channel_line("checkpoint");
    return channel_stop() == 0
               ? 0
               : error_set(err, "checkpoint: this machine cannot be stopped from inside: leave out "
                                "-checkpoint");
}

static int invoke(struct grpc_client *client, const struct options *options,
                  const struct grpc_message *requests, struct results *results, struct error *err) {
    for (long i = 0; i < options->invocations; i++) {
        channel_mark(M5_WORK_BEGIN, (uint64_t)i);
        uint64_t start = now_ns();
        if (options->m5ops)
            m5_work_begin((uint64_t)i, 0);
        const struct grpc_message *reply = grpc_client_call(client, &requests[i], err);
        uint64_t end = now_ns();
        if (options->settle_us)
            usleep((useconds_t)options->settle_us);
        if (options->m5ops)
            m5_work_end((uint64_t)i, 0);
        channel_mark(M5_WORK_END, (uint64_t)i);
        if (!reply || results_add(results, end - start, reply, err) != 0) {
            struct error why = *err;
            return error_set(err, "invocation %ld: %s", i, why.text);
        }
        if (options->delay_us)
            usleep((useconds_t)options->delay_us);
    }
    return 0;
}

/* The function is there, and warm: now many calls at a time. */
static int run_load(const struct options *options, struct error *err) {
    size_t reply_size = 0;
    struct grpc_client *client = connect_client(options, err);
    int outcome = client ? warm_up(client, options, &reply_size, err) : -1;
    grpc_client_close(client);
    return outcome == 0 ? load_run(options, err) : -1;
}

static int run(struct options *options, struct error *err) {
    struct grpc_message *requests = NULL;
    struct results results = {0};
    size_t reply_size = 0;
    struct grpc_client *client = NULL;
    int outcome = 0;
    if (options->cold) {
        cold_rehearse(options);
    } else {
        client = connect_client(options, err);
        outcome = client ? warm_up(client, options, &reply_size, err) : -1;
    }
    if (outcome == 0 && options->then)
        outcome = run_command(options->then, err);
    if (outcome == 0 && options->checkpoint)
        outcome = checkpoint(err);
    if (outcome == 0 && options->parameters)
        outcome = options_read_parameters(options, err);
    if (outcome == 0)
        outcome = results_reserve(&results, options->invocations, reply_size, err);
    if (outcome == 0 && !(requests = requests_prepare(options, options->invocations, err)))
        outcome = -1;
    if (outcome == 0) {
        outcome = options->cold ? cold_start(options, requests, &client, &results, err)
                                : invoke(client, options, requests, &results, err);
        struct error why = {0};
        if (results_check(&results, options, &why) != 0 && outcome == 0) {
            *err = why;
            outcome = -1;
        }
        if (outcome != 0 && why.status == 0 && *err->text)
            channel_line("wrong %ld %s", results.count, err->text);
    }
    if (outcome == 0)
        results_print_latencies(&results, options);
    requests_free(requests, options->invocations);
    results_free(&results);
    grpc_client_close(client);
    return outcome;
}

/* -logging: all that is printed from here on is appended to the file; errors are still told. */
static int open_log(const struct options *options, struct error *err) {
    if (!options->log)
        return 0;
    if (!freopen(options->log, "a", stdout))
        return error_errno(err, "open the log %s", options->log);
    return 0;
}

int main(int argc, char **argv) {
    struct options options;
    struct error err = {0};
    if (options_parse(&options, argc, argv, &err) == 0 && open_log(&options, &err) == 0 &&
        (options.method || discover_function(&options, connect_to, &err) == 0)) {
        if (options.m5ops)
            m5_init(NULL);
        if (options.channel || options.checkpoint)
            channel_open(); /* without a host there is no channel, and its lines go nowhere */
        if (options.load.wanted)
            run_load(&options, &err);
        else
            run(&options, &err);
    }
    if (*err.text)
        fprintf(stderr, "client: %s\n", err.text);
    return err.status;
}
