/* What a load run counts: latencies, and failures by kind.
 * Nothing grows with the number of calls. */
#ifndef SLS_GUEST_CLIENT_TALLY_H
#define SLS_GUEST_CLIENT_TALLY_H

#include "lib/connection.h"
#include "load/histogram.h"

/* Kinds of failure beyond those of a call (enum grpc_failure). A gRPC status is a kind of its own,
 * by its number, from TALLY_STATUS on; the last is for numbers that gRPC does not know. */
enum { TALLY_WRONG = GRPC_FAILURES, TALLY_UNSENT, TALLY_STATUS };
#define TALLY_STATUSES 18
#define TALLY_KINDS (TALLY_STATUS + TALLY_STATUSES)

struct tally {
    /* Answered calls, and those that ran out of time, with the time that they took until then: to
     * leave these out would flatter the server. Other failures are fast, and would do so, too. */
    struct histogram whole;    /* up to the last second */
    struct histogram interval; /* this second */
    uint64_t answered;         /* and the reply was right */
    uint64_t failed;
    uint64_t kinds[TALLY_KINDS];
    uint64_t interval_answered;
    struct error first;    /* why the first failed */
    uint64_t late_most_ns; /* open loop: sent so long after it was due */
    double late_sum_ns;
    uint64_t sent, queue_most; /* open loop: calls that were due and waited to be sent */
    double seconds;            /* from the start to the last reply */
};

/* "timeout", "gRPC status INTERNAL", …, in `text`. */
const char *tally_kind_name(int kind, char *text, size_t size);

void tally_answer(struct tally *tally, uint64_t latency_ns);

/* A call is sent so long after it was due. */
void tally_lateness(struct tally *tally, uint64_t late_ns);

/* Why the first failed is for the caller to say, in `first`. */
void tally_failure(struct tally *tally, int kind, uint64_t latency_ns);

/* The second is over: its histogram becomes part of the whole. */
void tally_next_interval(struct tally *tally);

/* "12 of 500 calls failed: 10 timeout, 2 connection closed; the first: why": at most three kinds,
 * the most frequent first. Always -1. */
int tally_why(const struct tally *tally, struct error *err);

#endif
