/* One HTTP/2 connection: a non-blocking socket and its nghttp2 session. What the session has to say
 * is gathered in one buffer, so that a whole request or reply leaves in one segment. */
#ifndef SLS_LIB_HTTP2_H
#define SLS_LIB_HTTP2_H

#include <nghttp2/nghttp2.h>
#include <stddef.h>
#include <stdint.h>

struct http2 {
    int fd;
    nghttp2_session *session; /* its user data is this struct (or what begins with it) */
    size_t sent, filled;      /* the part of `output` that still has to leave */
    uint8_t output[20 << 10]; /* one frame (16 kB by default) and its companions */
};

enum http2_result {
    HTTP2_OK,     /* done */
    HTTP2_FULL,   /* flush: the socket takes no more now; wait for POLLOUT */
    HTTP2_CLOSED, /* the peer closed or the connection broke (errno), or the session has ended */
    HTTP2_BROKEN, /* the peer does not speak HTTP/2 */
};

/* Callbacks with the sending side filled in;
 * the caller adds its own and deletes them. NULL: no memory. */
nghttp2_session_callbacks *http2_callbacks_new(void);

/* Make the socket non-blocking, without Nagle's delay. */
void http2_prepare_socket(int fd);

/* Send what the session has to say. */
enum http2_result http2_flush(struct http2 *http2);

/* Read once, and let the session's callbacks have it. */
enum http2_result http2_receive(struct http2 *http2);

/* Free the session, close the socket. */
void http2_close(struct http2 *http2);

/* A header field of two strings that outlive the session's use of them. */
nghttp2_nv http2_header(const char *name, const char *value);

#endif
