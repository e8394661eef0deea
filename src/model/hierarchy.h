/* The caches of the machine and what keeps them coherent: per core an L1I and an L1D, one shared
 * LLC, memory. Write-back, write-allocate. A miss fills the LLC and the L1; the LLC does not force
 * lines out of the L1s when it loses them (gem5's "mostly inclusive"); a dirty L1 victim is written
 * into the LLC and allocates there.
 *
 * Coherence among L1s is MESI by snooping. A line is in one of the states
 *   modified (writable, dirty), exclusive (writable), shared (neither), or absent.
 * A store to a line that is not writable takes it from every other L1, L1Is included. A load or
 * fetch that finds it modified elsewhere has it written back to the LLC and shares it. A load that
 * nobody shares gets it writable; if the LLC holds it dirty, dirtiness moves up with it (as in
 * gem5, so that it is not written back twice).
 *
 * Not modelled: an owned state (gem5's MOESI passes dirty lines between L1s, here they go by the
 * LLC), the finite capacity of snoop filters, write buffers, and time: that is the core's. */
#ifndef SLS_MODEL_HIERARCHY_H
#define SLS_MODEL_HIERARCHY_H

#include "model/cache.h"
#include "model/parameters.h"

/* The two L1s of a core. */
enum { INSTRUCTION, DATA, L1S };

enum supplier {
    FROM_L1,
    FROM_LLC,
    FROM_MEMORY,
    /* The line is there, but another L1 may hold it too: the right to write it comes from … */
    UPGRADE_BY_LLC, /* the LLC, which holds the line, */
    UPGRADE_BY_BUS, /* or else the memory bus, where all requests meet. */
    SUPPLIERS,
};

/* How many L1s hold a line that falls into a slot of this table: where none does, no L1 need be
 * asked. Several times as many slots as a few cores' L1s have lines, so that most lines that nobody
 * holds fall into an empty one. */
enum { HOLDER_SLOTS = 16384 };

struct hierarchy {
    unsigned cores;
    uint8_t holders[HOLDER_SLOTS]; /* stays at 255 once there: then the slot is always asked */
    unsigned line_shift;
    struct cache (*l1)[L1S]; /* a pair per core */
    struct cache llc;
    uint64_t *l1_writebacks; /* per core, by L1D victims and snooped L1Ds */
    uint64_t llc_writebacks; /* = writes to memory */
};

/* False when memory is out; hierarchy_free() is due all the same. */
bool hierarchy_init(struct hierarchy *hierarchy, const struct model_parameters *parameters);
void hierarchy_free(struct hierarchy *hierarchy);
void hierarchy_flush(struct hierarchy *hierarchy);

/* Look up one line and bring it in. Who supplied it? */
enum supplier hierarchy_fetch(struct hierarchy *hierarchy, unsigned core, uint64_t address);
enum supplier hierarchy_load(struct hierarchy *hierarchy, unsigned core, uint64_t address);
enum supplier hierarchy_store(struct hierarchy *hierarchy, unsigned core, uint64_t address);

/* The fast path: a load or store of one line that hits in the first way of the L1D and may proceed.
 * Inline for the reason given at cache_first(). False: nothing was done. */
static inline bool hierarchy_access_first(struct hierarchy *hierarchy, unsigned core,
                                          uint64_t address, bool store) {
    uint64_t *line = cache_first(&hierarchy->l1[core][DATA], address);
    if (!line || (store && !(*line & LINE_WRITABLE)))
        return false;
    if (store)
        *line |= LINE_DIRTY;
    return true;
}

#endif
