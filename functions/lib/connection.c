#include "lib/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/http2.h"

#define REQUEST_HEADERS 8
#define GOAWAY_NONE UINT32_MAX

struct grpc_target {
    struct address address;
    const char *text; /* the address as it was given */
    int timeout_ms;
    nghttp2_nv headers[REQUEST_HEADERS];
    char authority[80], timeout[16]; /* values of two of them */
    nghttp2_session_callbacks *callbacks;
};

struct grpc_connection {
    struct http2 http2; /* first: it is the session's user data */
    const struct grpc_target *target;
    bool connecting, greeted, full; /* full: the socket takes no more now */
    uint32_t goaway;                /* error code of the server's GOAWAY, or GOAWAY_NONE */
    enum grpc_failure end;          /* GRPC_ANSWERED: it has not ended */
    int end_errno;
    struct grpc_call *first, *last; /* the calls under way */
};

const char *grpc_failure_name(enum grpc_failure failure) {
    static const char *const names[GRPC_FAILURES] = {
        [GRPC_ANSWERED] = "answered",   [GRPC_REFUSED] = "connection refused",
        [GRPC_TIMEOUT] = "timeout",     [GRPC_CLOSED] = "connection closed",
        [GRPC_RESET] = "call reset",    [GRPC_GOAWAY] = "GOAWAY",
        [GRPC_PROTOCOL] = "not HTTP/2", [GRPC_NOT_GRPC] = "not gRPC",
        [GRPC_STATUS] = "gRPC status",  [GRPC_MALFORMED] = "malformed reply",
    };
    return names[failure];
}

/* --- calls ---------------------------------------------------------------------------------- */

static void enlist(struct grpc_connection *connection, struct grpc_call *call) {
    call->connection = connection;
    call->next = NULL;
    call->previous = connection->last;
    *(connection->last ? &connection->last->next : &connection->first) = call;
    connection->last = call;
}

static void finish(struct grpc_call *call, enum grpc_failure failure) {
    struct grpc_connection *connection = call->connection;
    *(call->previous ? &call->previous->next : &connection->first) = call->next;
    *(call->next ? &call->next->previous : &connection->last) = call->previous;
    call->done(call, failure);
}

/* The stream has ended: how? What the server said comes before how it ended. */
static enum grpc_failure judge(const struct grpc_call *call) {
    bool cut_off = call->stream_code != NGHTTP2_NO_ERROR;
    if (cut_off && call->connection->goaway != GOAWAY_NONE)
        return GRPC_GOAWAY;
    if (call->http_status != 0 && call->http_status != 200)
        return GRPC_NOT_GRPC;
    if (call->grpc_status > GRPC_OK)
        return GRPC_STATUS;
    if (call->malformed != GRPC_OK)
        return GRPC_MALFORMED;
    if (cut_off)
        return call->was_reset ? GRPC_RESET : GRPC_PROTOCOL;
    if (call->grpc_status < 0 || !call->grpc_type)
        return GRPC_NOT_GRPC;
    return grpc_message_check(&call->reply) == GRPC_OK ? GRPC_ANSWERED : GRPC_MALFORMED;
}

static int why_not_grpc(const struct grpc_call *call, struct error *err) {
    if (call->http_status != 0 && call->http_status != 200)
        return error_set(err, "HTTP status %d instead of a gRPC reply", call->http_status);
    return error_set(err, "the reply has no %s: is it a gRPC server?",
                     call->grpc_type ? "grpc-status" : "gRPC content-type");
}

static int why_malformed(const struct grpc_call *call, struct error *err) {
    if (call->malformed == GRPC_OK)
        return error_set(err, "truncated reply (%zu bytes)", call->reply.size);
    return error_set(err, "malformed reply (%s)", grpc_status_name(call->malformed));
}

int grpc_call_why(const struct grpc_call *call, enum grpc_failure failure, struct error *err) {
    bool stream_ended = call->stream_code != NGHTTP2_NO_ERROR;
    if (failure == GRPC_TIMEOUT)
        return error_set(err, "no answer within %g s", call->connection->target->timeout_ms / 1e3);
    if (failure == GRPC_NOT_GRPC)
        return why_not_grpc(call, err);
    if (failure == GRPC_STATUS)
        return error_set(err, "gRPC status %s%s", grpc_status_name(call->grpc_status), call->text);
    if (failure == GRPC_MALFORMED)
        return why_malformed(call, err);
    if (failure == GRPC_RESET || (failure == GRPC_PROTOCOL && stream_ended))
        return error_set(err, "the call was cut off (%s)",
                         nghttp2_http2_strerror(call->stream_code));
    return grpc_connection_why(call->connection, err);
}

void grpc_call_free(struct grpc_call *call) {
    grpc_message_free(&call->reply);
}

/* --- what nghttp2 tells --------------------------------------------------------------------- */

