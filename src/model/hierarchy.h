/* The memory system: per core an L1I and an L1D, up to three further levels, private or shared,
 * memory; what keeps them coherent; and how long each access takes. Write-back, write-allocate.
 *
 * Time is the asking core's clock, in cycles. An access is looked up when it is called (tags are
 * up to date at once); its answer comes at a later cycle that depends on the way it went: latencies
 * as gem5's classic memory system composes them, lines still on their way, free MSHRs and write
 * buffers, memory. Callers need not come in order of time, but nearly so.
 *
 * Levels. A miss fills every level on its way, except exclusive ones. "mostly_inclusive": the level
 * does not force lines out of those above when it loses them. "inclusive": it does. "exclusive": a
 * victim cache: filled by what the levels above give up, clean or dirty; a line that is read goes
 * up and leaves it (a modified one stays if the reader may not write). A level below a shared one
 * is shared.
 *
 * Coherence is MESI by snooping where the cores' private caches end. A private line is modified
 * (writable, dirty), exclusive (writable), shared (neither) or absent; writable also means that the
 * other L1 of the core, if not another level, is without it. A store to a line that is not writable
 * takes it from all other private caches, L1Is included. A load or fetch that finds it modified
 * elsewhere has it written back to the first shared level (or memory) and shares it. A load that
 * nobody shares gets it writable; if a level below holds it dirty, dirtiness moves up with it (as
 * in gem5, so that it is not written back twice).
 *
 * Not modelled: contention between cores (each has the MSHRs and write buffers of a shared cache to
 * itself, and a line that another core's miss brings is there at once: two cores' clocks cannot be
 * compared); bandwidth of buses and cache ports; transfers from cache to cache past the shared
 * level, and so an owned state; the finite capacity of snoop filters; that a line may be lost again
 * before it has arrived; that one found to have arrived may be asked for from before then; that a
 * store waits for a right to write that an earlier store has asked for. */
#ifndef SLS_MODEL_HIERARCHY_H
#define SLS_MODEL_HIERARCHY_H

#include "model/cache.h"
#include "model/dram.h"
#include "model/flush.h"
#include "model/footprint.h"
#include "model/parameters.h"
#include "model/stream.h"

/* The two L1s of a core. */
enum { INSTRUCTION, DATA, L1S };

enum access_kind { FETCH, LOAD, STORE, WALK, PREFETCH, ACCESS_KINDS };

/* Who had the line. */
enum supplier {
    FROM_L1,
    FROM_L2,
    FROM_L3,
    FROM_LLC,
    FROM_MEMORY,
    /* The line is there, but another core may hold it too: the right to write it comes from … */
    UPGRADE_BY_CACHE, /* a cache: a shared one that holds the line, a private one that may write, */
    UPGRADE_BY_BUS,   /* or else the memory bus, where all requests meet. */
    SUPPLIERS,
};

struct answer {
    uint64_t ready; /* the cycle when the core has the data, or may write */
    /* (Bit fields that fill a word, so that compilers put them together in a register.) */
    uint64_t origin : 8;   /* enum supplier: as below, unless the line was still arriving there:
                              then where it comes from, and what is waited for */
    uint64_t supplier : 8; /* enum supplier: the first cache that had the line, or memory */
    uint64_t delayed : 48; /* supplier is FROM_L1, but the line was still arriving: a miss that
                              shares another's fill */
};

/* What a core asked its L1s for, in one mode. The L1I's are FETCH, the L1D's the other three. */
struct access_counts {
    uint64_t accesses[ACCESS_KINDS];
    uint64_t delayed[ACCESS_KINDS];             /* misses that share another's fill */
    uint64_t supplied[ACCESS_KINDS][SUPPLIERS]; /* fills and upgrades; FROM_L1: not counted */
};

/* What came to a cache beyond the L1s from one core for one kind of access. Upgrades of lines that
 * an L1 holds are not among them, as in gem5. */
struct level_counts {
    uint64_t accesses, misses, fills; /* fills: misses that share no other's fill */
};

struct prefetch_counts {
    uint64_t issued;  /* lines */
    uint64_t useful;  /* used later */
    uint64_t late;    /* of these, first asked for while they were still arriving */
    uint64_t useless; /* lost without use */
    uint64_t dropped; /* for want of a free MSHR */
};

/* What a core has before it: its L1s and their counters. */
struct front {
    struct cache *l1[L1S]; /* tags of the units */
    struct hierarchy *hierarchy;
    uint64_t marks; /* of the lines it asks for, while they are under way: LINE_ARRIVING, or 0 if
                       the core waits for each answer before it asks again */
    struct footprint *footprint; /* hears of each first use of a line of data; or NULL */
    unsigned core;
    struct access_counts counts[MODEL_MODES];
};

struct cache_unit;

