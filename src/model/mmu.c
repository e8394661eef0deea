#include "model/mmu.h"

#include <stdlib.h>
#include <string.h>

/* A TLB is kept as the tags of a cache, whose lines are page numbers. */
enum { KEY_SHIFT = 6, KEY_SIZE = 1 << KEY_SHIFT };
#define KEY_GLOBAL UINT64_C(1) /* in a key's low bits: survives a change of the address space */

struct mmu {
    struct mmu_front front; /* first: see mmu_knows() */
    struct hierarchy *hierarchy;
    struct cache l1[L1S], stlb, walk_cache;
    bool has_stlb, has_walk_cache;
    unsigned core;
    uint64_t stlb_latency; /* cycles */
};

/* A page's number, told apart by its size: pages of 4 kB, 2 MB and 1 GB may have the same. */
static uint64_t key_of(const struct translation *translation) {
    uint64_t size = (translation->page_shift - 12u) / 9;
    return (translation->page >> translation->page_shift) << KEY_SHIFT | size << 58;
}

/* A table entry's address, of eight-byte entries. */
static uint64_t walk_key(uint64_t entry) {
    return entry >> 3 << KEY_SHIFT;
}

static bool init_tlb(struct cache *tlb, uint64_t entries, uint64_t associativity) {
    return cache_init(tlb, entries * KEY_SIZE, (unsigned)associativity, KEY_SIZE,
                      replacement_find("lru"));
}

static uint64_t slot_mask(const struct cache *tlb) {
    return tlb->set_mask < MMU_SLOTS ? tlb->set_mask : MMU_SLOTS - 1;
}

static bool init(struct mmu *mmu, const struct mmu_parameters *parameters) {
    mmu->has_stlb = parameters->stlb.entries > 0;
    mmu->has_walk_cache = parameters->walk_cache > 0;
    mmu->stlb_latency = mmu->has_stlb ? parameters->stlb.latency : 0;
    return init_tlb(&mmu->l1[INSTRUCTION], parameters->itlb.entries,
                    parameters->itlb.associativity) &&
           init_tlb(&mmu->l1[DATA], parameters->dtlb.entries, parameters->dtlb.associativity) &&
           (!mmu->has_stlb ||
            init_tlb(&mmu->stlb, parameters->stlb.entries, parameters->stlb.associativity)) &&
           (!mmu->has_walk_cache ||
            init_tlb(&mmu->walk_cache, parameters->walk_cache, parameters->walk_cache));
}

struct mmu *mmu_new(const struct model_parameters *parameters, unsigned core,
                    struct hierarchy *hierarchy, bool *ideal) {
    *ideal = strcmp(parameters->mmu.model, "ideal") == 0;
    if (*ideal)
        return NULL;
    struct mmu *mmu = calloc(1, sizeof *mmu);
    if (!mmu)
        return NULL;
    mmu->hierarchy = hierarchy;
    mmu->core = core;
    if (!init(mmu, &parameters->mmu)) {
        mmu_free(mmu);
        return NULL;
    }
    for (unsigned which = 0; which < L1S; which++)
        mmu->front.slot_mask[which] = slot_mask(&mmu->l1[which]);
    return mmu;
}

void mmu_free(struct mmu *mmu) {
    if (!mmu)
        return;
    cache_free(&mmu->l1[INSTRUCTION]);
    cache_free(&mmu->l1[DATA]);
    cache_free(&mmu->stlb);
    cache_free(&mmu->walk_cache);
    free(mmu);
}

/* The first table level that must be read: the one below the deepest in the walk cache. */
static unsigned first_level(struct mmu *mmu, const struct translation *translation) {
    unsigned level = translation->levels - 1u;
    if (!mmu->has_walk_cache)
        return 0;
    while (level > 0 && !cache_use(&mmu->walk_cache, walk_key(translation->walk[level - 1])))
        level--;
    return level;
}

static uint64_t walk(struct mmu *mmu, enum model_mode mode, const struct translation *translation,
                     uint64_t now) {
    struct mmu_counts *counts = &mmu->front.counts[mode];
    unsigned first = first_level(mmu, translation);
    uint64_t time = now;
    for (unsigned level = first; level < translation->levels; level++) {
        uint64_t entry = translation->walk[level];
        bool upper = level + 1u < translation->levels;
        time = hierarchy_access(mmu->hierarchy, mmu->core, mode, WALK, entry, 0, time).ready;
        if (upper && mmu->has_walk_cache)
            cache_fill(&mmu->walk_cache, walk_key(entry), 0);
    }
    counts->walks++;
    counts->walk_reads += translation->levels - first;
    counts->walk_cycles += time - now;
    return time;
}

uint64_t mmu_translate(struct mmu *mmu, enum model_mode mode, enum access_kind kind,
                       const struct translation *translation, uint64_t now) {
    unsigned which = kind == FETCH ? INSTRUCTION : DATA;
    struct mmu_counts *counts = &mmu->front.counts[mode];
    struct tlb_counts *l1 = which == INSTRUCTION ? &counts->itlb : &counts->dtlb;
    if (!translation || !translation->levels)
        return now;
    uint64_t key = key_of(translation), global = translation->global ? KEY_GLOBAL : 0;
    uint64_t slot = (translation->page >> translation->page_shift) & mmu->front.slot_mask[which];
    mmu->front.last[which][slot] = translation;
    l1->accesses++;
    if (cache_first(&mmu->l1[which], key) || cache_use(&mmu->l1[which], key))
        return now;
    l1->misses++;
    cache_fill(&mmu->l1[which], key, global);
    if (mmu->has_stlb) {
        now += mmu->stlb_latency;
        counts->stlb.accesses++;
        if (cache_use(&mmu->stlb, key))
            return now;
        counts->stlb.misses++;
        cache_fill(&mmu->stlb, key, global);
    }
    return walk(mmu, mode, translation, now);
}

static void flush_tlb(struct cache *tlb, bool global_too) {
    if (global_too) {
        cache_flush(tlb);
        return;
    }
    for (uint64_t set = 0; set <= tlb->set_mask; set++)
        for (unsigned way = tlb->ways; way-- > 0;) { /* from the last: see cache_drop() */
            uint64_t *entry = &cache_lines(tlb, set)[way];
            if (*entry != LINE_NONE && !(*entry & KEY_GLOBAL))
                cache_drop(tlb, entry);
        }
}

void mmu_flush(struct mmu *mmu, bool global_too) {
    memset(mmu->front.last, 0, sizeof mmu->front.last);
    flush_tlb(&mmu->l1[INSTRUCTION], global_too);
    flush_tlb(&mmu->l1[DATA], global_too);
    if (mmu->has_stlb)
        flush_tlb(&mmu->stlb, global_too);
    if (mmu->has_walk_cache)
        cache_flush(&mmu->walk_cache);
}

const struct mmu_counts *mmu_counts(const struct mmu *mmu, enum model_mode mode) {
    return &mmu->front.counts[mode];
}
