/* Who else holds a line. */
#include "model/hierarchy_units.h"

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

uint64_t snoop_core(struct hierarchy *hierarchy, unsigned other, uint64_t address, enum snoop snoop,
                    bool *found) {
    uint64_t state = 0;
    struct cache_unit *unit = unit_of_core(hierarchy, other, 0);
    for (struct cache_unit *end = unit + hierarchy->private_levels; unit < end; unit++)
        state |= snoop_unit(hierarchy, unit, address, snoop, found);
    return state & LINE_DIRTY;
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
        if (holders_of(hierarchy, address)[core])
            for (unsigned level = 0; level < hierarchy->private_levels; level++)
                dirty |= invalidate(hierarchy, unit_of_core(hierarchy, core, level), address);
    return dirty;
}
