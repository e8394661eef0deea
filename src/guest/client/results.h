/* What the invocations gave: kept in memory, checked and reported when all are done. */
#ifndef SLS_GUEST_CLIENT_RESULTS_H
#define SLS_GUEST_CLIENT_RESULTS_H

#include "client/options.h"
#include "lib/grpc.h"

struct result {
    uint64_t latency_ns;
    size_t offset, size; /* of the reply in `replies` */
};

struct results {
    long count;
    struct result *results;
    uint8_t *replies; /* as they came, one behind the other */
    size_t used, capacity;
};

/* Room for `count` results with replies of about reply_size bytes, every page touched. */
int results_reserve(struct results *results, long count, size_t reply_size, struct error *err);

int results_add(struct results *results, uint64_t latency_ns, const struct grpc_message *reply,
                struct error *err);

/* Is this the right reply to the index-th input (or, with -no-verify, a reply at all)? On success
 * *text (may be NULL) is what it says, freed by the caller. */
int reply_check(const struct options *options, long index, const struct grpc_message *reply,
                char **text, struct error *err);

/* Check the replies (if asked to) and report each on the channel. -1: one or more were wrong; the
 * first is told. */
int results_check(const struct results *results, const struct options *options, struct error *err);

/* Mean and percentiles of the latencies on stdout. */
void results_print_latencies(const struct results *results, const struct options *options);

void results_free(struct results *results);

#endif
