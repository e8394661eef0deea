#include "lib/server.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/http2.h"

#define CONNECTIONS_MAX 256 /* more wait in the kernel's queue */
#define STREAMS_MAX 100     /* calls at a time on one connection; RFC 9113 advises at least 100 */

struct server {
    int epoll, listener, signals;
    int connections;
    struct connection *first;
    const struct grpc_method *method;
    nghttp2_session_callbacks *callbacks;
};

struct connection {
    struct http2 http2; /* first: it is the session's user data */
    struct server *server;
    struct stream *streams; /* the open ones */
    struct connection *next, **link;
    bool waits_to_send;
};

/* One call. Answered as soon as the answer is certain, be it before the request's last byte. */
struct stream {
    struct stream *next, **link;
    bool post, grpc, method_known, answered;
    struct grpc_message request, reply;
    size_t sent; /* bytes of the reply */
};

static void stream_free(struct stream *stream) {
    *stream->link = stream->next;
    if (stream->next)
        stream->next->link = stream->link;
    grpc_message_free(&stream->request);
    grpc_message_free(&stream->reply);
    free(stream);
}

/* nghttp2 asks for the next bytes of the reply; behind the last come the trailers. */
static ssize_t read_reply(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t size,
                          uint32_t *flags, nghttp2_data_source *source, void *user_data) {
    struct stream *stream = source->ptr;
    size_t rest = stream->reply.size - stream->sent;
    size = size < rest ? size : rest;
    memcpy(buffer, stream->reply.bytes + stream->sent, size);
    stream->sent += size;
    if (size == rest) {
        nghttp2_nv trailer = http2_header("grpc-status", "0");
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (nghttp2_submit_trailer(session, id, &trailer, 1) != 0)
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return (ssize_t)size;
}

static int answer(nghttp2_session *session, int32_t id, struct stream *stream,
                  enum grpc_status status, const char *message) {
    char number[12];
    snprintf(number, sizeof number, "%d", status);
    nghttp2_nv headers[] = {
        http2_header(":status", stream->grpc && stream->post ? "200" : "415"),
        http2_header("content-type", "application/grpc"),
        http2_header("grpc-status", number),
        http2_header("grpc-message", message),
    };
    headers[2].flags = headers[3].flags = NGHTTP2_NV_FLAG_NONE; /* copied: they do not outlive us */
    stream->answered = true;
    if (status != GRPC_OK)
        return nghttp2_submit_response(session, id, headers, 4, NULL);
    nghttp2_data_provider reply = {.source.ptr = stream, .read_callback = read_reply};
    return nghttp2_submit_response(session, id, headers, 2, &reply);
}

/* The whole request is here: call the function. */
static int dispatch(nghttp2_session *session, int32_t id, struct stream *stream,
                    const struct grpc_method *method) {
    if (!stream->post || !stream->grpc)
        return answer(session, id, stream, GRPC_UNKNOWN, "not a gRPC request");
    if (!stream->method_known)
        return answer(session, id, stream, GRPC_UNIMPLEMENTED, "unknown method");
    ProtobufCMessage *request = grpc_message_unpack(&stream->request, method->request);
    if (!request)
        return answer(session, id, stream, GRPC_INTERNAL, "malformed request message");
    enum grpc_status status = method->handle(request, &stream->reply);
    protobuf_c_message_free_unpacked(request, NULL);
    return answer(session, id, stream, status, "the function refused its input");
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct connection *connection = user_data;
    struct stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    stream->link = &connection->streams;
    stream->next = connection->streams;
    if (stream->next)
        stream->next->link = &stream->next;
    connection->streams = stream;
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *user_data) {
    static const char grpc_type[] = "application/grpc";
    const struct grpc_method *method = ((struct connection *)user_data)->server->method;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (!stream) /* trailers of a request that is already answered */
        return 0;
    if (strcmp((const char *)name, ":path") == 0)
        stream->method_known = strcmp((const char *)value, method->path) == 0;
    else if (strcmp((const char *)name, ":method") == 0)
        stream->post = strcmp((const char *)value, "POST") == 0;
    else if (strcmp((const char *)name, "content-type") == 0)
        stream->grpc = strncasecmp((const char *)value, grpc_type, sizeof grpc_type - 1) == 0;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t size, void *user_data) {
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    if (!stream || stream->answered)
        return 0;
    enum grpc_status status = grpc_message_add(&stream->request, data, size);
    if (status == GRPC_OK)
        return 0;
    return answer(session, id, stream, status,
                  status == GRPC_UNIMPLEMENTED        ? "compressed messages are not supported"
                  : status == GRPC_RESOURCE_EXHAUSTED ? "message too long"
                                                      : "malformed message")
               ? NGHTTP2_ERR_CALLBACK_FAILURE
               : 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
    struct connection *connection = user_data;
    bool request = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (!request || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    int32_t id = frame->hd.stream_id;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    if (!stream || stream->answered)
        return 0;
    return dispatch(session, id, stream, connection->server->method) ? NGHTTP2_ERR_CALLBACK_FAILURE
                                                                     : 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code,
                           void *user_data) {
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    if (stream)
        stream_free(stream);
    nghttp2_session_set_stream_user_data(session, id, NULL);
    return 0;
}

static int watch(struct server *server, int operation, int fd, uint32_t events, void *pointer) {
    struct epoll_event event = {.events = events, .data.ptr = pointer};
    return epoll_ctl(server->epoll, operation, fd, &event);
}

static void connection_close(struct connection *connection) {
    struct server *server = connection->server;
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    http2_close(&connection->http2);
    while (connection->streams) /* nghttp2 does not tell of streams that end with their session */
        stream_free(connection->streams);
    free(connection);
    if (server->connections-- == CONNECTIONS_MAX)
        watch(server, EPOLL_CTL_MOD, server->listener, EPOLLIN, &server->listener);
}

/* While the peer does not take our answers, we do not take its requests: memory stays bounded. */
static void connection_serve(struct connection *connection, uint32_t events) {
    struct http2 *http2 = &connection->http2;
    enum http2_result result = HTTP2_OK;
    if (events & ~(uint32_t)EPOLLOUT)
        result = http2_receive(http2);
    if (result == HTTP2_OK)
        result = http2_flush(http2);
    bool ended =
        !nghttp2_session_want_read(http2->session) && !nghttp2_session_want_write(http2->session);
    if ((result != HTTP2_OK && result != HTTP2_FULL) || (ended && result == HTTP2_OK)) {
        connection_close(connection);
        return;
    }
    bool full = result == HTTP2_FULL;
    if (full != connection->waits_to_send)
        watch(connection->server, EPOLL_CTL_MOD, http2->fd, full ? EPOLLOUT : EPOLLIN, connection);
    connection->waits_to_send = full;
}

static void accept_connection(struct server *server) {
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX},
    };
    int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection) {
        close(fd);
        return;
    }
    connection->server = server;
    connection->http2.fd = fd;
    connection->link = &server->first;
    connection->next = server->first;
    if (server->first)
        server->first->link = &connection->next;
    server->first = connection;
    if (++server->connections == CONNECTIONS_MAX)
        watch(server, EPOLL_CTL_MOD, server->listener, 0, &server->listener);
    http2_prepare_socket(fd);
    if (nghttp2_session_server_new(&connection->http2.session, server->callbacks, connection) !=
            0 ||
        nghttp2_submit_settings(connection->http2.session, NGHTTP2_FLAG_NONE, settings, 1) != 0 ||
        watch(server, EPOLL_CTL_ADD, fd, EPOLLIN, connection) != 0)
        connection_close(connection);
    else
        connection_serve(connection, EPOLLOUT); /* the settings go out at once */
}

