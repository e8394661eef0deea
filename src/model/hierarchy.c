#include "model/hierarchy.h"

#include <stdlib.h>
#include <string.h>

static bool init_cache(struct cache *cache, const struct cache_parameters *parameters,
                       uint64_t line_size) {
    return cache_init(cache, parameters->size, (unsigned)parameters->associativity, line_size,
                      replacement_find(parameters->replacement));
}

bool hierarchy_init(struct hierarchy *hierarchy, const struct model_parameters *parameters) {
    unsigned cores = (unsigned)parameters->cores;
    uint64_t line_size = parameters->line_size;
    *hierarchy = (struct hierarchy){
        .cores = cores,
        .line_shift = (unsigned)__builtin_ctzll(line_size),
        .l1 = calloc(cores, sizeof *hierarchy->l1),
        .l1_writebacks = calloc(cores, sizeof *hierarchy->l1_writebacks),
    };
    if (!hierarchy->l1 || !hierarchy->l1_writebacks)
        return false;
    for (unsigned core = 0; core < cores; core++)
        if (!init_cache(&hierarchy->l1[core][INSTRUCTION], &parameters->l1i, line_size) ||
            !init_cache(&hierarchy->l1[core][DATA], &parameters->l1d, line_size))
            return false;
    return init_cache(&hierarchy->llc, &parameters->llc, line_size);
}

void hierarchy_free(struct hierarchy *hierarchy) {
    for (unsigned core = 0; hierarchy->l1 && core < hierarchy->cores; core++) {
        cache_free(&hierarchy->l1[core][INSTRUCTION]);
        cache_free(&hierarchy->l1[core][DATA]);
    }
    cache_free(&hierarchy->llc);
    free(hierarchy->l1);
    free(hierarchy->l1_writebacks);
}

void hierarchy_flush(struct hierarchy *hierarchy) {
    for (unsigned core = 0; core < hierarchy->cores; core++) {
        cache_flush(&hierarchy->l1[core][INSTRUCTION]);
        cache_flush(&hierarchy->l1[core][DATA]);
    }
    cache_flush(&hierarchy->llc);
    memset(hierarchy->holders, 0, sizeof hierarchy->holders);
}

static uint8_t *holders(struct hierarchy *hierarchy, uint64_t address) {
    uint64_t line = address >> hierarchy->line_shift;
    return &hierarchy->holders[(line ^ line >> 14) % HOLDER_SLOTS];
}

static void add_holder(struct hierarchy *hierarchy, uint64_t address) {
    uint8_t *count = holders(hierarchy, address);
    *count += *count < UINT8_MAX;
}

static void remove_holder(struct hierarchy *hierarchy, uint64_t address) {
    uint8_t *count = holders(hierarchy, address);
    *count -= *count < UINT8_MAX;
}

static void fill_llc(struct hierarchy *hierarchy, uint64_t address, uint64_t state) {
    uint64_t victim = cache_fill(&hierarchy->llc, address, state);
    if (victim != LINE_NONE && victim & LINE_DIRTY)
        hierarchy->llc_writebacks++;
}

/* A dirty line leaves an L1D: the LLC takes it, allocating if need be. */
static void write_back(struct hierarchy *hierarchy, unsigned core, uint64_t line) {
    hierarchy->l1_writebacks[core]++;
    uint64_t *below = cache_use(&hierarchy->llc, line);
    if (below)
        *below |= LINE_DIRTY;
    else
        fill_llc(hierarchy, line, LINE_DIRTY);
}

enum snoop { SHARE, TAKE };

/* Tell every L1 but the asker that the line is wanted, to share or to own. Returns whether one
 * keeps a copy. Takes time in proportion to the number of cores: fine for a few, a directory would
 * pay for many. */
static bool snoop_peers(struct hierarchy *hierarchy, unsigned core, unsigned l1, uint64_t address,
                        enum snoop snoop) {
    bool shared = false;
    if (!*holders(hierarchy, address))
        return false;
    for (unsigned peer = 0; peer < hierarchy->cores * L1S; peer++) {
        if (peer == core * L1S + l1)
            continue;
        uint64_t *line = cache_peek(&hierarchy->l1[peer / L1S][peer % L1S], address);
        if (!line)
            continue;
        /* taken: the new owner's copy is the dirty one, the LLC need not see it */
        if (snoop == SHARE && *line & LINE_DIRTY)
            write_back(hierarchy, peer / L1S, *line);
        if (snoop == SHARE) {
            *line &= ~(LINE_WRITABLE | LINE_DIRTY);
            shared = true;
        } else {
            cache_drop(&hierarchy->l1[peer / L1S][peer % L1S], line);
            remove_holder(hierarchy, address);
        }
    }
    return shared;
}

static void fill_l1(struct hierarchy *hierarchy, unsigned core, unsigned l1, uint64_t address,
                    uint64_t state) {
    uint64_t victim = cache_fill(&hierarchy->l1[core][l1], address, state);
    add_holder(hierarchy, address);
    if (victim == LINE_NONE)
        return;
    remove_holder(hierarchy, victim);
    if (victim & LINE_DIRTY)
        write_back(hierarchy, core, victim);
}

/* The line that missed in an L1, from the LLC or memory. */
static enum supplier bring_in(struct hierarchy *hierarchy, unsigned core, unsigned l1,
                              uint64_t address, uint64_t state) {
    uint64_t *line = cache_use(&hierarchy->llc, address);
    enum supplier supplier = line ? FROM_LLC : FROM_MEMORY;
    if (!line) {
        fill_llc(hierarchy, address, 0);
    } else if (state & LINE_WRITABLE) {
        state |= *line & LINE_DIRTY;
        *line &= ~LINE_DIRTY;
    }
    fill_l1(hierarchy, core, l1, address, state);
    return supplier;
}

enum supplier hierarchy_fetch(struct hierarchy *hierarchy, unsigned core, uint64_t address) {
    if (cache_use(&hierarchy->l1[core][INSTRUCTION], address))
        return FROM_L1;
    snoop_peers(hierarchy, core, INSTRUCTION, address, SHARE);
    return bring_in(hierarchy, core, INSTRUCTION, address, 0);
}

enum supplier hierarchy_load(struct hierarchy *hierarchy, unsigned core, uint64_t address) {
    if (cache_use(&hierarchy->l1[core][DATA], address))
        return FROM_L1;
    bool shared = snoop_peers(hierarchy, core, DATA, address, SHARE);
    return bring_in(hierarchy, core, DATA, address, shared ? 0 : LINE_WRITABLE);
}

enum supplier hierarchy_store(struct hierarchy *hierarchy, unsigned core, uint64_t address) {
    uint64_t *line = cache_use(&hierarchy->l1[core][DATA], address);
    if (line && *line & LINE_WRITABLE) {
        *line |= LINE_DIRTY;
        return FROM_L1;
    }
    snoop_peers(hierarchy, core, DATA, address, TAKE);
    if (!line)
        return bring_in(hierarchy, core, DATA, address, LINE_WRITABLE | LINE_DIRTY);
    *line |= LINE_WRITABLE | LINE_DIRTY;
    return cache_use(&hierarchy->llc, address) ? UPGRADE_BY_LLC : UPGRADE_BY_BUS;
}
