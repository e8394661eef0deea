/* A translation block seen as segments: runs of instructions whose first bytes lie in one line of
 * code. A mark, a change of address translation and a repeated string instruction each begin a
 * segment of their own, so that what is counted before and after them is exact. Made once when QEMU
 * translates a block. */
#ifndef SLS_PLUGIN_SEGMENT_H
#define SLS_PLUGIN_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

enum segment_kind {
    SEGMENT_PLAIN,
    SEGMENT_MARK,       /* one instruction: a mark, see guest/mark.h */
    SEGMENT_TRANSLATES, /* one instruction that changes address translation: mov to CRn, invlpg,
                           invpcid */
    SEGMENT_REPEATED, /* one string instruction with a rep prefix: QEMU enters it once an iteration
                       */
};

/* Small, and in one piece: every segment that is executed is read from memory, and a program's
 * segments do not fit into the host's caches when they are large. */
struct segment {
    uint64_t address;   /* virtual, of the first instruction */
    uint64_t line;      /* physical, of the first instruction */
    uint16_t operation; /* SEGMENT_MARK: the m5 operation */
    uint8_t mode;       /* enum model_mode */
    uint8_t kind;       /* enum segment_kind */
    uint8_t spills;     /* the last instruction reaches into the next line, of the same page */
    uint8_t count;      /* instructions; at most one for each byte of a line */
    struct segment_instruction {
        uint8_t offset;  /* from `address` */
        uint8_t fetches; /* that this one and all before it in the segment take */
    } instruction[];
};

/* One instruction as the translator shows it. */
struct instruction_view {
    uint64_t virtual_address, physical_address;
    uint8_t size, bytes[15];
};

/* What an instruction is to us; *operation is set for a mark. */
enum segment_kind segment_classify(const struct instruction_view *view, uint16_t *operation);

#define SEGMENT_MOST                                                                               \
    64 /* instructions: a longer run (line sizes above 64 B) becomes two segments */

/* A segment as one word: its address, a multiple of 8 below 2^48, and what the executing thread
 * needs to know of it, so that this thread need not touch it. */
#define SEGMENT_COUNT_SHIFT 48
#define SEGMENT_KERNEL (UINT64_C(1) << 56)  /* mode */
#define SEGMENT_SPECIAL (UINT64_C(1) << 57) /* kind is not SEGMENT_PLAIN */
#define SEGMENT_REPEATS                                                                            \
    (UINT64_C(1) << 58) /* its first instruction has been counted: it starts again */

static inline uint64_t segment_word(const struct segment *segment) {
    return (uint64_t)(uintptr_t)segment | (uint64_t)segment->count << SEGMENT_COUNT_SHIFT |
           (segment->mode == MODEL_KERNEL ? SEGMENT_KERNEL : 0) |
           (segment->kind != SEGMENT_PLAIN ? SEGMENT_SPECIAL : 0);
}

static inline struct segment *segment_of(uint64_t word) {
    return (struct segment *)(uintptr_t)(word & ((UINT64_C(1) << SEGMENT_COUNT_SHIFT) - 8));
}

static inline unsigned segment_count(uint64_t word) {
    return word >> SEGMENT_COUNT_SHIFT & 0xff;
}

/* Make the segment that starts with views[0]; it takes in as many of the `count` views as belong to
 * it (at least one). Lives until segments_clear(). NULL when memory is out. */
struct segment *segment_make(const struct instruction_view *views, size_t count, unsigned line_size,
                             unsigned fetch_width);

/* Free all segments: QEMU has thrown all translated blocks away. */
void segments_clear(void);

#endif
