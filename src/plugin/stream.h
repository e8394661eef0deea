/* From the thread that executes to the thread that keeps the clock. The model never decides what is
 * executed, so it may run behind, on another core of the host: events go through chunks in the
 * order they happened, and the results are the same as if the model had been called at once.
 *
 * An event is one word, some with more words behind it. Its low four bits say which. */
#ifndef SLS_PLUGIN_STREAM_H
#define SLS_PLUGIN_STREAM_H

#include <stdbool.h>
#include <stdint.h>

enum event {
    EVENT_BLOCK, /* a block begins: block_word() of segment.h */
    EVENT_LOAD,  /* access_word() */
    EVENT_STORE,
    EVENT_LEADING_LOAD, /* the same, and others are implied by it: implied.h */
    EVENT_LEADING_STORE,
    EVENT_UNCACHED_LOAD, /* the same, but memory-mapped I/O. Instead of the instruction's index: how
                            many of the block's instructions have not started */
    EVENT_UNCACHED_STORE,
    EVENT_PARTIAL,     /* of the block under way these many (<< 4) instructions did not start */
    EVENT_CORE,        /* from now on this core (<< 4) runs; no block is under way */
    EVENT_TRANSLATION, /* of a page that is accessed next: translation_word(). Three more words: its
                          virtual address, its physical address, page table levels of the walk << 8
                          | page shift << 1 | global; then as many words as there are levels */
    EVENT_BESIDE,      /* the last leading access (its instruction's index << 4) implies some in a
                          neighbouring page: translated as the words behind it say, as those of
                          EVENT_TRANSLATION; without a frame, ADDRESS_NOWHERE, there is no page */
    EVENT_CHANGE,      /* the core changes its address space or a translation: in the instruction of
                          the block under way with this index (<< 4) */
    EVENT_MARK,        /* index in the block << 4 | m5 operation << 16; two more words: arguments */
};
#define EVENT_KIND 15

#define STREAM_CHUNK 2048 /* events: 16 kB, some 50 µs of simulation */
#define STREAM_LONGEST 8  /* words of one event */

/* Where the executing thread writes. Chunks are aligned to their size. */
extern uint64_t *stream_next;

/* Start the consuming thread, which calls consume()
 * with events in order, whole ones only. 0 or -1. */
int stream_start(void (*consume)(const uint64_t *events, const uint64_t *end));

/* Hand over what has been written, waiting for room if the consumer is far behind. It may sleep on
 * for a millisecond. */
void stream_flush(void);

/* The same, and wait until all of it has been consumed. */
void stream_drain(void);

/* Room for an event of several words, which the caller writes to *stream_next++. */
static inline void stream_reserve(void) {
    uintptr_t used = (uintptr_t)stream_next / sizeof(uint64_t) % STREAM_CHUNK;
    if (used > STREAM_CHUNK - STREAM_LONGEST - 1)
        stream_flush();
}

/* The lines written were last read by the other thread's processor: they are fetched from there a
 * little ahead of the writing, which would have to wait for them. Called once a block, which writes
 * some three events. (64-bit processors that do not know the instruction take it for a NOP.) */
#define STREAM_AHEAD 24 /* events: three lines; more gain nothing */

static inline void stream_fetch_ahead(void) {
#ifdef __x86_64__
    __asm__ volatile("prefetchw %0" : : "m"(stream_next[STREAM_AHEAD]));
#endif
}

static inline void stream_push(uint64_t event) {
    uint64_t *next = stream_next;
    *next++ = event;
    stream_next = next;
    if (__builtin_expect((uintptr_t)next % (STREAM_CHUNK * sizeof event) == 0, 0))
        stream_flush();
}

/* Accesses: virtual address << 16 | index of the instruction in its block << 7 | log2 of the size
 * << 4 | kind. Index and kind are known when the code is translated, the rest when it runs. */
#define ACCESS_SIZE_SHIFT 4
#define ACCESS_SIZE_MASK (7u << ACCESS_SIZE_SHIFT)

static inline uint64_t access_constant(enum event kind, unsigned index) {
    return (uint64_t)index << 7 | kind;
}
static inline uint64_t access_word(uint64_t constant, uint64_t address, uint64_t size_bits) {
    return address << 16 | size_bits | constant;
}
static inline bool is_memory_access(uint64_t event) {
    return (event & EVENT_KIND) - EVENT_LOAD <= EVENT_LEADING_STORE - EVENT_LOAD;
}
static inline bool is_leading(uint64_t event) {
    return (event & EVENT_KIND) - EVENT_LEADING_LOAD <= EVENT_LEADING_STORE - EVENT_LEADING_LOAD;
}
static inline bool is_store(uint64_t event) { /* of memory accesses */
    return (event & EVENT_KIND) == EVENT_STORE || (event & EVENT_KIND) == EVENT_LEADING_STORE;
}
static inline uint64_t access_address(uint64_t event) {
    return (uint64_t)((int64_t)event >> 16); /* canonical: bit 47 is repeated above */
}
static inline unsigned access_size(uint64_t event) {
    return 1u << ((event & ACCESS_SIZE_MASK) >> ACCESS_SIZE_SHIFT);
}
static inline unsigned access_index(uint64_t event) {
    return event >> 7 & 511;
}

#endif
