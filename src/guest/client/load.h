/* A load run: many calls at a time on one or several connections, in one thread.
 *
 *   closed loop   a call begins when another ends: so many are always under way
 *   open loop     calls are due at times of their own (load/arrival.h),
 *                 whatever became of the others
 *
 * In an open loop latency counts from when a call was due, not from when it was sent: a server that
 * stalls delays all that are due meanwhile, and that is what its users see. Those that cannot be
 * sent wait in a queue. */
#ifndef SLS_GUEST_CLIENT_LOAD_H
#define SLS_GUEST_CLIENT_LOAD_H

#include "client/options.h"

/* Prints the summary also if calls failed. -1: it could not begin, not all calls were answered
 * rightly, or it was ended early. */
int load_run(const struct options *options, struct error *err);

#endif