static int server_listen(struct server *server, const char *name, const char *text,
                         struct error *err) {
    struct address address;
    if (address_parse(&address, text, err) != 0)
        return -1;
    server->listener =
        socket(address.socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (server->listener < 0 ||
        bind(server->listener, (struct sockaddr *)&address.socket, address.size) != 0 ||
        listen(server->listener, SOMAXCONN) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address.socket, &address.size) != 0)
        return error_errno(err, "listen on %s", text);
    fprintf(stderr, "%s: listening on %.*s:%u\n", name, (int)(strrchr(text, ':') - text), text,
            address_port(&address));
    return 0;
}

static int server_open(struct server *server, const char *name, const char *address,
                       struct error *err) {
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    server->signals = signalfd(-1, &stop, SFD_CLOEXEC);
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    server->callbacks = http2_callbacks_new();
    if (server->signals < 0 || server->epoll < 0 || !server->callbacks)
        return error_errno(err, "start the server");
    nghttp2_session_callbacks_set_on_begin_headers_callback(server->callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(server->callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(server->callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(server->callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(server->callbacks, on_stream_close);
    if (server_listen(server, name, address, err) != 0)
        return -1;
    if (watch(server, EPOLL_CTL_ADD, server->signals, EPOLLIN, &server->signals) != 0 ||
        watch(server, EPOLL_CTL_ADD, server->listener, EPOLLIN, &server->listener) != 0)
        return error_errno(err, "watch the sockets");
    return 0;
}

static void server_close(struct server *server) {
    while (server->first)
        connection_close(server->first);
    nghttp2_session_callbacks_del(server->callbacks);
    int fds[] = {server->listener, server->signals, server->epoll};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

int grpc_serve(const char *name, const char *address, const struct grpc_method *method,
               struct error *err) {
    struct server server = {.epoll = -1, .listener = -1, .signals = -1, .method = method};
    int result = server_open(&server, name, address, err);
    for (bool running = result == 0; running;) {
        /* One event at a time: serving one may close the connection that another one names. */
        struct epoll_event event;
        int n = epoll_wait(server.epoll, &event, 1, -1);
        if (n < 0 && errno != EINTR) {
            result = error_errno(err, "wait for requests");
            running = false;
        }
        if (n != 1)
            continue;
        if (event.data.ptr == &server.signals)
            running = false;
        else if (event.data.ptr == &server.listener)
            accept_connection(&server);
        else
            connection_serve(event.data.ptr, event.events);
    }
    server_close(&server);
    return result;
}
