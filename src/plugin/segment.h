/* A translation block seen as segments (model/stream.h): runs of instructions whose first bytes lie
 * in one line of code. A mark, a change of address translation and a repeated string instruction
 * each are a segment of their own, so that what is counted before and after them is exact. Made
 * once when QEMU translates a block.
 *
 * Not modelled: QEMU shares a block between all virtual addresses at which its page of memory is
 * mapped; a segment has the address for which it was translated first. */
#ifndef SLS_PLUGIN_SEGMENT_H
#define SLS_PLUGIN_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/stream.h"

enum segment_kind {
    SEGMENT_PLAIN,
    SEGMENT_MARK,       /* one instruction: a mark, see common/mark.h */
    SEGMENT_TRANSLATES, /* one instruction that changes address translation: mov to CRn, invlpg,
                           invpcid */
    SEGMENT_REPEATED,   /* one string instruction with a rep prefix: QEMU enters a block that begins
                           with it once an iteration */
};

#define BLOCK_MOST 512 /* QEMU's TCG_MAX_INSNS */

/* Segments lie one behind another after this head: what is executed is read from memory, and a
 * program's blocks do not fit into the host's caches when they are large. */
struct block {
    uint16_t instructions;
    uint16_t segments;
    uint32_t implied_at; /* bytes from here */
};

/* What it accesses without a callback: the last one's index is IMPLIED_NONE. See implied.h. */
struct implied_access {
    uint16_t index;   /* of the instruction in its block */
    uint16_t leader;  /* that of its leader */
    int16_t distance; /* from the leader's address, in bytes */
    uint8_t size;     /* bytes */
    bool store;
};
#define IMPLIED_NONE UINT16_MAX

static inline const struct implied_access *block_implied(const struct block *block) {
    return (const struct implied_access *)((const char *)block + block->implied_at);
}

static inline const struct segment *block_first(const struct block *block) {
    return (const struct segment *)(block + 1);
}

/* Bytes of a segment of so many instructions; segments start at multiples of 8. */
static inline size_t segment_size(unsigned count) {
    size_t size =
        offsetof(struct segment, instruction) + count * sizeof(struct segment_instruction);
    return (size + 7) & ~(size_t)7;
}

/* The next one of its block, if there is one. */
static inline const struct segment *segment_behind(const struct segment *segment) {
    return (const struct segment *)((const char *)segment + segment_size(segment->count));
}

/* What an instruction is to us. */
#define NOT_CR3 255
struct instruction_traits {
    uint8_t kind; /* enum segment_kind */
    /* It touches no memory and raises nothing: when it has started, the one behind it will. */
    bool stays;
    uint8_t cr3_source; /* mov to CR3: the general register it reads (0: rax … 15: r15) */
    uint16_t operation; /* SEGMENT_MARK: the m5 operation */
};

/* One instruction as the translator shows it. */
struct instruction_view {
    uint64_t virtual_address, physical_address;
    const struct translation *translation; /* of its page, or NULL */
    struct instruction_traits traits;      /* of instruction_classify() */
    uint8_t size, bytes[15];
};

void instruction_classify(struct instruction_view *view);

/* A block as one word: its address, a multiple of 16 below 2^48, and how many of its instructions
 * are left when the first one that does not stay has started. */
#define BLOCK_LEFT_SHIFT 48

static inline uint64_t block_word(const struct block *block, unsigned left) {
    return (uint64_t)(uintptr_t)block | (uint64_t)left << BLOCK_LEFT_SHIFT;
}
static inline const struct block *block_of(uint64_t word) {
    return (const struct block *)(uintptr_t)(word & ((UINT64_C(1) << BLOCK_LEFT_SHIFT) - 1));
}

/* The instructions of a block that cannot have started while execution is at the first one from
 * `index` on that does not stay. */
unsigned block_left(const struct instruction_view *views, size_t count, size_t index);

struct segment_options {
    unsigned line_size, fetch_width;
    bool decode; /* fill struct segment.code */
    const struct regions *regions;
};

/* Implied accesses are copied. Lives until blocks_clear(). NULL when memory is out. */
const struct block *block_make(const struct instruction_view *views, size_t count,
                               const struct implied_access *implied, size_t implied_count,
                               const struct segment_options *options);

/* Free all blocks: QEMU has thrown all translated code away. */
void blocks_clear(void);

#endif
