/* The tags of one set-associative cache.
 *
 * Ways are found by digests: a byte of each line's address, eight of them in a word and compared at
 * once. What they find is compared in full. The order of use of up to 16 ways is a word, so lines
 * stay where they are. Of more ways the lines themselves stand in the order of use, and the word
 * stays 0.
 *
 * Not modelled: data, ports, banks, sectors, set hashing (the set is the address modulo the number
 * of sets). */
#ifndef SLS_MODEL_CACHE_H
#define SLS_MODEL_CACHE_H

#include <endian.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "model/inlining.h"
#include "model/replacement.h"

/* A line is its address, with its state in the low bits that the line size leaves free … */
#define LINE_WRITABLE UINT64_C(1) /* nobody above or beside holds it: a store need not ask */
#define LINE_DIRTY UINT64_C(2)    /* newer than what is below */
/* … and in the highest bits, which no physical address has, what the next use must look after: a
 * line so marked is not found by cache_first(). */
#define LINE_FRESH (UINT64_C(1) << 61)      /* of data: its next use counts, see footprint.h */
#define LINE_ARRIVING (UINT64_C(1) << 62)   /* its fill was under way when last seen */
#define LINE_PREFETCHED (UINT64_C(1) << 63) /* nobody has used it yet */
#define LINE_NONE UINT64_MAX                /* an unused way */

enum { CACHE_ORDER_MOST = 16 }; /* ways whose order a word holds */

struct cache {
    uint64_t *first;     /* the lines of the first set; the next set's are `stride` words further */
    uint64_t *storage;   /* what was allocated for them */
    uint8_t *notes;      /* the policy's: one a line, */
    uint64_t *bits;      /* one a set */
    uint64_t first_span; /* line size; 0 when the policy must be told of every hit */
    uint64_t tag_mask;   /* of a line: its address */
    uint64_t set_mask, stride;
    uint64_t order_mask; /* the bits of a word of order that are in use; 0: none of them is */
    uint64_t unused; /* ways without a line, in all sets; kept only for a policy that has hit() */
    uint64_t digest_mask; /* the highest bit of each way's place in the first word of digests */
    unsigned line_shift, ways, digest_words;
    bool in_order_of_use; /* that is all the policy there is: the cache does it itself */
    const struct replacement_policy *policy;
};

/* The geometry must be one that parameters_check() lets pass. False when memory is out;
 * cache_free() is due all the same. */
bool cache_init(struct cache *cache, uint64_t size, unsigned ways, uint64_t line_size,
                const struct replacement_policy *policy);
void cache_free(struct cache *cache);
void cache_flush(struct cache *cache);

static inline uint64_t cache_set_of(const struct cache *cache, uint64_t address) {
    return (address >> cache->line_shift) & cache->set_mask;
}

/* The lines of a set, a word a way. In front of them stand their digests, a byte a way and some to
 * spare, and then the order of use: its ways, the last used lowest, four bits each. */
static inline uint64_t *cache_lines(const struct cache *cache, uint64_t set) {
    return cache->first + set * cache->stride;
}

static inline uint64_t *cache_order(uint64_t *lines) {
    return lines - 1;
}

static inline uint8_t *cache_digests(const struct cache *cache, uint64_t *lines) {
    return (uint8_t *)(lines - 1 - cache->digest_words);
}

/* The line last used among those of this address's set, or an unused way (policies other than LRU:
 * any way). */
static inline uint64_t *cache_last_used(const struct cache *cache, uint64_t address) {
    uint64_t *lines = cache_lines(cache, cache_set_of(cache, address));
    return &lines[*cache_order(lines) & 15];
}

/* The line if it is the one last used in its set and unmarked, else NULL: then ask cache_use(). In
 * this header because most accesses of a simulated program end here: one xor and one compare, where
 * a call would cost more. */
static inline uint64_t *cache_first(const struct cache *cache, uint64_t address) {
    uint64_t *line = cache_last_used(cache, address);
    return (*line ^ address) < cache->first_span ? line : NULL;
}

/* Seven bits, so that cache_find() needs no carry kept from one byte to the next. */
static inline uint8_t cache_digest(uint64_t tag) {
    return (uint8_t)(tag * UINT64_C(0x9e3779b97f4a7c15) >> 57);
}

#define CACHE_EACH_BYTE UINT64_C(0x0101010101010101)
#define CACHE_EACH_FOUR UINT64_C(0x1111111111111111)
#define CACHE_NO_WAY UINT_MAX

/* The bytes of a word that are equal to those of another leave the highest bit of their places;
 * rarely a higher one does, too, that is not. (So may one that is to spare.) */
