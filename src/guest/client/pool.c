#include "client/pool.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#define PAUSE_FIRST 1000000u  /* ns before a connection that brought nothing is opened again … */
#define PAUSE_MOST 100000000u /* … and the longest, after doubling */

int pool_open(struct pool *pool, const struct grpc_target *target, int epoll, long count, long room,
              bool fresh, struct error *err) {
    struct rlimit files;
    *pool = (struct pool){.target = target,
                          .epoll = epoll,
                          .fresh = fresh,
                          .count = count,
                          .room = room,
                          .slots = calloc((size_t)count, sizeof *pool->slots),
                          .touched = calloc((size_t)count, sizeof *pool->touched)};
    if (!pool->slots || !pool->touched)
        return error_errno(err, "memory for %ld connections", count);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    return 0;
}

static void touch(struct pool *pool, struct slot *slot) {
    if (!slot->touched)
        pool->touched[pool->touched_count++] = slot;
    slot->touched = true;
}

static void pause_slot(struct pool *pool, struct slot *slot, uint64_t now_ns) {
    slot->pause_ns = slot->pause_ns ? 2 * slot->pause_ns : PAUSE_FIRST;
    if (slot->pause_ns > PAUSE_MOST)
        slot->pause_ns = PAUSE_MOST;
    slot->reopen_ns = now_ns + slot->pause_ns;
    pool->fruitless++;
}

/* `pause_ns` is 0 again as soon as a reply has come. A connection that is closed before its time
 * brings a pause even then, but the shortest. */
static void close_slot(struct pool *pool, struct slot *slot, uint64_t now_ns) {
    bool wanted = slot->spent && slot->pause_ns == 0;
    grpc_connection_close(slot->connection);
    slot->connection = NULL;
    slot->spent = false;
    if (wanted)
        slot->reopen_ns = now_ns;
    else
        pause_slot(pool, slot, now_ns);
}

static void open_slot(struct pool *pool, struct slot *slot, uint64_t now_ns) {
    slot->connection = grpc_connection_open(pool->target, NULL);
    if (!slot->connection) {
        pause_slot(pool, slot, now_ns);
        return;
    }
    slot->events = grpc_connection_events(slot->connection);
    struct epoll_event event = {.events = (uint32_t)slot->events, .data.ptr = slot};
    if (epoll_ctl(pool->epoll, EPOLL_CTL_ADD, grpc_connection_fd(slot->connection), &event) != 0)
        close_slot(pool, slot, now_ns);
    else
        touch(pool, slot);
}

static bool takes_a_call(struct pool *pool, struct slot *slot, uint64_t now_ns) {
    if (!slot->connection && now_ns >= slot->reopen_ns)
        open_slot(pool, slot, now_ns);
    return slot->connection && !slot->spent && slot->calls < pool->room &&
           grpc_connection_usable(slot->connection);
}

struct slot *pool_pick(struct pool *pool, uint64_t now_ns) {
    for (long i = 0; i < pool->count; i++) {
        struct slot *slot = &pool->slots[pool->next];
        pool->next = pool->next + 1 == pool->count ? 0 : pool->next + 1;
        if (takes_a_call(pool, slot, now_ns))
            return slot;
    }
    return NULL;
}

int pool_submit(struct pool *pool, struct slot *slot, struct grpc_call *call) {
    if (grpc_connection_submit(slot->connection, call) != 0)
        return -1;
    slot->calls++;
    slot->spent = pool->fresh;
    touch(pool, slot);
    return 0;
}

void pool_call_done(struct pool *pool, struct slot *slot, bool answered) {
    slot->calls--;
    touch(pool, slot);
    if (answered)
        slot->pause_ns = pool->fruitless = 0;
}

void pool_serve(struct pool *pool, struct slot *slot, uint32_t events) {
    if (!slot->connection)
        return;
    grpc_connection_serve(slot->connection, (short)events);
    touch(pool, slot);
}

static bool is_over(const struct slot *slot) {
    return grpc_connection_ended(slot->connection) ||
           (slot->calls == 0 && (slot->spent || !grpc_connection_usable(slot->connection)));
}

void pool_reap(struct pool *pool, uint64_t now_ns) {
    for (long i = 0; i < pool->touched_count; i++) {
        struct slot *slot = pool->touched[i];
        if (slot->connection && is_over(slot))
            close_slot(pool, slot, now_ns);
    }
}

static void watch(struct pool *pool, struct slot *slot) {
    short events = grpc_connection_events(slot->connection);
    struct epoll_event event = {.events = (uint32_t)events, .data.ptr = slot};
    if (events != slot->events)
        epoll_ctl(pool->epoll, EPOLL_CTL_MOD, grpc_connection_fd(slot->connection), &event);
    slot->events = events;
}

void pool_flush(struct pool *pool, uint64_t now_ns) {
    for (long i = 0; i < pool->touched_count; i++) {
        struct slot *slot = pool->touched[i];
        if (slot->connection)
            grpc_connection_flush(slot->connection);
    }
    pool_reap(pool, now_ns);
    for (long i = 0; i < pool->touched_count; i++) {
        struct slot *slot = pool->touched[i];
        slot->touched = false;
        if (slot->connection)
            watch(pool, slot);
    }
    pool->touched_count = 0;
}

void pool_expire(struct pool *pool, uint64_t now_ns) {
    for (long i = 0; i < pool->count; i++)
        if (pool->slots[i].connection)
            grpc_connection_expire(pool->slots[i].connection, now_ns);
}

uint64_t pool_reopens(const struct pool *pool) {
    uint64_t first = UINT64_MAX;
    for (long i = 0; i < pool->count; i++)
        if (!pool->slots[i].connection && pool->slots[i].reopen_ns < first)
            first = pool->slots[i].reopen_ns;
    return first;
}

void pool_close(struct pool *pool) {
    for (long i = 0; pool->slots && i < pool->count; i++)
        grpc_connection_close(pool->slots[i].connection);
    free(pool->slots);
    free(pool->touched);
}
