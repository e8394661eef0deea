#include "plugin/stream.h"

#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

/* 8 MB, sixteen invocations of aes-c: how far the model may be behind. What is dear to execute is
 * not what is dear to model. With 1 MB, each thread waited for the other an eighth of the time when
 * both had as much to do. */
#define CHUNKS 512

/* The consumer is usually the faster one. Were it woken for each chunk, the
 * executing thread would spend its time in the host's kernel. So it naps
 * until it is woken because half of the chunks wait, or the time is over;
 * only when nothing has come for long does it sleep until it is woken. */
#define NAP_NS 1000000
#define NAPS 20

enum consumer { AWAKE, NAPS_FOR_A_WHILE, SLEEPS };

#define NEVER UINT64_MAX

static struct {
    alignas(STREAM_CHUNK * sizeof(uint64_t)) uint64_t events[CHUNKS][STREAM_CHUNK];
    size_t used[CHUNKS];
    /* Chunks since the start, each written by one thread. */
    alignas(64) _Atomic uint64_t filled;
    alignas(64) _Atomic uint64_t consumed;
    alignas(64) _Atomic enum consumer consumer;
    _Atomic uint64_t awaited; /* the producer waits until this many have been consumed */
    pthread_mutex_t lock;     /* only to sleep and wake */
    pthread_cond_t arrived, progressed;
    void (*consume)(const uint64_t *, const uint64_t *);
} stream = {.awaited = NEVER,
            .lock = PTHREAD_MUTEX_INITIALIZER,
            .arrived = PTHREAD_COND_INITIALIZER,
            .progressed = PTHREAD_COND_INITIALIZER};

uint64_t *stream_next = stream.events[0];

static void nap(bool with_end) {
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_nsec += NAP_NS;
    if (end.tv_nsec >= 1000000000) {
        end.tv_nsec -= 1000000000;
        end.tv_sec++;
    }
    pthread_mutex_lock(&stream.lock);
    stream.consumer = with_end ? NAPS_FOR_A_WHILE : SLEEPS;
    if (stream.filled == stream.consumed) {
        if (with_end)
            pthread_cond_clockwait(&stream.arrived, &stream.lock, CLOCK_MONOTONIC, &end);
        else
            pthread_cond_wait(&stream.arrived, &stream.lock);
    }
    stream.consumer = AWAKE;
    pthread_mutex_unlock(&stream.lock);
}

static void *work(void *unused) {
    (void)unused;
    unsigned naps = 0;
    for (;;) {
        uint64_t number = stream.consumed;
        if (stream.filled == number) {
            nap(naps++ < NAPS);
            continue;
        }
        naps = 0;
        const uint64_t *events = stream.events[number % CHUNKS];
        stream.consume(events, events + stream.used[number % CHUNKS]);
        stream.consumed = ++number;
        if (number >= stream.awaited) {
            pthread_mutex_lock(&stream.lock);
            pthread_cond_signal(&stream.progressed);
            pthread_mutex_unlock(&stream.lock);
        }
    }
    return NULL;
}

int stream_start(void (*consume)(const uint64_t *, const uint64_t *)) {
    stream.consume = consume;
    /* Signals are QEMU's. */
    sigset_t all, kept;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &kept);
    int result = pthread_create(&thread, NULL, work, NULL);
    pthread_sigmask(SIG_SETMASK, &kept, NULL);
    if (result == 0)
        pthread_setname_np(thread, "slsuite-model");
    return result == 0 ? 0 : -1;
}

/* Wait until this many chunks have been consumed. */
static void await(uint64_t target) {
    pthread_mutex_lock(&stream.lock);
    stream.awaited = target;
    pthread_cond_signal(&stream.arrived);
    while (stream.consumed < target)
        pthread_cond_wait(&stream.progressed, &stream.lock);
    stream.awaited = NEVER;
    pthread_mutex_unlock(&stream.lock);
}

static void wake(void) {
    pthread_mutex_lock(&stream.lock);
    pthread_cond_signal(&stream.arrived);
    pthread_mutex_unlock(&stream.lock);
}

/* `filled` and `consumer` are written by one thread and read by the other in opposite order, all
 * sequentially consistent: so no chunk is left behind by a consumer that falls asleep. */
void stream_flush(void) {
    uint64_t number = stream.filled;
    stream.used[number % CHUNKS] = (size_t)(stream_next - stream.events[number % CHUNKS]);
    stream.filled = ++number;
    uint64_t behind = number - stream.consumed;
    enum consumer consumer = stream.consumer;
    if (consumer == SLEEPS || (consumer == NAPS_FOR_A_WHILE && behind >= CHUNKS / 2))
        wake();
    if (behind >= CHUNKS)
        await(number - CHUNKS / 2);
    stream_next = stream.events[number % CHUNKS];
}

void stream_drain(void) {
    stream_flush();
    await(stream.filled);
}
