#include "plugin/stream.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

#define CHUNKS 64 /* 2 MB: how far the model may be behind */

static struct {
    uint64_t events[CHUNKS][STREAM_CHUNK];
    size_t used[CHUNKS];
    unsigned filled, consumed; /* chunks, since the start */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void (*consume)(const uint64_t *, const uint64_t *);
} stream = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

uint64_t *stream_next, *stream_end;

static void *work(void *unused) {
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&stream.lock);
        while (stream.consumed == stream.filled)
            pthread_cond_wait(&stream.changed, &stream.lock);
        unsigned chunk = stream.consumed % CHUNKS;
        pthread_mutex_unlock(&stream.lock);

        stream.consume(stream.events[chunk], stream.events[chunk] + stream.used[chunk]);

        pthread_mutex_lock(&stream.lock);
        stream.consumed++;
        pthread_cond_broadcast(&stream.changed);
        pthread_mutex_unlock(&stream.lock);
    }
    return NULL;
}

/* Two words short of the chunk's end, so that a mark's arguments always fit behind it. */
static void begin_chunk(void) {
    uint64_t *events = stream.events[stream.filled % CHUNKS];
    stream_next = events;
    stream_end = events + STREAM_CHUNK - 2;
}

int stream_start(void (*consume)(const uint64_t *, const uint64_t *)) {
    stream.consume = consume;
    begin_chunk();
    /* Signals are QEMU's. */
    sigset_t all, kept;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &kept);
    int result = pthread_create(&thread, NULL, work, NULL);
    pthread_sigmask(SIG_SETMASK, &kept, NULL);
    return result == 0 ? 0 : -1;
}

void stream_flush(void) {
    unsigned chunk = stream.filled % CHUNKS;
    stream.used[chunk] = (size_t)(stream_next - stream.events[chunk]);
    pthread_mutex_lock(&stream.lock);
    stream.filled++;
    pthread_cond_broadcast(&stream.changed);
    while (stream.filled - stream.consumed >= CHUNKS)
        pthread_cond_wait(&stream.changed, &stream.lock);
    pthread_mutex_unlock(&stream.lock);
    begin_chunk();
}

void stream_drain(void) {
    stream_flush();
    pthread_mutex_lock(&stream.lock);
    while (stream.consumed != stream.filled)
        pthread_cond_wait(&stream.changed, &stream.lock);
    pthread_mutex_unlock(&stream.lock);
}
