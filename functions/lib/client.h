/* The calling end: one connection, one unary method, one call at a time. No call waits longer than
 * its timeout, whatever the server does; a failed call leaves a client that can only be closed. */
#ifndef SLS_LIB_CLIENT_H
#define SLS_LIB_CLIENT_H

#include <stdbool.h>

#include "common/error.h"
#include "lib/grpc.h"

struct grpc_client;

/* Connect to HOST:PORT and wait for the server's HTTP/2 greeting. `path` is
 * "/package.Service/Method" and must outlive the client. timeout_ms holds for this, and for each
 * call. NULL on failure. */
struct grpc_client *grpc_client_open(const char *address, const char *path, int timeout_ms,
                                     struct error *err);

/* The two steps of it: the connection; the greeting. After either has failed the client, if there
 * is one, can only be closed. */
struct grpc_client *grpc_client_connect(const char *address, const char *path, int timeout_ms,
                                        struct error *err);
int grpc_client_greet(struct grpc_client *client, struct error *err);

/* Send a request, wait for the reply: valid until the next call, owned
 * by the client. NULL if there is none: any status but OK, a connection
 * or stream that ends, a malformed answer, no answer in time. */
const struct grpc_message *grpc_client_call(struct grpc_client *client,
                                            const struct grpc_message *request, struct error *err);

/* Why the last call failed: the server has no such method;
 * or: it answered with a status, whichever. */
bool grpc_client_lacks_method(const struct grpc_client *client);
bool grpc_client_has_status(const struct grpc_client *client);

void grpc_client_close(struct grpc_client *client);

#endif
