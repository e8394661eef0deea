/* Address translation of one core: L1 TLBs for instructions and data, a second level for both, and
 * page walks whose reads go through the caches. */
#ifndef SLS_MODEL_MMU_H
#define SLS_MODEL_MMU_H

#include "model/hierarchy.h"

struct mmu;

/* NULL when memory is out, or when the parameters say that translation is free (then *ideal). */
struct mmu *mmu_new(const struct model_parameters *parameters, unsigned core,
                    struct hierarchy *hierarchy, bool *ideal);
void mmu_free(struct mmu *mmu);

/* When the physical address is known: `now` if an L1 TLB (FETCH: the ITLB; LOAD, STORE: the DTLB)
 * holds the page. *walked (may be NULL): a page walk was needed. */
uint64_t mmu_translate(struct mmu *mmu, enum model_mode mode, enum access_kind kind,
                       const struct translation *translation, uint64_t now, bool *walked);

/* The core changed its address space, or one translation: all entries, or all but the global ones,
 * go. */
void mmu_flush(struct mmu *mmu, bool global_too);

#endif
