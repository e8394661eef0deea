/* The lines of code that a core executes and the lines of data that it accesses, each once since
 * the beginning. They are what the program does, whatever the caches; only the line size matters.
 */
#ifndef SLS_MODEL_FOOTPRINT_H
#define SLS_MODEL_FOOTPRINT_H

#include "model/stream.h"

enum { FOOTPRINT_CODE, FOOTPRINT_DATA, FOOTPRINT_KINDS };

/* A set of lines, by their numbers (address / line size). */
struct line_group;
enum { LINE_SET_RECENT = 1024 };
struct line_set {
    uint64_t recent[LINE_SET_RECENT]; /* 1 + numbers of lines that are in it, where they fall; 0 */
    struct line_group *groups;        /* all of them, hashed; 64 neighbours each */
    uint64_t slots, used;             /* slots: a power of two */
};

struct footprint {
    struct line_set set[FOOTPRINT_KINDS];
    uint64_t lines[MODEL_MODES]
                  [FOOTPRINT_KINDS]; /* counted by the mode that came first; never cleared */
    unsigned line_shift;
};

/* False when memory is out; footprint_free() is due all the same. */
bool footprint_init(struct footprint *footprint, uint64_t line_size);
void footprint_free(struct footprint *footprint);

/* Forget the lines, not their count. */
void footprint_begin(struct footprint *footprint);

/* Whether it is new. Aborts when memory is out. */
bool line_set_add_slowly(struct line_set *set, uint64_t line);

static inline bool line_set_add(struct line_set *set, uint64_t line) {
    return set->recent[line % LINE_SET_RECENT] != line + 1 && line_set_add_slowly(set, line);
}

/* The core does this. */
static inline void footprint_step(struct footprint *footprint, const struct step *step) {
    const struct segment *segment = step->segment;
    unsigned shift = footprint->line_shift;
    uint64_t *lines = footprint->lines[segment->mode];
    struct line_set *code = &footprint->set[FOOTPRINT_CODE];
    struct line_set *data = &footprint->set[FOOTPRINT_DATA];
    lines[FOOTPRINT_CODE] += line_set_add(code, segment->line >> shift);
    if (segment->spills && step->end == segment->count)
        lines[FOOTPRINT_CODE] += line_set_add(code, (segment->line >> shift) + 1);
    for (unsigned i = 0; i < step->access_count; i++) {
        const struct access *access = &step->accesses[i];
        uint64_t first = access->address >> shift;
        uint64_t last = (access->address + access->size - 1) >> shift;
        if (access->uncached)
            continue;
        lines[FOOTPRINT_DATA] += line_set_add(data, first);
        if (__builtin_expect(last != first, 0))
            lines[FOOTPRINT_DATA] += line_set_add(data, last);
    }
}

#endif
