#include "model/cache.h"

#include <stdlib.h>
#include <string.h>

static struct cache_set set_number(const struct cache *cache, uint64_t number) {
    uint64_t first = number * cache->ways;
    return (struct cache_set){&cache->lines[first], &cache->notes[first], &cache->bits[number],
                              cache->ways};
}

bool cache_init(struct cache *cache, uint64_t size, unsigned ways, uint64_t line_size,
                const struct replacement_policy *policy) {
    uint64_t lines = size / line_size;
    *cache = (struct cache){
        .storage = calloc(lines + 1, sizeof *cache->lines),
        .notes = malloc(lines),
        .bits = malloc(lines / ways * sizeof *cache->bits),
        .first_span = policy->hit ? 0 : line_size,
        .tag_mask = -line_size & (LINE_ARRIVING - 1),
        .set_mask = lines / ways - 1,
        .line_shift = (unsigned)__builtin_ctzll(line_size),
        .ways = ways,
        .in_order_of_use = !policy->hit,
        .policy = policy,
    };
    if (!cache->storage || !cache->notes || !cache->bits)
        return false;
    cache->lines = cache->storage + 1; /* use_first() reads a word before a set */
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
    uint64_t sets = cache->set_mask + 1, lines = sets * cache->ways;
    memset(cache->lines, 0xff, lines * sizeof *cache->lines); /* LINE_NONE */
    memset(cache->notes, 0, lines);
    memset(cache->bits, 0, sets * sizeof *cache->bits);
    for (uint64_t number = 0; cache->policy->start && number < sets; number++)
        cache->policy->start(set_number(cache, number), number);
    cache->unused = lines;
}

void cache_drop(struct cache *cache, uint64_t *line) {
    *line = LINE_NONE;
    cache->unused++;
}

static uint64_t number_of(const struct cache *cache, uint64_t address) {
    return (address >> cache->line_shift) & cache->set_mask;
}

static uint64_t *lines_of(const struct cache *cache, uint64_t address) {
    return &cache->lines[number_of(cache, address) * cache->ways];
}

/* Compiled twice where the linker can choose: with the vector compares of processors since 2013,
 * and without. */
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__)
#define VECTORISED __attribute__((target_clones("avx2", "default")))
#else
#define VECTORISED
#endif

/* Four ways at a time: GNU C vectors, which need no particular processor. */
typedef uint64_t four_ways __attribute__((vector_size(32), aligned(8)));
typedef int64_t four_numbers __attribute__((vector_size(32), aligned(8)));

#define INLINE __attribute__((always_inline)) static inline

/* The way that holds the tag; the number of ways when none does. All ways are compared without a
 * branch that depends on which one it is: the processor could not predict it. */
INLINE unsigned find_among(const uint64_t *lines, unsigned ways, uint64_t tag, uint64_t tag_mask) {
    unsigned fours = ways & ~3u;
    for (unsigned first = 0; first < fours; first += 64) {
        unsigned end = fours - first < 64 ? fours : first + 64;
        four_ways found = {0}, bit = {1, 2, 4, 8};
        for (unsigned way = first; way < end; way += 4, bit <<= 4)
            found |= (four_ways)((*(const four_ways *)&lines[way] & tag_mask) == tag) & bit;
        uint64_t all = (found[0] | found[1]) | (found[2] | found[3]);
        if (all)
            return first + (unsigned)__builtin_ctzll(all);
    }
    for (unsigned way = fours; way < ways; way++)
        if ((lines[way] & tag_mask) == tag)
            return way;
    return ways;
}

INLINE unsigned find_way(const uint64_t *lines, unsigned ways, uint64_t tag, uint64_t tag_mask) {
    switch (ways) { /* usual ones: the compiler then knows the number, and no loop remains */
    case 8:
        return find_among(lines, 8, tag, tag_mask);
    case 16:
        return find_among(lines, 16, tag, tag_mask);
    default:
        return find_among(lines, ways, tag, tag_mask);
    }
}

/* move_to_front() without a loop whose length the processor would have to guess. The word before
 * the first set's first way is ours, too: see cache_init(). */
INLINE void use_first_among(uint64_t *lines, unsigned ways, unsigned way) {
    uint64_t line = lines[way];
    if (ways % 4) {
        for (; way > 0; way--)
            lines[way] = lines[way - 1];
        lines[0] = line;
        return;
    }
    int64_t last = (int64_t)ways - 4;
    four_numbers number = {last, last + 1, last + 2, last + 3};
    for (int64_t low = last; low >= 0; low -= 4, number -= 4) {
        four_ways here = *(const four_ways *)&lines[low];
        four_ways before = *(const four_ways *)(&lines[low] - 1);
        four_ways stays = (four_ways)(number > (int64_t)way);
        *(four_ways *)&lines[low] = (here & stays) | (before & ~stays);
    }
    lines[0] = line;
}

INLINE void use_first(uint64_t *lines, unsigned ways, unsigned way) {
    switch (ways) { /* as above */
    case 8:
        use_first_among(lines, 8, way);
        break;
    case 16:
        use_first_among(lines, 16, way);
        break;
    default:
        use_first_among(lines, ways, way);
    }
}

/* Policies of other kinds stand apart so that the usual one needs no stack frame. */
__attribute__((noinline)) static uint64_t *use_by_policy(struct cache *cache, uint64_t address,
                                                         unsigned way) {
    struct cache_set set = set_number(cache, number_of(cache, address));
    return &set.lines[cache->policy->hit(set, way)];
}

VECTORISED uint64_t *cache_use(struct cache *cache, uint64_t address) {
    uint64_t *lines = lines_of(cache, address);
    unsigned way = find_way(lines, cache->ways, address & cache->tag_mask, cache->tag_mask);
    if (way == cache->ways)
        return NULL;
    if (!cache->in_order_of_use)
        return use_by_policy(cache, address, way);
    use_first(lines, cache->ways, way);
    return lines;
}

VECTORISED uint64_t *cache_peek(const struct cache *cache, uint64_t address) {
    uint64_t *lines = lines_of(cache, address);
    unsigned way = find_way(lines, cache->ways, address & cache->tag_mask, cache->tag_mask);
    return way < cache->ways ? &lines[way] : NULL;
}

/* A way without a line; the number of ways if there is none. */
static inline unsigned find_unused(const struct cache *cache, const uint64_t *lines) {
    if (!cache->unused)
        return cache->ways;
    return find_way(lines, cache->ways, LINE_NONE & cache->tag_mask, cache->tag_mask);
}

__attribute__((noinline)) static uint64_t fill_by_policy(struct cache *cache, uint64_t line,
                                                         unsigned unused_way) {
    struct cache_set set = set_number(cache, number_of(cache, line & cache->tag_mask));
    unsigned way = unused_way < cache->ways ? unused_way : cache->policy->victim(set);
    uint64_t victim = set.lines[way];
    set.lines[way] = line;
    cache->policy->fill(set, way);
    return victim;
}

VECTORISED uint64_t cache_fill(struct cache *cache, uint64_t address, uint64_t state) {
    uint64_t *lines = lines_of(cache, address), line = (address & cache->tag_mask) | state;
    unsigned way = find_unused(cache, lines);
    cache->unused -= way < cache->ways;
    if (!cache->in_order_of_use)
        return fill_by_policy(cache, line, way);
    if (way == cache->ways)
        way--;
    uint64_t victim = lines[way];
    lines[way] = line;
    use_first(lines, cache->ways, way);
    return victim;
}