struct hierarchy {
    struct front *front;                /* per core */
    uint64_t hit_latency[ACCESS_KINDS]; /* of L1 hits */
    uint64_t uncached_latency; /* cycles of an access past the caches: as far as memory, at rest */
    unsigned cores, line_shift;
    unsigned private_levels;  /* units of a core: L1I, L1D and levels of its own */
    struct cache_unit *units; /* cores × private_levels, then the shared ones */
    unsigned shared_levels;   /* from the cores to memory */
    uint8_t *holders;         /* see hierarchy_units.h */
    uint64_t holder_slots;    /* a power of two */
    struct dram dram;
};

/* NULL when memory is out. The parameters must have passed parameters_check(). */
struct hierarchy *hierarchy_new(const struct model_parameters *parameters);
void hierarchy_free(struct hierarchy *hierarchy);

/* The caches of these parts are as if they were new, but for their counters; see model_flush(). The
 * parameters must be those that the hierarchy was made of. */
void hierarchy_flush(struct hierarchy *hierarchy, unsigned parts,
                     const struct model_parameters *parameters);

/* From now on the footprint hears of each line of data when the core first uses it: all that the
 * L1D holds are fresh. NULL: none does any more. */
void hierarchy_set_footprint(struct hierarchy *hierarchy, unsigned core,
                             struct footprint *footprint);

/* One line: address .. address + size - 1 lie in it. `pc` is the virtual address of the
 * instruction, for prefetchers. Counts it under `mode`. WALK goes through the L1D as a load, but is
 * counted by itself. PREFETCH is for the hierarchy's own use. */
struct answer front_access(struct front *front, enum model_mode mode, enum access_kind kind,
                           uint64_t address, uint64_t pc, uint64_t now);

static inline struct answer hierarchy_access(struct hierarchy *hierarchy, unsigned core,
                                             enum model_mode mode, enum access_kind kind,
                                             uint64_t address, uint64_t pc, uint64_t now) {
    return front_access(&hierarchy->front[core], mode, kind, address, pc, now);
}

/* The fast path: the same for an access to the line last used in its set of the L1, if it finds
 * nothing to wait for and nobody to tell. Then its answer is ready at now + hit_latency[kind].
 * Inline for the reason given at cache_first(). `l1` and `counts`: of the front. False: nothing was
 * done or counted, front_access() is due. */
static inline bool front_hit(struct cache *l1, struct access_counts *counts, enum access_kind kind,
                             uint64_t address) {
    /* Loads and stores take the same way: which of them comes next, no processor can foresee. */
    uint64_t *line = cache_last_used(l1, address);
    uint64_t differs = *line ^ address, stores = kind == STORE;
    if ((differs >= l1->first_span) | (stores * LINE_WRITABLE & ~*line))
        return false;
    *line |= stores * LINE_DIRTY;
    counts->accesses[kind]++;
    return true;
}

static inline bool hierarchy_hit(struct hierarchy *hierarchy, unsigned core, enum model_mode mode,
                                 enum access_kind kind, uint64_t address) {
    struct front *front = &hierarchy->front[core];
    return front_hit(front->l1[kind == FETCH ? INSTRUCTION : DATA], &front->counts[mode], kind,
                     address);
}

/* The counters. gem5's names: fills are its overallMshrMisses, misses its overallMisses; both
 * include upgrades (stores to a line that was there, but not writable). */
static inline uint64_t access_fills(const struct access_counts *counts, enum access_kind kind) {
    uint64_t fills = 0;
    for (unsigned supplier = FROM_L1 + 1; supplier < SUPPLIERS; supplier++)
        fills += counts->supplied[kind][supplier];
    return fills;
}

static inline uint64_t access_misses(const struct access_counts *counts, enum access_kind kind) {
    return access_fills(counts, kind) + counts->delayed[kind];
}

/* … of the L1D: loads and stores. */
static inline uint64_t data_misses(const struct access_counts *counts) {
    return access_misses(counts, LOAD) + access_misses(counts, STORE);
}

/* Lines that came from memory: this core's misses in the last-level cache. */
static inline uint64_t memory_fills(const struct access_counts *counts) {
    uint64_t fills = 0;
    for (unsigned kind = 0; kind < ACCESS_KINDS; kind++)
        fills += counts->supplied[kind][FROM_MEMORY];
    return fills;
}

const struct access_counts *hierarchy_counts(const struct hierarchy *hierarchy, unsigned core,
                                             enum model_mode mode);

/* Which cache: an L1, or a level that is present; a shared one is the same for every core. */
enum cache_name { CACHE_L1I, CACHE_L1D, CACHE_L2, CACHE_L3, CACHE_LLC, CACHE_NAMES };

struct cache_figures {
    bool shared;
    /* What this core asked for, not for L1s. Kinds: FETCH, LOAD (stores included), WALK, PREFETCH
     * (those from caches above). */
    struct level_counts counts[ACCESS_KINDS];
    /* Of the whole cache: */
    uint64_t write_backs; /* dirty lines it gave to the next level or memory */
    struct prefetch_counts prefetch;
};

/* False: the machine has no such cache. */
bool hierarchy_figures(const struct hierarchy *hierarchy, unsigned core, enum cache_name name,
                       struct cache_figures *figures);
const struct dram_counts *hierarchy_dram_counts(const struct hierarchy *hierarchy);

#endif
