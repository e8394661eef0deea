#include "lib/client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/http2.h"

#define REQUEST_HEADERS 8
#define GOAWAY_NONE UINT32_MAX

/* What has been heard of the call under way. */
struct answer {
    bool closed;          /* the stream has ended … */
    uint32_t stream_code; /* … with this HTTP/2 error code */
    int http_status;      /* 0: not heard */
    int grpc_status;      /* -1: not heard */
    bool grpc_type;       /* content-type: application/grpc */
    enum grpc_status malformed;
    char text[256]; /* grpc-message */
    struct grpc_message message;
};

struct grpc_client {
    struct http2 http2; /* first: it is the session's user data */
    nghttp2_nv headers[REQUEST_HEADERS];
    char authority[80], timeout[16]; /* values of two of them */
    int timeout_ms;
    bool greeted;    /* the server's SETTINGS have come */
    uint32_t goaway; /* error code of the server's GOAWAY, or GOAWAY_NONE */
    const struct grpc_message *request;
    size_t sent; /* bytes of the request */
    int32_t stream;
    struct answer answer;
};

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static ssize_t read_request(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t size,
                            uint32_t *flags, nghttp2_data_source *source, void *user_data) {
    struct grpc_client *client = user_data;
    size_t rest = client->request->size - client->sent;
    size = size < rest ? size : rest;
    memcpy(buffer, client->request->bytes + client->sent, size);
    client->sent += size;
    if (size == rest)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)size;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *user_data) {
    static const char grpc_type[] = "application/grpc";
    struct grpc_client *client = user_data;
    struct answer *answer = &client->answer;
    const char *key = (const char *)name, *text = (const char *)value;
    if (frame->hd.stream_id != client->stream)
        return 0;
    if (strcmp(key, ":status") == 0)
        answer->http_status = atoi(text);
    else if (strcmp(key, "grpc-status") == 0)
        answer->grpc_status = *text >= '0' && *text <= '9' ? atoi(text) : GRPC_UNKNOWN;
    else if (strcmp(key, "grpc-message") == 0)
        snprintf(answer->text, sizeof answer->text, ": %s", text);
    else if (strcmp(key, "content-type") == 0)
        answer->grpc_type = strncasecmp(text, grpc_type, sizeof grpc_type - 1) == 0;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t size, void *user_data) {
    struct grpc_client *client = user_data;
    if (id == client->stream && client->answer.malformed == GRPC_OK)
        client->answer.malformed = grpc_message_add(&client->answer.message, data, size);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
    struct grpc_client *client = user_data;
    if (frame->hd.type == NGHTTP2_SETTINGS)
        client->greeted = true;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        client->goaway = frame->goaway.error_code;
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code,
                           void *user_data) {
    struct grpc_client *client = user_data;
    if (id == client->stream) {
        client->answer.closed = true;
        client->answer.stream_code = error_code;
    }
    return 0;
}

static int why_ended(const struct grpc_client *client, enum http2_result result,
                     struct error *err) {
    if (client->goaway != GOAWAY_NONE)
        return error_set(err, "the server ended the connection (GOAWAY, %s)",
                         nghttp2_http2_strerror(client->goaway));
    if (result == HTTP2_CLOSED && errno)
        return error_errno(err, "connection lost");
    if (result == HTTP2_CLOSED)
        return error_set(err, "the server closed the connection");
    return error_set(err, "the server broke the HTTP/2 protocol: is it a gRPC server?");
}

/* Send and receive until *done, or the deadline. */
static int exchange(struct grpc_client *client, const bool *done, struct error *err) {
    struct http2 *http2 = &client->http2;
    int64_t deadline = now_ms() + client->timeout_ms;
    for (;;) {
        enum http2_result result = http2_flush(http2);
        if (*done)
            return 0;
        if ((result != HTTP2_OK && result != HTTP2_FULL) ||
            !nghttp2_session_want_read(http2->session))
            return why_ended(client, result, err);
        struct pollfd wait = {http2->fd, POLLIN | (result == HTTP2_FULL ? POLLOUT : 0), 0};
        int64_t rest = deadline - now_ms();
        int n = rest > 0 ? poll(&wait, 1, (int)rest) : 0;
        if (n < 0 && errno != EINTR)
            return error_errno(err, "wait for the server");
        if (n == 0)
            return error_set(err, "no answer within %g s", client->timeout_ms / 1e3);
        if (n > 0 && (wait.revents & ~POLLOUT) && (result = http2_receive(http2)) != HTTP2_OK &&
            !*done)
            return why_ended(client, result, err);
    }
}

