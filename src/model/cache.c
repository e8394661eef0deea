#include "model/cache.h"

#include <stdlib.h>

bool cache_init(struct cache *cache, uint64_t size, unsigned ways, uint64_t line_size,
                const struct replacement_policy *policy) {
    uint64_t lines = size / line_size;
    *cache = (struct cache){
        .lines = malloc(lines * sizeof *cache->lines),
        .notes = malloc(lines),
        .first_span = policy->hit ? 0 : line_size,
        .line_size = line_size,
        .set_mask = lines / ways - 1,
        .line_shift = (unsigned)__builtin_ctzll(line_size),
        .ways = ways,
        .policy = policy,
    };
    if (!cache->lines || !cache->notes)
        return false;
    cache_flush(cache);
    return true;
}

void cache_free(struct cache *cache) {
    free(cache->lines);
    free(cache->notes);
    *cache = (struct cache){0};
}

void cache_flush(struct cache *cache) {
    uint64_t lines = (cache->set_mask + 1) * cache->ways;
    for (uint64_t i = 0; i < lines; i++) {
        cache->lines[i] = LINE_NONE;
        cache->notes[i] = 0;
    }
}

static struct cache_set set_of(const struct cache *cache, uint64_t address) {
    uint64_t first = ((address >> cache->line_shift) & cache->set_mask) * cache->ways;
    return (struct cache_set){&cache->lines[first], &cache->notes[first], cache->ways};
}

/* The way that holds the address; the number of ways when none does. */
static unsigned find_way(struct cache_set set, uint64_t address, uint64_t line_size) {
    unsigned way = 0;
    while (way < set.ways && (set.lines[way] ^ address) >= line_size)
        way++;
    return way;
}

uint64_t *cache_use(struct cache *cache, uint64_t address) {
    struct cache_set set = set_of(cache, address);
    unsigned way = find_way(set, address, cache->line_size);
    if (way == set.ways)
        return NULL;
    return &set.lines[cache->policy->hit ? cache->policy->hit(set, way) : move_to_front(set, way)];
}

uint64_t *cache_peek(const struct cache *cache, uint64_t address) {
    struct cache_set set = set_of(cache, address);
    unsigned way = find_way(set, address, cache->line_size);
    return way < set.ways ? &set.lines[way] : NULL;
}

uint64_t cache_fill(struct cache *cache, uint64_t address, uint64_t state) {
    struct cache_set set = set_of(cache, address);
    unsigned way = find_way(set, LINE_NONE, cache->line_size);
    if (way == set.ways)
        way = cache->policy->victim(set);
    uint64_t victim = set.lines[way];
    set.lines[way] = (address & -cache->line_size) | state;
    cache->policy->fill(set, way);
    return victim;
}
