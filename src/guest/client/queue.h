/* Calls that are due and not sent yet: when each was due, in order. */
#ifndef SLS_GUEST_CLIENT_QUEUE_H
#define SLS_GUEST_CLIENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_MAX (1 << 20) /* what is due beyond is not sent, and counts as a failure */

struct queue {
    uint64_t *due_ns; /* QUEUE_MAX of them; pages are touched when they are needed */
    size_t first, count;
};

static inline bool queue_push(struct queue *queue, uint64_t due_ns) {
    if (queue->count == QUEUE_MAX)
        return false;
    queue->due_ns[(queue->first + queue->count++) % QUEUE_MAX] = due_ns;
    return true;
}

/* The longest waiting; the queue must not be empty. */
static inline uint64_t queue_first(const struct queue *queue) {
    return queue->due_ns[queue->first];
}

static inline uint64_t queue_pop(struct queue *queue) {
    uint64_t due_ns = queue_first(queue);
    queue->first = (queue->first + 1) % QUEUE_MAX;
    queue->count--;
    return due_ns;
}

#endif