/* A call that has timed out is no longer its stream's: NULL. */
static ssize_t read_request(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t size,
                            uint32_t *flags, nghttp2_data_source *source, void *user_data) {
    struct grpc_call *call = nghttp2_session_get_stream_user_data(session, id);
    if (!call)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    size_t rest = call->request->size - call->sent;
    size = size < rest ? size : rest;
    memcpy(buffer, call->request->bytes + call->sent, size);
    call->sent += size;
    if (size == rest)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)size;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *user_data) {
    static const char grpc_type[] = "application/grpc";
    struct grpc_call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    const char *key = (const char *)name, *text = (const char *)value;
    if (!call)
        return 0;
    if (strcmp(key, ":status") == 0)
        call->http_status = atoi(text);
    else if (strcmp(key, "grpc-status") == 0)
        call->grpc_status = *text >= '0' && *text <= '9' ? atoi(text) : GRPC_UNKNOWN;
    else if (strcmp(key, "grpc-message") == 0)
        snprintf(call->text, sizeof call->text, ": %s", text);
    else if (strcmp(key, "content-type") == 0)
        call->grpc_type = strncasecmp(text, grpc_type, sizeof grpc_type - 1) == 0;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t size, void *user_data) {
    struct grpc_call *call = nghttp2_session_get_stream_user_data(session, id);
    if (call && call->malformed == GRPC_OK)
        call->malformed = grpc_message_add(&call->reply, data, size);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
    struct grpc_connection *connection = user_data;
    struct grpc_call *call;
    if (frame->hd.type == NGHTTP2_SETTINGS)
        connection->greeted = true;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        connection->goaway = frame->goaway.error_code;
    if (frame->hd.type == NGHTTP2_RST_STREAM &&
        (call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id)))
        call->was_reset = true;
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code,
                           void *user_data) {
    struct grpc_call *call = nghttp2_session_get_stream_user_data(session, id);
    if (!call)
        return 0;
    call->stream_code = error_code;
    finish(call, judge(call));
    return 0;
}

/* --- target --------------------------------------------------------------------------------- */

