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

struct segment {
    uint64_t line;  /* physical address of the first instruction */
    uint64_t spill; /* physical address of the next line when the last instruction reaches into it,
                       else 0 */
    enum model_mode mode;
    enum segment_kind kind;
    uint16_t operation; /* SEGMENT_MARK: the m5 operation */
    uint16_t count;     /* instructions */
    struct segment_instruction {
        uint64_t address; /* virtual */
        uint32_t fetches; /* that this one and all before it in the segment take */
    } instruction[];
};

/* One instruction as the translator shows it. */
struct instruction_view {
    uint64_t virtual_address, physical_address;
    uint8_t size, bytes[15];
};

/* What an instruction is to us; *operation is set for a mark. */
enum segment_kind segment_classify(const struct instruction_view *view, uint16_t *operation);

/* Make the segment that starts with views[0]; it takes in as many of the `count` views as belong to
 * it (at least one). Lives until segments_clear(). NULL when memory is out. */
struct segment *segment_make(const struct instruction_view *views, size_t count, unsigned line_size,
                             unsigned fetch_width);

/* Free all segments: QEMU has thrown all translated blocks away. */
void segments_clear(void);

#endif
