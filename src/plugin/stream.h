/* From the thread that executes to the thread that keeps the clock. The model never decides what is
 * executed, so it may run behind, on another core of the host: events go through chunks in the
 * order they happened, and the results are the same as if the model had been called at once.
 *
 * An event is one word; its low three bits say which. */
#ifndef SLS_PLUGIN_STREAM_H
#define SLS_PLUGIN_STREAM_H

#include <stdbool.h>
#include <stdint.h>

enum event {
    EVENT_LOAD,     /* physical address << 12 | log2 of the size << 3 */
    EVENT_STORE,    /* the same */
    EVENT_UNCACHED, /* memory-mapped I/O; bit 3: a store */
    EVENT_SEGMENT,  /* a segment begins: an address that is a multiple of 8, and the flags of
                       segment.h */
    EVENT_PARTIAL,  /* of the segment under way only these many (<< 3) instructions started */
    EVENT_CORE,     /* from now on this core (<< 3) runs; no segment is under way */
    EVENT_MARK,     /* m5 operation << 3; two more words: its arguments */
};
#define EVENT_KIND 7

#define STREAM_CHUNK 4096 /* events: 32 kB, some 100 µs of simulation */

/* Where the executing thread writes: its chunk, and the end of it. */
extern uint64_t *stream_next, *stream_end;

/* Start the consuming thread, which calls consume() with events in order, whole ones only. 0 or -1.
 */
int stream_start(void (*consume)(const uint64_t *events, const uint64_t *end));

/* Hand over what has been written, waiting for room if the consumer is far behind. */
void stream_flush(void);

/* The same, and wait until all of it has been consumed. */
void stream_drain(void);

static inline void stream_push(uint64_t event) {
    *stream_next++ = event;
    if (__builtin_expect(stream_next == stream_end, 0))
        stream_flush();
}

#endif
