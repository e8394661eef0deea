/* Who else holds a line. */
#include "model/hierarchy_units.h"

/* How many copies of lines that fall into a slot each core's private caches hold: where there is
 * none, the core need not be asked. Several times as many slots as a core has lines, so that most
 * lines that it does not hold fall into an empty one. A count that has reached 255 stays: then the
 * core is always asked. */
static uint8_t *holders(const struct hierarchy *hierarchy, unsigned core, uint64_t address) {
    uint64_t line = address >> hierarchy->line_shift;
    uint64_t slot = (line ^ line >> 14) & (hierarchy->holder_slots - 1);
    return &hierarchy->holders[slot * hierarchy->cores + core];
}

void add_holder(struct hierarchy *hierarchy, const struct cache_unit *unit, uint64_t address) {
    if (unit->shared || !hierarchy->holders)
        return;
    uint8_t *count = holders(hierarchy, unit->core, address);
    *count += *count < UINT8_MAX;
}

void remove_holder(struct hierarchy *hierarchy, const struct cache_unit *unit, uint64_t address) {
    if (unit->shared || !hierarchy->holders)
        return;
    uint8_t *count = holders(hierarchy, unit->core, address);
    *count -= *count < UINT8_MAX;
}

void remove_line(struct hierarchy *hierarchy, struct cache_unit *unit, uint64_t *line) {
    unit->prefetch.useless += (*line & LINE_PREFETCHED) != 0;
    remove_holder(hierarchy, unit, *line & unit->tags.tag_mask);
    cache_drop(&unit->tags, line);
}

/* One private cache is told. Returns the state of its copy before; 0 also if it has none. */
static uint64_t snoop_unit(struct hierarchy *hierarchy, struct cache_unit *unit, uint64_t address,
                           enum snoop snoop, bool *found) {
    uint64_t *line = cache_peek(&unit->tags, address);
    if (!line)
        return 0;
    uint64_t state = *line & (LINE_WRITABLE | LINE_DIRTY);
    *found = true;
    if (snoop == TAKE)
        remove_line(hierarchy, unit, line);
    else
        *line &= ~(LINE_WRITABLE | LINE_DIRTY);
    unit->write_backs += (state & LINE_DIRTY) != 0;
    return state;
}

bool snoop_others(struct hierarchy *hierarchy, unsigned core, struct cache_unit *unit,
                  uint64_t address, enum snoop snoop, uint64_t time) {
    bool found = false;
    uint64_t dirty = 0;
    if (!hierarchy->holders)
        return false;
    for (unsigned other = 0; other < hierarchy->cores; other++) {
        if (other == core || !*holders(hierarchy, other, address))
            continue;
        for (unsigned level = 0; level < hierarchy->private_levels; level++)
            dirty |= snoop_unit(hierarchy, unit_of_core(hierarchy, other, level), address, snoop,
                                &found) &
                     LINE_DIRTY;
    }
    if (dirty)
        pass_down(hierarchy, core, unit, (address & unit->tags.tag_mask) | LINE_DIRTY, time);
    return found && snoop == SHARE;
}

bool snoop_sibling(struct hierarchy *hierarchy, struct cache_unit *l1, uint64_t address,
                   enum snoop snoop, uint64_t time) {
    struct cache_unit *sibling =
        unit_of_core(hierarchy, l1->core, l1->name == CACHE_L1I ? CACHE_L1D : CACHE_L1I);
    bool found = false;
    uint64_t state = snoop_unit(hierarchy, sibling, address, snoop, &found);
    if (state & LINE_DIRTY)
        pass_down(hierarchy, l1->core, l1, (address & l1->tags.tag_mask) | state, time);
    return found && snoop == SHARE;
}

/* Take the line out of this unit. Returns LINE_DIRTY if it was. */
static uint64_t invalidate(struct hierarchy *hierarchy, struct cache_unit *unit, uint64_t address) {
    bool found;
    return snoop_unit(hierarchy, unit, address, TAKE, &found) & LINE_DIRTY;
}

uint64_t back_invalidate(struct hierarchy *hierarchy, const struct cache_unit *unit,
                         uint64_t address) {
    uint64_t dirty = 0;
    if (!unit->shared) {
        for (struct cache_unit *above = unit_of_core(hierarchy, unit->core, 0); above < unit;
             above++)
            dirty |= invalidate(hierarchy, above, address);
        return dirty;
    }
    for (struct cache_unit *above = shared_unit(hierarchy, 0); above < unit; above++)
        dirty |= invalidate(hierarchy, above, address);
    for (unsigned core = 0; core < hierarchy->cores; core++)
        if (!hierarchy->holders || *holders(hierarchy, core, address))
            for (unsigned level = 0; level < hierarchy->private_levels; level++)
                dirty |= invalidate(hierarchy, unit_of_core(hierarchy, core, level), address);
    return dirty;
}
