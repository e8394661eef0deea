/* The connections of a load run: opened when they are needed, opened
 * again when they have died, after a pause that doubles as long as
 * nothing comes of it, so that a dead server is not stormed. */
#ifndef SLS_GUEST_CLIENT_POOL_H
#define SLS_GUEST_CLIENT_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "lib/connection.h"

struct slot {
    struct grpc_connection *connection; /* or NULL */
    long calls;                         /* under way on it */
    uint64_t reopen_ns, pause_ns;       /* if it is NULL: not before */
    bool spent;                         /* has had its one call */
    bool touched;                       /* in `touched`: to be flushed and looked after */
    short events;                       /* that epoll watches for */
};

struct pool {
    const struct grpc_target *target;
    int epoll;
    bool fresh; /* a connection for each call */
    struct slot *slots, **touched;
    long count, room, next, touched_count; /* room: calls at a time on each */
    uint64_t fruitless;                    /* connections that ended without a reply, in a row */
};

int pool_open(struct pool *pool, const struct grpc_target *target, int epoll, long count, long room,
              bool fresh, struct error *err);

/* One that takes a call now, opened if need be. NULL: none does. */
struct slot *pool_pick(struct pool *pool, uint64_t now_ns);

/* Submit a call there. -1: it takes none. */
int pool_submit(struct pool *pool, struct slot *slot, struct grpc_call *call);

/* One of its calls is done; `answered` if by a reply. From within the call's `done`. */
void pool_call_done(struct pool *pool, struct slot *slot, bool answered);

/* It has something to read, or room to send. */
void pool_serve(struct pool *pool, struct slot *slot, uint32_t events);

/* Close those of the touched that have ended. */
void pool_reap(struct pool *pool, uint64_t now_ns);

/* Flush the touched ones, wait for what they wait for. */
void pool_flush(struct pool *pool, uint64_t now_ns);

/* End the calls whose deadline has passed. */
void pool_expire(struct pool *pool, uint64_t now_ns);

/* When the first of those that are closed may be opened again; UINT64_MAX: none is closed. */
uint64_t pool_reopens(const struct pool *pool);

void pool_close(struct pool *pool);

#endif
