/* Tags and replacement policies against simulators that do the same in the plainest way. */
#include "machine.h"

enum { SETS_MOST = 64, WAYS_MOST = 72 };

/* A cache as a textbook draws it. */
struct naive {
    uint64_t line[SETS_MOST][WAYS_MOST];                          /* plus 1; 0: none */
    uint64_t time[SETS_MOST][WAYS_MOST];                          /* lru: of the last use */
    unsigned interval[SETS_MOST][WAYS_MOST];                      /* srrip: predicted */
    bool right_is_older[SETS_MOST][WAYS_MOST + 1][WAYS_MOST + 1]; /* plru: of each range of ways */
    uint64_t now, hits, evictions;
    unsigned sets, ways;
};

typedef void naive_touch(struct naive *naive, unsigned set, unsigned way, bool fill);
typedef unsigned naive_victim(struct naive *naive, unsigned set);

static void lru_touch(struct naive *naive, unsigned set, unsigned way, bool fill) {
    naive->time[set][way] = ++naive->now;
}

static unsigned lru_victim(struct naive *naive, unsigned set) {
    unsigned oldest = 0;
    for (unsigned way = 1; way < naive->ways; way++)
        if (naive->time[set][way] < naive->time[set][oldest])
            oldest = way;
    return oldest;
}

static void plru_range(struct naive *naive, unsigned set, unsigned way, unsigned low,
                       unsigned high) {
    unsigned middle = (low + high) / 2;
    if (high - low == 1)
        return;
    naive->right_is_older[set][low][high] = way < middle;
    if (way < middle)
        plru_range(naive, set, way, low, middle);
    else
        plru_range(naive, set, way, middle, high);
}

static void plru_touch(struct naive *naive, unsigned set, unsigned way, bool fill) {
    plru_range(naive, set, way, 0, naive->ways);
}