struct grpc_target *grpc_target_new(const char *address, const char *path, int timeout_ms,
                                    struct error *err) {
    struct grpc_target *target = calloc(1, sizeof *target);
    if (!target || !(target->callbacks = http2_callbacks_new())) {
        error_errno(err, "connect to %s", address);
        grpc_target_free(target);
        return NULL;
    }
    target->text = address;
    target->timeout_ms = timeout_ms;
    snprintf(target->authority, sizeof target->authority, "%s", address);
    snprintf(target->timeout, sizeof target->timeout, "%dm", timeout_ms % 100000000);
    const nghttp2_nv headers[REQUEST_HEADERS] = {
        http2_header(":method", "POST"),
        http2_header(":scheme", "http"),
        http2_header(":path", path),
        http2_header(":authority", target->authority),
        http2_header("te", "trailers"),
        http2_header("content-type", "application/grpc"),
        http2_header("user-agent", "slsuite-client/" SLS_VERSION),
        http2_header("grpc-timeout", target->timeout),
    };
    memcpy(target->headers, headers, sizeof headers);
    nghttp2_session_callbacks_set_on_header_callback(target->callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(target->callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(target->callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(target->callbacks, on_stream_close);
    if (address_parse(&target->address, address, err) == 0)
        return target;
    grpc_target_free(target);
    return NULL;
}

void grpc_target_free(struct grpc_target *target) {
    if (target)
        nghttp2_session_callbacks_del(target->callbacks);
    free(target);
}

/* --- connection ----------------------------------------------------------------------------- */

static void end(struct grpc_connection *connection, enum grpc_failure failure, int code) {
    if (connection->end != GRPC_ANSWERED)
        return;
    connection->end = connection->goaway != GOAWAY_NONE ? GRPC_GOAWAY : failure;
    connection->end_errno = code;
    while (connection->first) { /* nghttp2 does not tell of streams that end with their session */
        struct grpc_call *call = connection->first;
        nghttp2_session_set_stream_user_data(connection->http2.session, call->stream, NULL);
        finish(call, connection->end);
    }
}

int grpc_connection_why(const struct grpc_connection *connection, struct error *err) {
    errno = connection->end_errno;
    if (connection->goaway != GOAWAY_NONE)
        return error_set(err, "the server ended the connection (GOAWAY, %s)",
                         nghttp2_http2_strerror(connection->goaway));
    if (connection->end == GRPC_REFUSED)
        return error_errno(err, "connect to %s", connection->target->text);
    if (connection->end == GRPC_CLOSED && errno)
        return error_errno(err, "connection lost");
    if (connection->end == GRPC_CLOSED)
        return error_set(err, "the server closed the connection");
    return error_set(err, "the server broke the HTTP/2 protocol: is it a gRPC server?");
}

static int open_session(struct grpc_connection *connection, struct error *err) {
    static const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
    struct http2 *http2 = &connection->http2;
    int code =
        nghttp2_session_client_new(&http2->session, connection->target->callbacks, connection);
    if (code == 0)
        code = nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, settings, 1);
    return code == 0 ? 0 : error_set(err, "open an HTTP/2 session: %s", nghttp2_strerror(code));
}

/* A refusal that is told at once is told like one that comes later. */
static void start_connecting(struct grpc_connection *connection) {
    const struct address *address = &connection->target->address;
    if (connect(connection->http2.fd, (const struct sockaddr *)&address->socket, address->size) ==
        0)
        return;
    if (errno == EINPROGRESS)
        connection->connecting = true;
    else
        end(connection, GRPC_REFUSED, errno);
}

struct grpc_connection *grpc_connection_adopt(const struct grpc_target *target, int fd,
                                              struct error *err) {
    struct grpc_connection *connection = calloc(1, sizeof *connection);
    if (!connection) {
        error_errno(err, "connect to %s", target->text);
        close(fd);
        return NULL;
    }
    connection->target = target;
    connection->goaway = GOAWAY_NONE;
    connection->http2.fd = fd;
    http2_prepare_socket(fd);
    if (open_session(connection, err) == 0)
        return connection;
    grpc_connection_close(connection);
    return NULL;
}

struct grpc_connection *grpc_connection_open(const struct grpc_target *target, struct error *err) {
    int fd = socket(target->address.socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        error_errno(err, "make a socket");
        return NULL;
    }
    struct grpc_connection *connection = grpc_connection_adopt(target, fd, err);
    if (connection)
        start_connecting(connection);
    return connection;
}

int grpc_connection_fd(const struct grpc_connection *connection) {
    return connection->http2.fd;
}

short grpc_connection_events(const struct grpc_connection *connection) {
    return connection->connecting ? POLLOUT : connection->full ? POLLIN | POLLOUT : POLLIN;
}

bool grpc_connection_stands(const struct grpc_connection *connection) {
    return !connection->connecting && connection->end == GRPC_ANSWERED;
}

bool grpc_connection_greeted(const struct grpc_connection *connection) {
    return connection->greeted;
}

bool grpc_connection_usable(const struct grpc_connection *connection) {
    return connection->end == GRPC_ANSWERED &&
           nghttp2_session_check_request_allowed(connection->http2.session);
}

bool grpc_connection_ended(const struct grpc_connection *connection) {
    return connection->end != GRPC_ANSWERED;
}

int grpc_connection_submit(struct grpc_connection *connection, struct grpc_call *call) {
    nghttp2_data_provider body = {.read_callback = read_request};
    if (!grpc_connection_usable(connection))
        return -1;
    call->reply.size = 0; /* its memory is kept: no allocation from call to call */
    call->sent = 0;
    call->stream_code = NGHTTP2_NO_ERROR;
    call->http_status = 0;
    call->grpc_status = -1;
    call->grpc_type = call->was_reset = false;
    call->malformed = GRPC_OK;
    call->text[0] = '\0';
    call->stream = nghttp2_submit_request(
        connection->http2.session, NULL, connection->target->headers, REQUEST_HEADERS, &body, call);
    if (call->stream < 0)
        return -1;
    enlist(connection, call);
    return 0;
}

static void finish_connecting(struct grpc_connection *connection) {
    int code = 0;
    socklen_t size = sizeof code;
    getsockopt(connection->http2.fd, SOL_SOCKET, SO_ERROR, &code, &size);
    connection->connecting = false;
    if (code)
        end(connection, GRPC_REFUSED, code);
}

void grpc_connection_serve(struct grpc_connection *connection, short events) {
    if (connection->end != GRPC_ANSWERED)
        return;
    if (connection->connecting) {
        if (events)
            finish_connecting(connection);
        return;
    }
    if (!(events & ~POLLOUT))
        return;
    enum http2_result result = http2_receive(&connection->http2);
    if (result != HTTP2_OK)
        end(connection, result == HTTP2_CLOSED ? GRPC_CLOSED : GRPC_PROTOCOL, errno);
}

void grpc_connection_flush(struct grpc_connection *connection) {
    if (connection->end != GRPC_ANSWERED || connection->connecting)
        return;
    enum http2_result result = http2_flush(&connection->http2);
    int code = errno;
    connection->full = result == HTTP2_FULL;
    if (result == HTTP2_CLOSED)
        end(connection, GRPC_CLOSED, code);
    else if (result == HTTP2_BROKEN ||
             (result == HTTP2_OK && !nghttp2_session_want_read(connection->http2.session)))
        end(connection, GRPC_PROTOCOL, 0);
}

void grpc_connection_expire(struct grpc_connection *connection, uint64_t now_ns) {
    nghttp2_session *session = connection->http2.session;
    struct grpc_call *call;
    while ((call = connection->first) && call->deadline_ns <= now_ns) {
        nghttp2_session_set_stream_user_data(session, call->stream, NULL);
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, call->stream, NGHTTP2_CANCEL);
        finish(call, GRPC_TIMEOUT);
    }
}

void grpc_connection_close(struct grpc_connection *connection) {
    if (!connection)
        return;
    end(connection, GRPC_CLOSED, 0);
    http2_close(&connection->http2);
    free(connection);
}
