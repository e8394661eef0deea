#include "plugin/translations.h"

#include <stdlib.h>
#include <string.h>

/* An open hash of pointers into blocks, which stay where they are when more is needed. */
#define BLOCK_TRANSLATIONS 256

struct block {
    struct block *next;
    unsigned used;
    struct translation translation[BLOCK_TRANSLATIONS];
};

struct translation_pool {
    struct block *blocks;
    const struct translation **slots; /* NULL: free */
    size_t slot_count, count;         /* a power of two; less than half of it */
};

struct translation_pool *translation_pool_new(void) {
    struct translation_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->slot_count = 1024;
    pool->slots = calloc(pool->slot_count, sizeof(void *));
    if (pool->slots)
        return pool;
    free(pool);
    return NULL;
}

static void free_blocks(struct block *block) {
    while (block) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

void translation_pool_free(struct translation_pool *pool) {
    if (!pool)
        return;
    free_blocks(pool->blocks);
    free(pool->slots);
    free(pool);
}

void translation_pool_clear(struct translation_pool *pool) {
    if (!pool->count)
        return;
    memset(pool->slots, 0, pool->slot_count * sizeof(void *));
    free_blocks(pool->blocks->next); /* most address spaces use few pages before the next change */
    pool->blocks->next = NULL;
    pool->blocks->used = 0;
    pool->count = 0;
}

size_t translation_pool_count(const struct translation_pool *pool) {
    return pool->count;
}

static bool same(const struct translation *a, const struct translation *b) {
    return a->page == b->page && a->frame == b->frame && a->levels == b->levels &&
           a->page_shift == b->page_shift && a->global == b->global &&
           memcmp(a->walk, b->walk, sizeof a->walk[0] * a->levels) == 0;
}

/* Where the translation is, or the free slot where it belongs. */
static const struct translation **find(const struct translation_pool *pool,
                                       const struct translation *translation) {
    uint64_t mixed = (translation->page >> 12) * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t at = mixed >> 40;; at++) {
        const struct translation **slot = &pool->slots[at & (pool->slot_count - 1)];
        if (!*slot || same(*slot, translation))
            return slot;
    }
}

static bool grow(struct translation_pool *pool) {
    const struct translation **old = pool->slots;
    size_t old_count = pool->slot_count;
    pool->slots = calloc(2 * old_count, sizeof(void *));
    if (!pool->slots) {
        pool->slots = old;
        return false;
    }
    pool->slot_count = 2 * old_count;
    for (size_t i = 0; i < old_count; i++)
        if (old[i])
            *find(pool, old[i]) = old[i];
    free(old);
    return true;
}

const struct translation *translation_intern(struct translation_pool *pool,
                                             const struct translation *translation) {
    const struct translation **slot = find(pool, translation);
    if (*slot)
        return *slot;
    if (2 * (pool->count + 1) > pool->slot_count) {
        if (!grow(pool))
            return NULL;
        slot = find(pool, translation);
    }
    if (!pool->blocks || pool->blocks->used == BLOCK_TRANSLATIONS) {
        struct block *block = malloc(sizeof *block);
        if (!block)
            return NULL;
        block->next = pool->blocks;
        block->used = 0;
        pool->blocks = block;
    }
    struct translation *own = &pool->blocks->translation[pool->blocks->used++];
    *own = *translation;
    pool->count++;
    return *slot = own;
}

unsigned translations_write(uint64_t *words, const struct translation *translation,
                            uint64_t address, uint64_t frame) {
    words[0] = address;
    words[1] = frame;
    words[2] = (uint64_t)translation->levels << 8 | (uint64_t)translation->page_shift << 1 |
               translation->global;
    memcpy(words + 3, translation->walk, translation->levels * sizeof words[0]);
    return 3 + translation->levels;
}

unsigned translations_read_page(struct translation_pool *pool, const uint64_t *words,
                                struct page_translation *page) {
    unsigned levels = words[2] >> 8 & 7, shift = words[2] >> 1 & 63;
    page->frame = words[1];
    page->translation = NULL;
    if (!levels)
        return 3;
    uint64_t page_mask = ~(((uint64_t)1 << shift) - 1);
    struct translation translation = {
        .page = words[0] & page_mask,
        .frame = words[1] & page_mask,
        .levels = (uint8_t)levels,
        .page_shift = (uint8_t)shift,
        .global = words[2] & 1,
    };
    memcpy(translation.walk, words + 3, levels * sizeof words[0]);
    page->translation = translation_intern(pool, &translation);
    return 3 + levels;
}

unsigned translations_read(struct translations *translations, const uint64_t *words) {
    return translations_read_page(translations->pool, words,
                                  &translations->entry[address_index(words[0])]);
}
