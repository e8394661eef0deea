/* A gRPC server of unary methods: one thread, many connections, asleep in epoll_wait while nothing
 * comes (no timers: an idle function must not wake up its core). A call runs to its end before the
 * next begins, so a deadline (grpc-timeout) is left to the client, who has the clock and resets the
 * stream.
 *
 * Answered with a status: unknown method (UNIMPLEMENTED), compressed message (UNIMPLEMENTED),
 * message of more than GRPC_MESSAGE_MAX (RESOURCE_EXHAUSTED), not one whole valid message
 * (INTERNAL). Not gRPC: HTTP status 415. Not HTTP/2: the connection is closed. */
#ifndef SLS_LIB_SERVER_H
#define SLS_LIB_SERVER_H

#include "common/error.h"
#include "lib/grpc.h"

struct grpc_method {
    const char *path; /* "/package.Service/Method" */
    const ProtobufCMessageDescriptor *request;
    /* Answers one call: packs its reply with grpc_message_pack
     * and returns GRPC_OK, or another status. */
    enum grpc_status (*handle)(const ProtobufCMessage *request, struct grpc_message *reply);
};

/* Serve this method at HOST:PORT (port 0: any; a line on stderr says which) until SIGTERM or
 * SIGINT, then return 0. `name` begins the lines on stderr. -1: cannot listen. */
int grpc_serve(const char *name, const char *address, const struct grpc_method *method,
               struct error *err);

#endif
