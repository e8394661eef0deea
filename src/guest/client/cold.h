/* A cold start: the function's container is created, its program started, and the first request
 * sent as soon as it listens. */
#ifndef SLS_GUEST_CLIENT_COLD_H
#define SLS_GUEST_CLIENT_COLD_H

#include "client/results.h"
#include "lib/client.h"

/* Before the checkpoint: what the kernel does only for the first connection after a boot is then
 * done. Nobody listens yet. */
void cold_rehearse(const struct options *options);

/* One work item, marked, with a mark between two phases (common/mark.h): create, start, listen,
 * reply. The reply's latency is that of all of it. *client: the caller closes it, on failure too,
 * if it is not NULL. An error without a text is one that slsuite-function has told the host of. */
int cold_start(const struct options *options, const struct grpc_message *request,
               struct grpc_client **client, struct results *results, struct error *err);

#endif
