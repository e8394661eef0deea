/* What the model is fed, per core and in execution order: steps. A step is a run of instructions
 * that lie in one line of code, executed one after the other, with the data accesses they made. */
#ifndef SLS_MODEL_STREAM_H
#define SLS_MODEL_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "model/instruction.h"

enum model_mode { MODEL_USER, MODEL_KERNEL, MODEL_MODES };

/* How a page is translated: where the page walk reads. Physical addresses. */
#define WALK_LEVELS 4
struct translation {
    uint64_t page;              /* virtual address of the page's first byte */
    uint64_t frame;             /* physical address of the same */
    uint64_t walk[WALK_LEVELS]; /* table entries, root first */
    uint8_t levels;             /* of walk, that are read; 0: not known, translation is free */
    uint8_t page_shift;         /* 12, 21 or 30 */
    bool global;                /* survives a change of the address space */
};

#define SEGMENT_MOST 64 /* instructions of a segment */

/* Static: code as it was translated. */
struct segment_instruction {
    uint8_t offset;  /* bytes from the segment's address */
    uint8_t fetches; /* of fetch_width bytes, that this one and all before it in the segment take */
};
struct segment {
    uint64_t address;                      /* virtual, of the first instruction */
    uint64_t line;                         /* physical, of the first instruction */
    const struct translation *translation; /* of its page; NULL: translation is free */
    const struct instruction *code;        /* one an instruction, and right behind them their
                                              micro-operations: they are read in this order. NULL:
                                              core_model.decodes is false */
    uint32_t region;                       /* whose code it is; 0: nobody's in particular */
    uint32_t stamp;     /* the model's, of the last footprint that it is in whole */
    uint16_t operation; /* SEGMENT_MARK: the m5 operation */
    uint8_t mode;       /* enum model_mode */
    uint8_t kind;       /* enum segment_kind, of the plugin */
    uint8_t spills;     /* the last instruction reaches into the next line, of the same page */
    uint8_t count;      /* instructions, at most SEGMENT_MOST */
    struct segment_instruction instruction[];
};

static inline const struct micro_op *segment_micro_ops(const struct segment *segment) {
    return (const struct micro_op *)(segment->code + segment->count);
}

/* One data access. */
struct access {
    uint64_t address; /* physical */
    uint64_t virtual_address;
    const struct translation *translation; /* NULL: translation is free */
    uint8_t size;                          /* bytes, 1 to 64 */
    uint8_t instruction;                   /* index in the segment of the one that makes it */
    bool store, uncached;                  /* uncached: past the caches, `address` means nothing */
};

struct step {
    const struct segment *segment;
    unsigned first, end; /* of its instructions, those executed: first … end - 1; may be none */
    const struct access *accesses; /* of these and of re-executed ones, in order */
    unsigned access_count;
    const struct segment *next; /* what the core executed afterwards; NULL: not known. (It may still
                                   be on its way from the host's memory: only those read it who
                                   must.) */
};

#endif
