/* The memory system: per core an L1I and an L1D, up to three further levels, private or shared,
 * memory; what keeps them coherent; and how long each access takes. Write-back, write-allocate.
 *
 * Time is the asking core's clock, in cycles. An access is looked up when it is called (tags are
 * up to date at once); its answer comes at a later cycle that depends on the way it went: latencies
 * as gem5's classic memory system composes them, lines still on their way, free MSHRs. Callers need
 * not come in order of time, but nearly so. */
#ifndef SLS_MODEL_HIERARCHY_H
#define SLS_MODEL_HIERARCHY_H

#include "model/cache.h"
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
    UPGRADE_BY_CACHE, /* a shared cache that holds the line, */
    UPGRADE_BY_BUS,   /* or else the memory bus, where all requests meet. */
    SUPPLIERS,
};

struct answer {
    uint64_t ready; /* the cycle when the core has the data, or may write */
    uint8_t supplier; /* enum supplier */
    bool delayed;   /* supplier is FROM_L1, but the line was still arriving: a miss that shares another's fill */
};

struct hierarchy;

/* NULL when memory is out. The parameters must have passed parameters_check(). */
struct hierarchy *hierarchy_new(const struct model_parameters *parameters);
void hierarchy_free(struct hierarchy *hierarchy);
void hierarchy_flush(struct hierarchy *hierarchy); /* forget all lines; counters stay */

/* One line: address .. address + size - 1 lie in it. `pc` is the virtual address of the instruction,
 * for prefetchers. Counts it under `mode`. WALK goes through the L1D as a load, but is counted by
 * itself. */
struct answer hierarchy_access(struct hierarchy *hierarchy, unsigned core, enum model_mode mode,
                               enum access_kind kind, uint64_t address, uint64_t pc, uint64_t now);

#endif
