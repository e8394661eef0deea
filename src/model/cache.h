/* The tags of one set-associative cache.
 *
 * Not modelled: data, ports, banks, sectors, set hashing (the set is the address modulo the number
 * of sets). */
#ifndef SLS_MODEL_CACHE_H
#define SLS_MODEL_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/replacement.h"

/* A line is its address, with its state in the low bits that the line size leaves free … */
#define LINE_WRITABLE UINT64_C(1) /* nobody above or beside holds it: a store need not ask */
#define LINE_DIRTY UINT64_C(2)    /* newer than what is below */
/* … and in the highest bits, which no physical address has, what the next use must look after: a
 * line so marked is not found by cache_first(). */
#define LINE_ARRIVING (UINT64_C(1) << 62)   /* its fill was under way when last seen */
#define LINE_PREFETCHED (UINT64_C(1) << 63) /* nobody has used it yet */
#define LINE_NONE UINT64_MAX                /* an unused way */

struct cache {
    uint64_t *lines;     /* sets × ways */
    uint64_t *storage;   /* what was allocated for them */
    uint8_t *notes;      /* the policy's: one a line, */
    uint64_t *bits;      /* one a set */
    uint64_t first_span; /* line size; 0 when the policy must be told of every hit */
    uint64_t tag_mask;   /* of a line: its address */
    uint64_t set_mask;
    uint64_t unused; /* ways without a line, in all sets */
    unsigned line_shift, ways;
    bool in_order_of_use; /* the ways of a set; that is all the policy there is */
    const struct replacement_policy *policy;
};

/* The geometry must be one that parameters_check() lets pass. False when memory is out;
 * cache_free() is due all the same. */
bool cache_init(struct cache *cache, uint64_t size, unsigned ways, uint64_t line_size,
                const struct replacement_policy *policy);
void cache_free(struct cache *cache);
void cache_flush(struct cache *cache);

/* The line if way 0 holds it unmarked, else NULL: then ask cache_use(). In this header because most
 * accesses of a simulated program end here: one xor and one compare, where a call would cost more.
 */
static inline uint64_t *cache_first(const struct cache *cache, uint64_t address) {
    uint64_t set = (address >> cache->line_shift) & cache->set_mask;
    uint64_t *first = &cache->lines[set * cache->ways];
    return (*first ^ address) < cache->first_span ? first : NULL;
}

/* Look up and count as a use. The line stays where it is until the next use or fill in its set.
 * NULL: a miss. */
uint64_t *cache_use(struct cache *cache, uint64_t address);

/* Look up without a use, as a snoop does. */
uint64_t *cache_peek(const struct cache *cache, uint64_t address);

/* Take a line out that cache_peek() or cache_use() found. */
void cache_drop(struct cache *cache, uint64_t *line);

/* Put in a line that is not there, in this state. Returns the line that had to go (with its state)
 * or LINE_NONE. */
uint64_t cache_fill(struct cache *cache, uint64_t address, uint64_t state);

#endif
