/* The calling end of gRPC, without waiting: many connections to one unary method, many calls at a
 * time on each. The caller owns the loop: it waits for a connection's descriptor, lets the
 * connection serve what has come, submits further calls, and flushes once for all of them, so that
 * many requests leave in one segment.
 *
 * No globals, no threads. No memory per call but nghttp2's: a call is the caller's own struct, and
 * the next one that it is used for finds the memory of the last reply. */
#ifndef SLS_LIB_CONNECTION_H
#define SLS_LIB_CONNECTION_H

#include <stdbool.h>

#include "common/error.h"
#include "lib/grpc.h"

/* What became of a call. */
enum grpc_failure {
    GRPC_ANSWERED,  /* nothing failed: there is a whole reply */
    GRPC_REFUSED,   /* no connection came about */
    GRPC_TIMEOUT,   /* no answer before the deadline */
    GRPC_CLOSED,    /* the connection ended, or was lost */
    GRPC_RESET,     /* the server ended the call alone: RST_STREAM */
    GRPC_GOAWAY,    /* the server ended the connection, and said so */
    GRPC_PROTOCOL,  /* what came is not HTTP/2 */
    GRPC_NOT_GRPC,  /* HTTP/2, but not a gRPC reply */
    GRPC_STATUS,    /* a gRPC status other than OK */
    GRPC_MALFORMED, /* a message that is truncated, compressed, too long, or one too many */
    GRPC_FAILURES
};

/* "timeout", "connection closed", …: for tables. */
const char *grpc_failure_name(enum grpc_failure failure);

/* What is called, and how: shared by connections, which it must outlive. */
struct grpc_target;

/* HOST:PORT and "/package.Service/Method", which both must outlive it. The timeout is what servers
 * are told (grpc-timeout); to keep to it is the caller's. NULL: no such address, or no memory. */
struct grpc_target *grpc_target_new(const char *address, const char *path, int timeout_ms,
                                    struct error *err);
void grpc_target_free(struct grpc_target *target);

struct grpc_connection;

/* One call. All zero to begin with, then `request`, `done` and `deadline_ns` filled in. Freed by
 * grpc_call_free when it is not under way. */
struct grpc_call {
    const struct grpc_message *request; /* must live until `done` */
    /* Called once for each call that was submitted, from within serve, flush, expire or close. It
     * may submit calls, this struct's, too, but may not close or serve a connection. */
    void (*done)(struct grpc_call *call, enum grpc_failure failure);
    uint64_t deadline_ns; /* on the clock of grpc_connection_expire */
    struct grpc_message reply;

    /* The connection's own, and what grpc_call_why tells of. */
    struct grpc_connection *connection;
    struct grpc_call *next, *previous; /* under way, in order of submission */
    int32_t stream;
    size_t sent;               /* bytes of the request */
    uint32_t stream_code;      /* HTTP/2 error code with which the stream ended */
    int http_status;           /* 0: not heard */
    int grpc_status;           /* -1: not heard */
    bool grpc_type, was_reset; /* content-type: application/grpc; RST_STREAM has come */
    enum grpc_status malformed;
    char text[256]; /* grpc-message */
};

void grpc_call_free(struct grpc_call *call);

/* Begin to connect. Calls may be submitted at once: they leave when the connection stands. NULL: no
 * socket, or no memory; that a server refuses is told later, as GRPC_REFUSED. */
struct grpc_connection *grpc_connection_open(const struct grpc_target *target, struct error *err);

/* The same on a socket that is connected already, which is the connection's from now on. */
struct grpc_connection *grpc_connection_adopt(const struct grpc_target *target, int fd,
                                              struct error *err);

/* What to wait for: the descriptor, and poll's events (POLLIN, POLLOUT), the same as epoll's. */
int grpc_connection_fd(const struct grpc_connection *connection);
short grpc_connection_events(const struct grpc_connection *connection);

/* Has the server's kernel accepted it, and has it not ended since? */
bool grpc_connection_stands(const struct grpc_connection *connection);

/* Has the server's greeting (SETTINGS) come? */
bool grpc_connection_greeted(const struct grpc_connection *connection);

/* May a call be submitted? No longer after an end, and after the server's GOAWAY. */
bool grpc_connection_usable(const struct grpc_connection *connection);

/* Has it ended? Then all its calls are done, and it can only be closed. */
bool grpc_connection_ended(const struct grpc_connection *connection);

/* Why it ended, or takes no more calls. Always -1. */
int grpc_connection_why(const struct grpc_connection *connection, struct error *err);

/* Put a call on its way; it leaves with the next flush. -1: the connection takes no more calls, and
 * `done` will not be called. */
int grpc_connection_submit(struct grpc_connection *connection, struct grpc_call *call);

/* Read once what has come. `events` as poll and epoll tell them. */
void grpc_connection_serve(struct grpc_connection *connection, short events);

/* Send what is to be sent, as far as the socket takes it. */
void grpc_connection_flush(struct grpc_connection *connection);

/* End the calls whose deadline has passed: GRPC_TIMEOUT. Deadlines must rise from call to call. */
void grpc_connection_expire(struct grpc_connection *connection, uint64_t now_ns);

/* Calls that are under way end as GRPC_CLOSED. May be NULL. */
void grpc_connection_close(struct grpc_connection *connection);

/* Why a call failed, from within `done` or after it
 * while its connection is not closed. Always -1. */
int grpc_call_why(const struct grpc_call *call, enum grpc_failure failure, struct error *err);

#endif
