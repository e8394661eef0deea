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

static struct cache_set set_of(const struct cache *cache, uint64_t address) {
    return set_number(cache, (address >> cache->line_shift) & cache->set_mask);
}

/* Compiled twice where the linker can choose: with the vector compares of processors since 2013,
 * and without. */
#if defined(__x86_64__) && defined(__gnu_linux__)
#define VECTORISED __attribute__((target_clones("avx2", "default")))
#else
#define VECTORISED
#endif

/* Four ways at a time: GNU C vectors, which need no particular processor. */
typedef uint64_t four_ways __attribute__((vector_size(32), aligned(8)));

/* The way that holds the address; the number of ways when none does. All ways are compared without
 * a branch that depends on which one it is: the processor could not predict it. */
static inline unsigned find_way(struct cache_set set, uint64_t address, uint64_t tag_mask) {
    uint64_t tag = address & tag_mask;
    for (unsigned way = 0; way + 4 <= set.ways; way += 4) {
        four_ways lines = *(const four_ways *)&set.lines[way];
        four_ways equal = (four_ways)((lines & tag_mask) == tag) & (four_ways){1, 2, 4, 8};
        uint64_t found = equal[0] | equal[1] | equal[2] | equal[3];
        if (found)
            return way + (unsigned)__builtin_ctzll(found);
    }
    for (unsigned way = set.ways & ~3u; way < set.ways; way++)
        if ((set.lines[way] & tag_mask) == tag)
            return way;
    return set.ways;
}

/* move_to_front() without a loop whose length the processor would have to guess. The word before
 * the first set's first way is ours, too: see cache_init(). */
static inline void use_first(struct cache_set set, unsigned way) {
    if (set.ways % 4) {
        move_to_front(set, way);
        return;
    }
    uint64_t line = set.lines[way];
    for (unsigned low = set.ways; low > 0;) {
        low -= 4;
        four_ways here = *(const four_ways *)&set.lines[low];
        four_ways before = *(const four_ways *)(&set.lines[low] - 1);
        four_ways moves = (four_ways)((four_ways){low, low + 1, low + 2, low + 3} <= way);
        *(four_ways *)&set.lines[low] = (before & moves) | (here & ~moves);
    }
    set.lines[0] = line;
}

VECTORISED uint64_t *cache_use(struct cache *cache, uint64_t address) {
    struct cache_set set = set_of(cache, address);
    unsigned way = find_way(set, address, cache->tag_mask);
    if (way == set.ways)
        return NULL;
    if (cache->policy->hit)
        return &set.lines[cache->policy->hit(set, way)];
    use_first(set, way);
    return set.lines;
}

VECTORISED uint64_t *cache_peek(const struct cache *cache, uint64_t address) {
    struct cache_set set = set_of(cache, address);
    unsigned way = find_way(set, address, cache->tag_mask);
    return way < set.ways ? &set.lines[way] : NULL;
}

VECTORISED uint64_t cache_fill(struct cache *cache, uint64_t address, uint64_t state) {
    struct cache_set set = set_of(cache, address);
    unsigned way = set.ways;
    if (cache->unused)
        way = find_way(set, LINE_NONE, cache->tag_mask);
    if (way < set.ways)
        cache->unused--;
    else
        way = cache->policy->hit ? cache->policy->victim(set) : set.ways - 1;
    uint64_t victim = set.lines[way];
    set.lines[way] = (address & cache->tag_mask) | state;
    if (cache->policy->hit)
        cache->policy->fill(set, way);
    else
        use_first(set, way);
    return victim;
}