static inline uint64_t cache_equal_digests(const uint8_t *digests, uint64_t sought) {
    uint64_t word;
    memcpy(&word, digests, sizeof word);
    return (le64toh(word) ^ sought) - CACHE_EACH_BYTE;
}

/* cache.c: the same as cache_find(), from way 8 on. */
unsigned cache_find_further(const struct cache *cache, uint64_t *lines, uint64_t tag);

/* The way of these that holds the line with this tag;
 * CACHE_NO_WAY: none. `plain`: see cache_is_plain(). */
static inline unsigned cache_find(const struct cache *cache, uint64_t *lines, uint64_t tag,
                                  bool plain) {
    const uint8_t *digests = plain ? (uint8_t *)(lines - 2) : cache_digests(cache, lines);
    uint64_t equal = cache_equal_digests(digests, cache_digest(tag) * CACHE_EACH_BYTE);
    for (equal &= cache->digest_mask; equal; equal &= equal - 1) {
        unsigned way = (unsigned)__builtin_ctzll(equal) / 8;
        if ((lines[way] & cache->tag_mask) == tag)
            return way;
    }
    return !plain && cache->ways > 8 ? cache_find_further(cache, lines, tag) : CACHE_NO_WAY;
}

/* The bits of a word of order as far as this way's. (As in cache_find(): the lowest of the bits
 * found is the right one.) */
static inline uint64_t cache_order_as_far_as(uint64_t order, unsigned way) {
    uint64_t word = order ^ way * CACHE_EACH_FOUR;
    uint64_t equal = (word - CACHE_EACH_FOUR) & ~word & CACHE_EACH_FOUR << 3;
    return equal ^ (equal - 1);
}

/* Whether the cache is of the usual kind, for which the compiler may leave out the others' code. */
static inline bool cache_is_plain(const struct cache *cache) {
    return cache->order_mask && cache->ways <= 8;
}

/* For what is below: policies of other kinds, and many ways. */
uint64_t *cache_use_slowly(struct cache *cache, uint64_t set, unsigned way);
unsigned cache_choose_slowly(struct cache *cache, uint64_t set);
void cache_tell_of_fill(struct cache *cache, uint64_t set, unsigned way);

INLINE uint64_t *cache_use_as(struct cache *cache, uint64_t address, bool plain) {
    uint64_t set = cache_set_of(cache, address), *lines = cache_lines(cache, set);
    unsigned way = cache_find(cache, lines, address & cache->tag_mask, plain);
    if (way == CACHE_NO_WAY)
        return NULL;
    if (!plain && !cache->order_mask)
        return cache_use_slowly(cache, set, way);
    uint64_t *order = cache_order(lines), changed = cache_order_as_far_as(*order, way);
    *order = (*order & ~changed) | ((*order << 4 | way) & changed);
    return &lines[way];
}

/* Look up and count as a use. The line stays where it is until the next use, fill or drop in its
 * set. NULL: a miss. */
static inline uint64_t *cache_use(struct cache *cache, uint64_t address) {
    return cache_use_as(cache, address, false);
}

/* Look up without a use, as a snoop does. */
static inline uint64_t *cache_peek(const struct cache *cache, uint64_t address) {
    uint64_t *lines = cache_lines(cache, cache_set_of(cache, address));
    unsigned way = cache_find(cache, lines, address & cache->tag_mask, false);
    return way == CACHE_NO_WAY ? NULL : &lines[way];
}

/* The way for a new line, which becomes the first. In order of use, unused ways are last. */
static inline unsigned cache_choose(struct cache *cache, uint64_t set) {
    if (__builtin_expect(!cache->order_mask, 0))
        return cache_choose_slowly(cache, set);
    uint64_t *order = cache_order(cache_lines(cache, set)), way = *order >> 4 * (cache->ways - 1);
    *order = (*order << 4 | way) & cache->order_mask;
    return (unsigned)way;
}

/* Put in a line that is not there, in this state. Returns the line that had to go (with its state)
 * or LINE_NONE. */
static inline uint64_t cache_fill(struct cache *cache, uint64_t address, uint64_t state) {
    uint64_t set = cache_set_of(cache, address), tag = address & cache->tag_mask;
    uint64_t *lines = cache_lines(cache, set);
    unsigned way = cache_choose(cache, set);
    uint64_t victim = lines[way];
    lines[way] = tag | state;
    cache_digests(cache, lines)[way] = cache_digest(tag);
    if (__builtin_expect(!cache->in_order_of_use, 0))
        cache_tell_of_fill(cache, set, way);
    return victim;
}

/* Take a line out that cache_peek() or cache_use() found. Moves lines of its set at most from
 * higher ways to lower ones. */
void cache_drop(struct cache *cache, uint64_t *line);

#endif
