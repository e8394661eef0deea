#include "lib/http2.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static ssize_t gather(nghttp2_session *session, const uint8_t *data, size_t size, int flags,
                      void *user_data) {
    struct http2 *http2 = user_data;
    size_t room = sizeof http2->output - http2->filled;
    if (room == 0)
        return NGHTTP2_ERR_WOULDBLOCK;
    size = size < room ? size : room;
    memcpy(http2->output + http2->filled, data, size);
    http2->filled += size;
    return (ssize_t)size;
}

nghttp2_session_callbacks *http2_callbacks_new(void) {
    nghttp2_session_callbacks *callbacks;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return NULL;
    nghttp2_session_callbacks_set_send_callback(callbacks, gather);
    return callbacks;
}

void http2_prepare_socket(int fd) {
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

enum http2_result http2_flush(struct http2 *http2) {
    for (;;) {
        if (nghttp2_session_send(http2->session) != 0)
            return HTTP2_BROKEN;
        if (http2->sent == http2->filled)
            return HTTP2_OK;
        ssize_t n =
            send(http2->fd, http2->output + http2->sent, http2->filled - http2->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? HTTP2_FULL : HTTP2_CLOSED;
        http2->sent += (size_t)n;
        if (http2->sent == http2->filled)
            http2->sent = http2->filled = 0;
    }
}

enum http2_result http2_receive(struct http2 *http2) {
    uint8_t input[16 << 10];
    ssize_t n = recv(http2->fd, input, sizeof input, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return HTTP2_OK;
    if (n <= 0) {
        errno = n == 0 ? 0 : errno;
        return HTTP2_CLOSED;
    }
    return nghttp2_session_mem_recv(http2->session, input, (size_t)n) == n ? HTTP2_OK
                                                                           : HTTP2_BROKEN;
}

void http2_close(struct http2 *http2) {
    nghttp2_session_del(http2->session);
    if (http2->fd >= 0)
        close(http2->fd);
    http2->session = NULL;
    http2->fd = -1;
}

nghttp2_nv http2_header(const char *name, const char *value) {
    return (nghttp2_nv){
        .name = (uint8_t *)name,
        .value = (uint8_t *)value,
        .namelen = strlen(name),
        .valuelen = strlen(value),
        .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE,
    };
}
