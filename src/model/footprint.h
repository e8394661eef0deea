/* The lines of code that a core executes and the lines of data that
 * it accesses, each once since the beginning. They are what the
 * program does, whatever the caches; only the line size matters. */
#ifndef SLS_MODEL_FOOTPRINT_H
#define SLS_MODEL_FOOTPRINT_H

#include "model/stream.h"

enum { FOOTPRINT_CODE, FOOTPRINT_DATA, FOOTPRINT_KINDS };

/* A set of lines, by their numbers (address / line size). */
struct line_group;
struct line_set {
    struct line_group *groups; /* hashed; 64 neighbours each */
    struct line_group *last;   /* the one that a line was put into last, or any */
    uint64_t slots, used;      /* slots: a power of two */
};

struct footprint {
    struct line_set set[FOOTPRINT_KINDS];
    uint64_t lines[MODEL_MODES]
                  [FOOTPRINT_KINDS]; /* counted by the mode that came first; never cleared */
    unsigned line_shift;
    uint32_t stamp, stamps; /* of segments that are in it; by how much it moves at each begin */
};

/* Of core `number` of `count`. False when memory is out; footprint_free() is due all the same. */
bool footprint_init(struct footprint *footprint, uint64_t line_size, unsigned number,
                    unsigned count);
void footprint_free(struct footprint *footprint);

/* Forget the lines, not their count. */
void footprint_begin(struct footprint *footprint);

/* Whether it is new. Aborts when memory is out. */
bool line_set_add(struct line_set *set, uint64_t line);

/* The core uses this line of data: said at its first
 * use since the beginning, perhaps again later. */
void footprint_use_data(struct footprint *footprint, enum model_mode mode, uint64_t address);

/* footprint.c: of a segment that does not bear the stamp. */
void footprint_add_code(struct footprint *footprint, const struct step *step);

/* The core does this step. */
static inline void footprint_use_code(struct footprint *footprint, const struct step *step) {
    if (step->segment->stamp != footprint->stamp)
        footprint_add_code(footprint, step);
}

#endif