static int connect_socket(struct grpc_client *client, const char *text, struct error *err) {
    struct address address;
    if (address_parse(&address, text, err) != 0)
        return -1;
    int fd = socket(address.socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    client->http2.fd = fd;
    if (fd < 0)
        return error_errno(err, "make a socket");
    http2_prepare_socket(fd);
    if (connect(fd, (struct sockaddr *)&address.socket, address.size) == 0)
        return 0;
    int code = errno;
    if (code == EINPROGRESS) {
        struct pollfd wait = {fd, POLLOUT, 0};
        socklen_t size = sizeof code;
        code = ETIMEDOUT;
        if (poll(&wait, 1, client->timeout_ms) == 1)
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
    }
    errno = code;
    return code == 0 ? 0 : error_errno(err, "connect to %s", text);
}

static int open_session(struct grpc_client *client, struct error *err) {
    static const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
    nghttp2_session_callbacks *callbacks = http2_callbacks_new();
    if (!callbacks)
        return error_errno(err, "open an HTTP/2 session");
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    int code = nghttp2_session_client_new(&client->http2.session, callbacks, client);
    nghttp2_session_callbacks_del(callbacks);
    if (code == 0)
        code = nghttp2_submit_settings(client->http2.session, NGHTTP2_FLAG_NONE, settings, 1);
    return code == 0 ? 0 : error_set(err, "open an HTTP/2 session: %s", nghttp2_strerror(code));
}

struct grpc_client *grpc_client_open(const char *address, const char *path, int timeout_ms,
                                     struct error *err) {
    struct grpc_client *client = calloc(1, sizeof *client);
    if (!client) {
        error_errno(err, "connect to %s", address);
        return NULL;
    }
    client->timeout_ms = timeout_ms;
    client->goaway = GOAWAY_NONE;
    client->http2.fd = -1;
    snprintf(client->authority, sizeof client->authority, "%s", address);
    snprintf(client->timeout, sizeof client->timeout, "%dm", timeout_ms % 100000000);
    const nghttp2_nv headers[REQUEST_HEADERS] = {
        http2_header(":method", "POST"),
        http2_header(":scheme", "http"),
        http2_header(":path", path),
        http2_header(":authority", client->authority),
        http2_header("te", "trailers"),
        http2_header("content-type", "application/grpc"),
        http2_header("user-agent", "slsuite-client/" SLS_VERSION),
        http2_header("grpc-timeout", client->timeout),
    };
    memcpy(client->headers, headers, sizeof headers);
    if (connect_socket(client, address, err) == 0 && open_session(client, err) == 0 &&
        exchange(client, &client->greeted, err) == 0)
        return client;
    grpc_client_close(client);
    return NULL;
}

static int check(const struct grpc_client *client, struct error *err) {
    const struct answer *answer = &client->answer;
    if (answer->stream_code != NGHTTP2_NO_ERROR && client->goaway != GOAWAY_NONE)
        return why_ended(client, HTTP2_OK, err);
    if (answer->http_status != 0 && answer->http_status != 200)
        return error_set(err, "HTTP status %d instead of a gRPC reply", answer->http_status);
    if (answer->grpc_status > GRPC_OK)
        return error_set(err, "gRPC status %s%s", grpc_status_name(answer->grpc_status),
                         answer->text);
    if (answer->malformed != GRPC_OK)
        return error_set(err, "malformed reply (%s)", grpc_status_name(answer->malformed));
    if (answer->stream_code != NGHTTP2_NO_ERROR)
        return error_set(err, "the call was cut off (%s)",
                         nghttp2_http2_strerror(answer->stream_code));
    if (answer->grpc_status < 0 || !answer->grpc_type)
        return error_set(err, "the reply has no %s: is it a gRPC server?",
                         answer->grpc_type ? "grpc-status" : "gRPC content-type");
    if (grpc_message_check(&answer->message) != GRPC_OK)
        return error_set(err, "truncated reply (%zu bytes)", answer->message.size);
    return 0;
}

const struct grpc_message *grpc_client_call(struct grpc_client *client,
                                            const struct grpc_message *request, struct error *err) {
    nghttp2_data_provider body = {.read_callback = read_request};
    struct grpc_message buffer = client->answer.message; /* kept: no allocation from call to call */
    buffer.size = 0;
    client->answer = (struct answer){.grpc_status = -1, .message = buffer};
    client->request = request;
    client->sent = 0;
    client->stream = -1;
    if (!nghttp2_session_check_request_allowed(client->http2.session)) {
        why_ended(client, HTTP2_BROKEN, err);
        return NULL;
    }
    client->stream = nghttp2_submit_request(client->http2.session, NULL, client->headers,
                                            REQUEST_HEADERS, &body, NULL);
    if (client->stream < 0) {
        error_set(err, "send a request: %s", nghttp2_strerror(client->stream));
        return NULL;
    }
    if (exchange(client, &client->answer.closed, err) != 0 || check(client, err) != 0)
        return NULL;
    return &client->answer.message;
}

void grpc_client_close(struct grpc_client *client) {
    if (!client)
        return;
    http2_close(&client->http2);
    grpc_message_free(&client->answer.message);
    free(client);
}
