/* Address translation of one core: L1 TLBs for instructions and data, a second level for both, and
 * page walks whose reads go through the caches. Pages have the guest's real size; all sizes share a
 * TLB, each indexed by its own page number. LRU.
 *
 * A hit in an L1 TLB takes no time: it is looked up with the L1 cache. A miss takes the second
 * level's latency; if it misses too, the table entries are read through the L1D one after the
 * other, from the root, or from below the deepest one in the walk cache (entries of upper table
 * levels, as Intel's paging-structure caches).
 *
 * Not modelled: prefetch of translations, faults, walks by several
 * walkers at a time (but an out-of-order core may have several under
 * way), nested paging, address-space identifiers (the core flushes). */
#ifndef SLS_MODEL_MMU_H
#define SLS_MODEL_MMU_H

#include "model/hierarchy.h"

struct tlb_counts {
    uint64_t accesses, misses;
};

struct mmu_counts { /* of one mode */
    struct tlb_counts itlb, dtlb, stlb;
    uint64_t walks;
    uint64_t walk_reads;  /* table entries read */
    uint64_t walk_cycles; /* from a walk's first read to its last answer; of all walks */
};

struct mmu;

/* NULL when memory is out, or when the parameters say that translation is free (then *ideal). */
struct mmu *mmu_new(const struct model_parameters *parameters, unsigned core,
                    struct hierarchy *hierarchy, bool *ideal);
void mmu_free(struct mmu *mmu);

/* When the physical address is known: `now` if an L1 TLB (FETCH: the ITLB; LOAD, STORE: the DTLB)
 * holds the page. */
uint64_t mmu_translate(struct mmu *mmu, enum model_mode mode, enum access_kind kind,
                       const struct translation *translation, uint64_t now);

/* The core changed its address space, or one translation: all entries, or all but the global ones,
 * go. The walk cache goes in either case. */
void mmu_flush(struct mmu *mmu, bool global_too);

const struct mmu_counts *mmu_counts(const struct mmu *mmu, enum model_mode mode);

/* For what is below only: the translation that was used last in each set of an L1 TLB; sets share a
 * slot if there are more of them than slots. */
enum { MMU_SLOTS = 16 };
struct mmu_front {
    const struct translation *last[L1S][MMU_SLOTS];
    uint64_t slot_mask[L1S];
    struct mmu_counts counts[MODEL_MODES];
};

/* Whether the page is the one that was used last in its set of the L1 TLB, or needs no translation:
 * then the address is known at once, and mmu_count_hit() is due. */
static inline bool mmu_knows(const struct mmu *mmu, enum access_kind kind,
                             const struct translation *translation) {
    const struct mmu_front *front = (const struct mmu_front *)mmu;
    unsigned which = kind == FETCH ? INSTRUCTION : DATA;
    if (!translation || !translation->levels)
        return true;
    uint64_t number = translation->page >> translation->page_shift;
    return front->last[which][number & front->slot_mask[which]] == translation;
}

static inline void mmu_count_hit(struct mmu *mmu, enum model_mode mode, enum access_kind kind,
                                 const struct translation *translation) {
    struct mmu_counts *counts = &((struct mmu_front *)mmu)->counts[mode];
    if (translation && translation->levels)
        (kind == FETCH ? &counts->itlb : &counts->dtlb)->accesses++;
}

/* Both. False: nothing was done. */
static inline bool mmu_hit(struct mmu *mmu, enum model_mode mode, enum access_kind kind,
                           const struct translation *translation) {
    if (!mmu_knows(mmu, kind, translation))
        return false;
    mmu_count_hit(mmu, mode, kind, translation);
    return true;
}

#endif
