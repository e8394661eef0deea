#include "model/cache.h"

#include <stdlib.h>
#include <string.h>

static struct cache_set set_number(const struct cache *cache, uint64_t number) {
    return (struct cache_set){cache_lines(cache, number), &cache->notes[number * cache->ways],
                              &cache->bits[number], cache->ways};
}

bool cache_init(struct cache *cache, uint64_t size, unsigned ways, uint64_t line_size,
                const struct replacement_policy *policy) {
    uint64_t lines = size / line_size, sets = lines / ways;
    unsigned digest_words = (ways + 7) / 8;
    *cache = (struct cache){
        .notes = malloc(lines),
        .bits = malloc(sets * sizeof *cache->bits),
        .first_span = policy->hit ? 0 : line_size,
        .tag_mask = -line_size & (LINE_FRESH - 1),
        .set_mask = sets - 1,
        .stride = digest_words + 1 + ways,
        .order_mask = !policy->hit && ways <= CACHE_ORDER_MOST ? UINT64_MAX >> (64 - 4 * ways) : 0,
        .digest_mask = CACHE_EACH_BYTE << 7 >> (ways < 8 ? 64 - 8 * ways : 0),
        .line_shift = (unsigned)__builtin_ctzll(line_size),
        .ways = ways,
        .digest_words = digest_words,
        .in_order_of_use = !policy->hit,
        .policy = policy,
    };
    cache->storage = calloc(sets * cache->stride, sizeof *cache->storage);
    if (!cache->storage || !cache->notes || !cache->bits)
        return false;
    cache->first = cache->storage + digest_words + 1;
    cache_flush(cache);
    return true;
}

void cache_free(struct cache *cache) {
    free(cache->storage);
    free(cache->notes);
    free(cache->bits);
    *cache = (struct cache){0};
}

void cache_flush(struct cache *cache) {
    uint64_t sets = cache->set_mask + 1, ways = cache->ways;
    memset(cache->notes, 0, sets * ways);
    memset(cache->bits, 0, sets * sizeof *cache->bits);
    for (uint64_t set = 0; set < sets; set++) {
        uint64_t *lines = cache_lines(cache, set);
        memset(lines, 0xff, ways * sizeof *lines); /* LINE_NONE */
        *cache_order(lines) = UINT64_C(0xfedcba9876543210) & cache->order_mask;
        if (cache->policy->start)
            cache->policy->start(set_number(cache, set), set);
    }
    cache->unused = sets * ways;
}

unsigned cache_find_further(const struct cache *cache, uint64_t *lines, uint64_t tag) {
    const uint64_t sought = cache_digest(tag) * CACHE_EACH_BYTE;
    const uint8_t *digests = cache_digests(cache, lines);
    for (unsigned first = 8; first < cache->ways; first += 8) {
        uint64_t equal = cache_equal_digests(digests + first, sought) & CACHE_EACH_BYTE << 7;
        for (; equal; equal &= equal - 1) {
            unsigned way = first + (unsigned)__builtin_ctzll(equal) / 8;
            if (way < cache->ways && (lines[way] & cache->tag_mask) == tag)
                return way;
        }
    }
    return CACHE_NO_WAY;
}

/* In a set with more than CACHE_ORDER_MOST ways: this one comes first. */
static uint64_t *move_first(struct cache *cache, uint64_t set, unsigned way) {
    uint64_t *lines = cache_lines(cache, set), line = lines[way];
    uint8_t *digests = cache_digests(cache, lines), digest = digests[way];
    memmove(lines + 1, lines, way * sizeof *lines);
    memmove(digests + 1, digests, way);
    lines[0] = line;
    digests[0] = digest;
    return lines;
}

uint64_t *cache_use_slowly(struct cache *cache, uint64_t set, unsigned way) {
    if (cache->in_order_of_use)
        return move_first(cache, set, way);
    cache->policy->hit(set_number(cache, set), way);
    return &cache_lines(cache, set)[way];
}

void cache_drop(struct cache *cache, uint64_t *line) {
    uint64_t set = (uint64_t)(line - cache->first) / cache->stride;
    uint64_t *lines = cache_lines(cache, set);
    unsigned way = (unsigned)(line - lines), last = cache->ways - 1;
    *line = LINE_NONE;
    if (!cache->in_order_of_use) {
        cache->unused++;
    } else if (cache->order_mask) { /* it becomes the one used longest ago */
        uint64_t *order = cache_order(lines), kept = cache_order_as_far_as(*order, way) >> 4;
        *order = (*order & kept) | (*order >> 4 & ~kept) | (uint64_t)way << 4 * last;
    } else {
        uint8_t *digest = cache_digests(cache, lines) + way;
        memmove(line, line + 1, (last - way) * sizeof *line);
        memmove(digest, digest + 1, last - way);
        lines[last] = LINE_NONE;
    }
}

/* One without a line if there is any. */
unsigned cache_choose_slowly(struct cache *cache, uint64_t set) {
    const uint64_t *lines = cache_lines(cache, set);
    if (cache->in_order_of_use) {
        move_first(cache, set, cache->ways - 1);
        return 0;
    }
    for (unsigned way = 0; cache->unused && way < cache->ways; way++)
        if (lines[way] == LINE_NONE) {
            cache->unused--;
            return way;
        }
    return cache->policy->victim(set_number(cache, set));
}

void cache_tell_of_fill(struct cache *cache, uint64_t set, unsigned way) {
    cache->policy->fill(set_number(cache, set), way);
}
