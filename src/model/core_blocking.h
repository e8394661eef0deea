/* A core that executes one instruction at a time and waits for every fetch and access, as gem5's
 * TimingSimpleCPU: execution itself takes no time; its clock is the sum of what the caches took. So
 * nothing is added up as it runs: accesses are counted by what they were and who supplied them, and
 * the cycles follow when they are asked for.
 *
 * An L1 hit is part of every fetch and access. A miss goes down the path that core_blocking.c
 * composes.
 *
 * Not modelled: TLB misses and page walks, waiting for busy buses (write-backs and the other core's
 * misses pass unnoticed), a hit on a line still arriving, interrupt entry, division or other long
 * operations, MSHR limits (at most two misses are ever under way). */
#ifndef SLS_MODEL_CORE_BLOCKING_H
#define SLS_MODEL_CORE_BLOCKING_H

#include "model/hierarchy.h"
#include "model/model.h"

enum access { FETCH, LOAD, STORE, ACCESSES };

struct core_counts {
    uint64_t instructions;
    uint64_t accesses[ACCESSES];            /* of lines; all of them */
    uint64_t supplied[ACCESSES][SUPPLIERS]; /* those that did not end in the L1 */
    uint64_t uncached;                      /* loads and stores past the caches */
    uint64_t overlapped;                    /* cycles that the halves of split accesses shared */
};

/* What an access takes in cycles, by who supplies the line. */
struct core_timing {
    uint64_t latency[ACCESSES][SUPPLIERS];
};

struct core {
    struct core_counts counts[MODEL_MODES];
};

void core_timing_init(struct core_timing *timing, const struct model_parameters *parameters);
/* The cycles that these counts took. */
uint64_t core_cycles(const struct core_timing *timing, const struct core_counts *counts);

#endif
