#include "model/footprint.h"

#include <stdlib.h>
#include <string.h>

#include "model/inlining.h"

enum { SLOTS_AT_FIRST = 1024, GROUP_SHIFT = 6 };

struct line_group {
    uint64_t number; /* of its first line / 64 */
    uint64_t lines;  /* a bit each; 0: an unused slot */
};

static bool init_set(struct line_set *set) {
    set->slots = SLOTS_AT_FIRST;
    set->last = set->groups = calloc(set->slots, sizeof *set->groups);
    return set->groups;
}

bool footprint_init(struct footprint *footprint, uint64_t line_size, unsigned number,
                    unsigned count) {
    *footprint = (struct footprint){
        .line_shift = (unsigned)__builtin_ctzll(line_size), .stamp = number, .stamps = count};
    return init_set(&footprint->set[FOOTPRINT_CODE]) && init_set(&footprint->set[FOOTPRINT_DATA]);
}

void footprint_free(struct footprint *footprint) {
    for (unsigned kind = 0; kind < FOOTPRINT_KINDS; kind++)
        free(footprint->set[kind].groups);
}

void footprint_begin(struct footprint *footprint) {
    for (struct line_set *set = footprint->set; set < footprint->set + FOOTPRINT_KINDS; set++) {
        memset(set->groups, 0, set->slots * sizeof *set->groups);
        set->used = 0;
    }
    footprint->stamp += footprint->stamps; /* no other core's; a segment's first one is 0 */
}

/* The group with this number, or the unused slot where it belongs. */
static struct line_group *find(const struct line_set *set, uint64_t number) {
    uint64_t slot = number * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    struct line_group *group;
    do
        group = &set->groups[slot++ & (set->slots - 1)];
    while (group->lines && group->number != number);
    return group;
}

static void grow(struct line_set *set) {
    struct line_group *old = set->groups, *end = old + set->slots;
    set->slots *= 2;
    set->groups = calloc(set->slots, sizeof *set->groups);
    if (!set->groups)
        abort();
    for (struct line_group *group = old; group < end; group++)
        if (group->lines)
            *find(set, group->number) = *group;
    free(old);
}

bool line_set_add(struct line_set *set, uint64_t line) {
    uint64_t number = line >> GROUP_SHIFT, bit = UINT64_C(1) << (line & 63);
    struct line_group *group = set->last;
    if (group->number != number || !group->lines)
        group = set->last = find(set, number);
    if (group->lines & bit)
        return false;
    if (!group->lines && 2 * ++set->used > set->slots) {
        grow(set);
        group = set->last = find(set, number);
    }
    group->number = number;
    group->lines |= bit;
    return true;
}

void footprint_use_data(struct footprint *footprint, enum model_mode mode, uint64_t address) {
    footprint->lines[mode][FOOTPRINT_DATA] +=
        line_set_add(&footprint->set[FOOTPRINT_DATA], address >> footprint->line_shift);
}

NOT_INLINE void footprint_add_code(struct footprint *footprint, const struct step *step) {
    struct segment *segment = (struct segment *)step->segment; /* the stamp is ours */
    uint64_t line = segment->line >> footprint->line_shift;
    uint64_t *lines = &footprint->lines[segment->mode][FOOTPRINT_CODE];
    struct line_set *set = &footprint->set[FOOTPRINT_CODE];
    bool whole = step->end == segment->count;
    *lines += line_set_add(set, line);
    if (segment->spills && whole)
        *lines += line_set_add(set, line + 1);
    if (whole)
        segment->stamp = footprint->stamp;
}
