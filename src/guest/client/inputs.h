/* The inputs of a load run, and whether replies to them are right.
 *
 * A reply is right at once if it is, byte for byte, the one that was verified
 * before for the same input: that costs a comparison, where a verification computes
 * the answer anew and takes longer than the call itself, which would make the
 * client the bottleneck. Any other reply is verified, there and then, so that none
 * escapes and none has to be kept. Memory is bounded by the number of inputs. */
#ifndef SLS_GUEST_CLIENT_INPUTS_H
#define SLS_GUEST_CLIENT_INPUTS_H

#include "client/options.h"
#include "lib/grpc.h"

struct inputs {
    const struct options *options;
    long count; /* they come again and again */
    struct grpc_message *requests;
    struct grpc_message *right; /* the last verified reply to each, or nothing yet */
};

int inputs_prepare(struct inputs *inputs, const struct options *options, struct error *err);

/* -1: this is not the right reply to the index-th input, and why. */
int inputs_check(struct inputs *inputs, long index, const struct grpc_message *reply,
                 struct error *err);

void inputs_free(struct inputs *inputs);

#endif