static unsigned plru_victim(struct naive *naive, unsigned set) {
    unsigned low = 0, high = naive->ways;
    while (high - low > 1) {
        unsigned middle = (low + high) / 2;
        if (naive->right_is_older[set][low][high])
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void srrip_touch(struct naive *naive, unsigned set, unsigned way, bool fill) {
    naive->interval[set][way] = fill ? 2 : 0;
}

static unsigned srrip_victim(struct naive *naive, unsigned set) {
    for (;;) {
        for (unsigned way = 0; way < naive->ways; way++)
            if (naive->interval[set][way] == 3)
                return way;
        for (unsigned way = 0; way < naive->ways; way++)
            naive->interval[set][way]++;
    }
}

static bool naive_use(struct naive *naive, uint64_t address, naive_touch *touch,
                      naive_victim *victim) {
    unsigned set = (unsigned)(address / 64 % naive->sets), way = 0;
    uint64_t line = address / 64 + 1;
    for (; way < naive->ways && naive->line[set][way] != line; way++)
        ;
    if (way < naive->ways) {
        touch(naive, set, way, false);
        naive->hits++;
        return true;
    }
    for (way = 0; way < naive->ways && naive->line[set][way]; way++)
        ;
    if (way == naive->ways) {
        way = victim(naive, set);
        naive->evictions++;
    }
    naive->line[set][way] = line;
    touch(naive, set, way, true);
    return false;
}

static void against_naive(const struct replacement_policy *policy, unsigned sets, unsigned ways,
                          uint64_t seed, naive_touch *touch, naive_victim *victim) {
    struct naive *naive = calloc(1, sizeof *naive);
    struct cache cache;
    uint64_t hits = 0, evictions = 0;
    assert_non_null(naive);
    naive->sets = sets, naive->ways = ways;
    assert_true(cache_init(&cache, (uint64_t)sets * ways * 64, ways, 64, policy));
    for (int i = 0; i < 200000; i++) {
        uint64_t address = next_random(&seed) % ((uint64_t)sets * ways * 64 * 3 / 2);
        bool hit = cache_first(&cache, address) || cache_use(&cache, address);
        assert_int_equal(hit, naive_use(naive, address, touch, victim));
        hits += hit;
        if (!hit)
            evictions += cache_fill(&cache, address, 0) != LINE_NONE;
    }
    assert_int_equal(hits, naive->hits);
    assert_int_equal(evictions, naive->evictions);
    assert_true(evictions > 10000 && hits > 10000);
    cache_free(&cache);
    free(naive);
}

static void test_policies(void **state) {
    static const struct {
        const char *name;
        naive_touch *touch;
        naive_victim *victim;
    } policies[] = {{"lru", lru_touch, lru_victim},
                    {"plru", plru_touch, plru_victim},
                    {"srrip", srrip_touch, srrip_victim}};
    static const struct {
        unsigned sets, ways;
    } shapes[] = {{1, 8}, {32, 8}, {64, 1}, {16, 3}, {4, 16}, {8, 12}, {2, 5}, {2, 64}, {1, 72}};
    for (size_t p = 0; p < sizeof policies / sizeof policies[0]; p++)
        for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
            if (policies[p].touch != plru_touch ||
                shapes[s].ways <= 64) /* see replacement_plru.c */
                against_naive(replacement_find(policies[p].name), shapes[s].sets, shapes[s].ways,
                              1 + 10 * p + s, policies[p].touch, policies[p].victim);
}

/* A policy that keeps its state in the notes and leaves lines where they are. It ages all others at
 * every use, so it must hear of every one: LRU by age, for as long as ages fit. */
static void age_all_but(struct cache_set set, unsigned used) {
    for (unsigned way = 0; way < set.ways; way++)
        if (set.notes[way] <= set.notes[used] && way != used)
            set.notes[way]++;
    set.notes[used] = 0;
}

static void age_new(struct cache_set set, unsigned way) {
    set.notes[way] = (uint8_t)set.ways;
    age_all_but(set, way);
}

static unsigned oldest(struct cache_set set) {
    unsigned oldest = 0;
    for (unsigned way = 1; way < set.ways; way++)
        if (set.notes[way] > set.notes[oldest])
            oldest = way;
    return oldest;
}

static void test_policy_of_ones_own(void **state) {
    const struct replacement_policy ages = {"ages", age_all_but, age_new, oldest, NULL};
    against_naive(&ages, 32, 8, 5, lru_touch, lru_victim);
}

/* Random is fair, the same twice, and different from set to set. */
static void test_random(void **state) {
    enum { SETS = 4, WAYS = 8, ROUNDS = 8000 };
    unsigned victims[2][SETS][WAYS] = {0};
    uint64_t sequence[SETS] = {0};
    for (int round = 0; round < 2; round++) {
        struct cache cache;
        assert_true(cache_init(&cache, SETS * WAYS * 64, WAYS, 64, replacement_find("random")));
        uint64_t place[SETS * (WAYS + ROUNDS)];
        for (unsigned set = 0; set < SETS; set++)
            for (unsigned i = 0; i < WAYS + ROUNDS; i++) {
                uint64_t number = (uint64_t)i * SETS + set;
                uint64_t victim = cache_fill(&cache, number * 64, 0);
                unsigned way =
                    (unsigned)(cache_peek(&cache, number * 64) - cache_lines(&cache, set));
                if (i >= WAYS) {
                    assert_int_equal(place[victim / 64], way);
                    victims[round][set][way]++;
                    if (i < WAYS + 16)
                        sequence[set] = sequence[set] << 3 | way;
                }
                place[number] = way;
            }
        cache_free(&cache);
    }
    assert_memory_equal(victims[0], victims[1], sizeof victims[0]);
    for (unsigned set = 0; set < SETS; set++)
        for (unsigned way = 0; way < WAYS; way++)
            assert_in_range(victims[0][set][way], ROUNDS / WAYS * 8 / 10, ROUNDS / WAYS * 12 / 10);
    assert_true(sequence[0] != sequence[1] && sequence[1] != sequence[2]);
}

static void test_marks_and_drops(void **state) {
    struct cache cache;
    assert_true(cache_init(&cache, 4 * 64, 4, 64, replacement_find("lru")));
    assert_int_equal(cache_fill(&cache, 0x1010, LINE_ARRIVING | LINE_DIRTY), LINE_NONE);
    assert_null(cache_first(&cache, 0x1000)); /* marked: not for the fast path */
    uint64_t *line = cache_use(&cache, 0x1000);
    assert_non_null(line);
    assert_true(*line == (0x1000 | LINE_ARRIVING | LINE_DIRTY));
    *line &= ~LINE_ARRIVING;
    assert_ptr_equal(cache_first(&cache, 0x103f), line);
    assert_null(cache_first(&cache, 0x1040));
    for (uint64_t address = 0x2000; address < 0x20c0; address += 64)
        assert_int_equal(cache_fill(&cache, address, LINE_PREFETCHED), LINE_NONE);
    cache_drop(&cache, cache_peek(&cache, 0x2040));
    assert_null(cache_peek(&cache, 0x2040));
    assert_int_equal(cache_fill(&cache, 0x3000, 0), LINE_NONE); /* the hole */
    assert_int_equal(cache_fill(&cache, 0x3040, 0), 0x1000 | LINE_DIRTY);
    cache_flush(&cache);
    assert_null(cache_peek(&cache, 0x3000));
    cache_free(&cache);
}

static void test_in_flight(void **state) {
    struct in_flight f;
    uint64_t time = 10;
    assert_true(in_flight_init(&f, 2));
    unsigned first = in_flight_find_free(&f, &time);
    assert_int_equal(time, 10);
    in_flight_take(&f, first, (struct in_flight_place){64, 100, FROM_MEMORY});
    unsigned second = in_flight_find_free(&f, &time);
    assert_int_not_equal(first, second);
    in_flight_take(&f, second, (struct in_flight_place){128, 50, FROM_LLC});
    assert_int_equal(in_flight_count_free(&f, 49), 0);
    assert_int_equal(in_flight_count_free(&f, 50), 1);
    assert_int_equal(in_flight_count_free(&f, 100), 2);
    assert_int_equal(in_flight_find_free(&f, &time), second);
    assert_int_equal(time, 50);
    assert_int_equal(in_flight_of(&f, 64, 99)->origin, FROM_MEMORY);
    assert_null(in_flight_of(&f, 64, 100));
    assert_null(in_flight_of(&f, 192, 0));
    time = 200; /* the one that was free longest is left for who comes from further back */
    assert_int_equal(in_flight_find_free(&f, &time), first);
    in_flight_clear(&f);
    assert_int_equal(in_flight_count_free(&f, 0), 2);
    in_flight_free(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies),  cmocka_unit_test(test_policy_of_ones_own),
        cmocka_unit_test(test_random),    cmocka_unit_test(test_marks_and_drops),
        cmocka_unit_test(test_in_flight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
