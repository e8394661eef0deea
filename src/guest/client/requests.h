/* The inputs of a run, packed before the first of them is sent. */
#ifndef SLS_GUEST_CLIENT_REQUESTS_H
#define SLS_GUEST_CLIENT_REQUESTS_H

#include "client/options.h"
#include "lib/grpc.h"

/* The packed inputs 0 … count - 1, freed by requests_free. NULL: no memory. */
struct grpc_message *requests_prepare(const struct options *options, long count, struct error *err);

void requests_free(struct grpc_message *requests, long count);

#endif
