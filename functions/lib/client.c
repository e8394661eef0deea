#include "lib/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "lib/connection.h"

struct grpc_client {
    struct grpc_call call; /* first: it is found by it */
    struct grpc_target *target;
    struct grpc_connection *connection;
    int timeout_ms;
    bool done;
    enum grpc_failure failure;
};

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void on_done(struct grpc_call *call, enum grpc_failure failure) {
    struct grpc_client *client = (struct grpc_client *)call;
    client->done = true;
    client->failure = failure;
}

static bool call_done(const struct grpc_client *client) {
    return client->done;
}

static bool connected(const struct grpc_client *client) {
    return grpc_connection_stands(client->connection);
}

static bool greeted(const struct grpc_client *client) {
    return grpc_connection_greeted(client->connection);
}

/* Send and receive until it is reached, or the deadline. */
static int exchange(struct grpc_client *client, bool (*reached)(const struct grpc_client *),
                    struct error *err) {
    struct grpc_connection *connection = client->connection;
    int64_t deadline = now_ms() + client->timeout_ms;
    for (;;) {
        grpc_connection_flush(connection);
        if (reached(client))
            return 0;
        if (grpc_connection_ended(connection))
            return grpc_connection_why(connection, err);
        struct pollfd wait = {grpc_connection_fd(connection), grpc_connection_events(connection),
                              0};
        int64_t rest = deadline - now_ms();
        int n = rest > 0 ? poll(&wait, 1, (int)rest) : 0;
        if (n < 0 && errno != EINTR)
            return error_errno(err, "wait for the server");
        if (n == 0)
            return error_set(err, "no answer within %g s", client->timeout_ms / 1e3);
        if (n > 0)
            grpc_connection_serve(connection, wait.revents);
    }
}

struct grpc_client *grpc_client_connect(const char *address, const char *path, int timeout_ms,
                                        struct error *err) {
    struct grpc_client *client = calloc(1, sizeof *client);
    if (!client) {
        error_errno(err, "connect to %s", address);
        return NULL;
    }
    client->timeout_ms = timeout_ms;
    client->call.done = on_done;
    if ((client->target = grpc_target_new(address, path, timeout_ms, err)) &&
        (client->connection = grpc_connection_open(client->target, err)) &&
        exchange(client, connected, err) == 0)
        return client;
    grpc_client_close(client);
    return NULL;
}

int grpc_client_greet(struct grpc_client *client, struct error *err) {
    return exchange(client, greeted, err);
}

struct grpc_client *grpc_client_open(const char *address, const char *path, int timeout_ms,
                                     struct error *err) {
    struct grpc_client *client = grpc_client_connect(address, path, timeout_ms, err);
    if (client && grpc_client_greet(client, err) == 0)
        return client;
    grpc_client_close(client);
    return NULL;
}

const struct grpc_message *grpc_client_call(struct grpc_client *client,
                                            const struct grpc_message *request, struct error *err) {
    client->call.request = request;
    client->done = false;
    if (grpc_connection_submit(client->connection, &client->call) != 0) {
        grpc_connection_why(client->connection, err);
        return NULL;
    }
    if (exchange(client, call_done, err) != 0)
        return NULL;
    if (client->failure == GRPC_ANSWERED)
        return &client->call.reply;
    grpc_call_why(&client->call, client->failure, err);
    return NULL;
}

bool grpc_client_lacks_method(const struct grpc_client *client) {
    return client->call.grpc_status == GRPC_UNIMPLEMENTED || client->call.http_status == 404;
}

bool grpc_client_has_status(const struct grpc_client *client) {
    return client->done && client->failure == GRPC_STATUS;
}

void grpc_client_close(struct grpc_client *client) {
    if (!client)
        return;
    grpc_connection_close(client->connection);
    grpc_target_free(client->target);
    grpc_call_free(&client->call);
    free(client);
}
