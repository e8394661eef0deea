/* What pages of data translate to: the consumer's half of the table in address.h. */
#ifndef SLS_PLUGIN_TRANSLATIONS_H
#define SLS_PLUGIN_TRANSLATIONS_H

#include <stdbool.h>

#include "plugin/address.h"

/* Translations, each kept once and where it is until all go. */
struct translation_pool;

/* NULL when memory is out. */
struct translation_pool *translation_pool_new(void);
void translation_pool_free(struct translation_pool *pool);
void translation_pool_clear(struct translation_pool *pool);
size_t translation_pool_count(const struct translation_pool *pool);

/* The pool's translation with this content, put in if need be. NULL when memory is out. */
const struct translation *translation_intern(struct translation_pool *pool,
                                             const struct translation *translation);

struct page_translation {
    uint64_t frame;                        /* physical address of the 4 kB page */
    const struct translation *translation; /* NULL: free */
};

/* One core's. */
struct translations {
    struct page_translation entry[ADDRESS_ENTRIES];
    struct translation_pool *pool; /* of what has been seen since the last change */
};

/* The words behind an EVENT_TRANSLATION: see stream.h. Returns how many. */
unsigned translations_write(uint64_t *words, const struct translation *translation,
                            uint64_t address, uint64_t frame);
/* What they say. Returns how many they were. */
unsigned translations_read_page(struct translation_pool *pool, const uint64_t *words,
                                struct page_translation *page);
/* The same, for all accesses to come. */
unsigned translations_read(struct translations *translations, const uint64_t *words);

/* In this header because every data access needs it. */
static inline uint64_t page_physical(const struct page_translation *page, uint64_t address) {
    return page->frame | (address & (((uint64_t)1 << ADDRESS_PAGE_SHIFT) - 1));
}
static inline uint64_t translations_physical(const struct translations *translations,
                                             uint64_t address) {
    return page_physical(&translations->entry[address_index(address)], address);
}

#endif
