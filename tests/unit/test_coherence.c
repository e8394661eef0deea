/* Coherence: who may hold what, told by hand and looked for after every access of random traffic,
 * over all kinds of levels. */
#include "machine.h"

static void test_by_hand(void **state) {
    struct hierarchy *h = make(simple());
    const struct access_counts *zero = hierarchy_counts(h, 0, MODEL_USER);
    const struct access_counts *one = hierarchy_counts(h, 1, MODEL_USER);
    ask(h, 0, STORE, 0x1000, 0);   /* modified in core 0 */
    ask(h, 1, LOAD, 0x1000, 1000); /* written back, both share */
    assert_int_equal(figures(h, 0, CACHE_L1D).write_backs, 1);
    assert_int_equal(one->supplied[LOAD][FROM_LLC], 1);
    assert_int_equal(ask(h, 0, LOAD, 0x1000, 2000).ready, 2001);
    ask(h, 0, STORE, 0x1000, 3000); /* an upgrade: a miss, but no LLC access */
    assert_int_equal(access_misses(zero, STORE), 2);
    assert_int_equal(zero->supplied[STORE][UPGRADE_BY_CACHE], 1);
    assert_int_equal(figures(h, 0, CACHE_LLC).counts[LOAD].accesses, 1);
    assert_int_equal(ask(h, 0, STORE, 0x1000, 4000).ready, 4001);
    ask(h, 1, LOAD, 0x1000, 5000); /* its copy was taken */
    assert_int_equal(access_misses(one, LOAD), 2);
    ask(h, 1, STORE, 0x1000, 6000); /* … and core 0's in turn */
    assert_int_equal(ask(h, 0, LOAD, 0x1000, 7000).supplier, FROM_LLC);

    /* self-modifying code: a store takes the line from L1Is, of its own core, too */
    ask(h, 1, FETCH, 0x5000, 8000);
    ask(h, 0, FETCH, 0x5000, 8000);
    ask(h, 0, STORE, 0x5000, 9000);
    assert_int_equal(ask(h, 1, FETCH, 0x5000, 9500).supplier, FROM_LLC);
    assert_int_equal(ask(h, 0, FETCH, 0x5000, 9500).supplier, FROM_LLC);
    assert_int_equal(access_misses(one, FETCH), 2);
    assert_int_equal(access_misses(zero, FETCH), 2);
    hierarchy_free(h);
}

/* Memory that remembers which lines are newer in some cache. */
enum { LINES = 96, CORES = 3, SHADOW_LATENCY = 100 };

static uint64_t shadow_access(void *state, uint64_t address, bool write, uint64_t now,
                              struct dram_counts *counts) {
    bool *newer = state; /* than memory; a flag a line */
    if (write)
        newer[address / 64] = false;
    return now + SHADOW_LATENCY;
}

static const struct dram_model shadow = {.name = "shadow", .access = shadow_access};

struct copies {
    unsigned core[CORES];                 /* private copies of each */
    unsigned writable[CORES];             /* of them */
    bool l1d_writable[CORES], l1i[CORES]; /* and where */
    bool dirty_clean_mix;                 /* a private copy that is dirty, but not writable */
    bool dirty;                           /* anywhere */
};

static struct copies find_copies(const struct hierarchy *h, uint64_t address) {
    struct copies copies = {0};
    unsigned units = h->cores * h->private_levels + h->shared_levels;
    for (struct cache_unit *unit = h->units; unit < h->units + units; unit++) {
        const uint64_t *line = cache_peek(&unit->tags, address);
        if (!line)
            continue;
        copies.dirty |= (*line & LINE_DIRTY) != 0;
        if (unit->shared) {
            assert_false(*line & LINE_WRITABLE);
            continue;
        }
        copies.core[unit->core]++;
        copies.writable[unit->core] += *line & LINE_WRITABLE;
        copies.dirty_clean_mix |= *line & LINE_DIRTY && !(*line & LINE_WRITABLE);
        if (unit->name == CACHE_L1I)
            copies.l1i[unit->core] = true;
        if (unit->name == CACHE_L1D)
            copies.l1d_writable[unit->core] = *line & LINE_WRITABLE;
    }
    return copies;
}

/* What must hold of a line at any time. */
static void check_line(const struct hierarchy *h, uint64_t address) {
    const bool *newer = h->dram.state;
    struct copies copies = find_copies(h, address);
    unsigned holders = 0, writers = 0;
    for (unsigned core = 0; core < h->cores; core++) {
        holders += copies.core[core] > 0;
        writers += copies.writable[core] > 0;
        assert_false(copies.l1d_writable[core] && copies.l1i[core]);
        if (copies.l1d_writable[core]) /* then the core's other levels know of it */
            assert_int_equal(copies.core[core], copies.writable[core]);
    }
    assert_true(writers == 0 || (writers == 1 && holders == 1));
    assert_false(copies.dirty_clean_mix);
    assert_true(copies.dirty || !newer[address / 64]); /* no store is lost */
}

/* The table of who may hold a line knows of every copy. */
static void check_holders(const struct hierarchy *h) {
    for (uint64_t address = 0; address < LINES * 64; address += 64) {
        struct copies copies = find_copies(h, address);
        for (unsigned core = 0; core < h->cores; core++)
            assert_true(holders_of(h, address)[core] >= copies.core[core]);
    }
}

/* Everything above an inclusive unit is in it. */
static void check_inclusion(const struct hierarchy *h) {
    unsigned units = h->cores * h->private_levels + h->shared_levels;
    for (struct cache_unit *unit = h->units; unit < h->units + units; unit++)
        for (struct cache_unit *below = unit->below; below; below = below->below)
            for (uint64_t i = 0; i < (unit->tags.set_mask + 1) * unit->tags.ways; i++) {
                const uint64_t *lines = cache_lines(&unit->tags, i / unit->tags.ways);
                uint64_t line = lines[i % unit->tags.ways];
                if (below->inclusion == INCLUSIVE && line != LINE_NONE)
                    assert_non_null(cache_peek(&below->tags, line));
            }
}

/* After a core's store nobody else holds the line, in whatever state. Its own L1D does, unless what
 * the prefetchers then brought has already pushed it out. */
static void check_store(const struct hierarchy *h, unsigned core, uint64_t address,
                        bool prefetches) {
    struct copies copies = find_copies(h, address);
    assert_true(prefetches || (copies.l1d_writable[core] && copies.dirty));
    for (unsigned other = 0; other < h->cores; other++)
        assert_true(other == core || copies.core[other] == 0);
}

/* Some parts forget. What was newer than memory, only they knew. */
static void flush(struct hierarchy *h, unsigned parts, const struct model_parameters *p) {
    bool *newer = h->dram.state;
    hierarchy_flush(h, parts, p);
    for (uint64_t line = 0; line < LINES; line++)
        newer[line] &= find_copies(h, line * 64).dirty;
}

static void random_traffic(struct model_parameters p, uint64_t seed, bool flushes) {
    p.cores = CORES;
    p.l1i.size = p.l1d.size = 256;
    p.l1i.associativity = p.l1d.associativity = 2;
    for (unsigned level = 0; level < CACHE_LEVELS; level++) {
        p.level[level].size = 512u << level;
        p.level[level].associativity = 4;
    }
    struct hierarchy *h = make(p);
    bool *newer = calloc(LINES, sizeof *newer);
    free(h->dram.state);
    h->dram.model = &shadow;
    h->dram.state = newer; /* freed with h */
    uint64_t now = 0;
    for (int i = 0; i < 12000; i++) {
        uint64_t r = next_random(&seed), address = r % (LINES * 64);
        enum access_kind kind = r >> 40 & 3;
        unsigned core = (r >> 42) % CORES;
        bool prefetches = *p.l1d.prefetcher.name != 'n';
        if (kind == STORE && prefetches)
            newer[address / 64] = true;
        /* forward by and large, but not in order */
        struct answer answer = ask(h, core, kind, address, (now += 20) + (r >> 50 & 127));
        assert_in_range(answer.ready, now, now + 100000);
        if (kind == STORE) {
            newer[address / 64] |= !prefetches;
            check_store(h, core, address, prefetches);
        }
        if (flushes && i % 100 == 99)
            flush(h, (unsigned)(r >> 57) % FLUSH_ALL + 1, &p);
        check_line(h, address & ~UINT64_C(63));
        if (i % 64 == 0) {
            for (uint64_t line = 0; line < LINES; line++)
                check_line(h, line * 64);
            check_inclusion(h);
            check_holders(h);
        }
    }
    hierarchy_free(h);
}

static void on_all_machines(bool flushes) {
    static const char *const inclusions[] = {"mostly_inclusive", "inclusive", "exclusive"};
    static const char *const policies[] = {"lru", "plru", "srrip", "random"};
    for (unsigned i = 0; i < 3 * 3 * 3 * 4; i++) {
        struct model_parameters p = three_levels();
        p.level[LEVEL_L3] = p.level[LEVEL_L2];
        p.level_bus[LEVEL_L3] = p.level_bus[LEVEL_L2];
        strcpy(p.level[LEVEL_L2].inclusion, inclusions[i % 3]);
        strcpy(p.level[LEVEL_L3].inclusion, inclusions[i / 3 % 3]);
        strcpy(p.level[LEVEL_LLC].inclusion, inclusions[i / 9 % 3]);
        strcpy(p.level[LEVEL_LLC].replacement, policies[i % 4]);
        strcpy(p.l1d.replacement, policies[i / 4 % 4]);
        /* four machines: one, two, three levels beyond the L1s; prefetchers everywhere */
        p.level[LEVEL_L2].present = i / 27 > 0;
        p.level[LEVEL_L3].present = i / 27 > 1;
        if (i / 27 == 2)
            strcpy(p.level[LEVEL_L3].sharing, "shared");
        if (i % 2) {
            p.l1d.prefetcher = (struct prefetcher_parameters){"stride", 2, 1, 16};
            p.l1i.prefetcher = (struct prefetcher_parameters){"fdip", 2, 1, 64};
            p.level[LEVEL_L2].prefetcher = (struct prefetcher_parameters){"stream", 2, 4, 8};
            p.level[LEVEL_LLC].prefetcher = (struct prefetcher_parameters){"next_line", 1, 1};
        }
        random_traffic(p, 77 + i, flushes);
    }
}

static void test_random_traffic(void **state) {
    on_all_machines(false);
}

static void test_random_flushes(void **state) {
    on_all_machines(true);
}

/* No shared cache at all: modified lines go from core to core by memory. */
static void test_private_llc(void **state) {
    struct model_parameters p = simple();
    strcpy(p.level[LEVEL_LLC].sharing, "private");
    random_traffic(p, 5, false);
    random_traffic(p, 6, true);
    struct hierarchy *h = make(p);
    ask(h, 0, STORE, 0x1000, 0);
    assert_int_equal(ask(h, 1, LOAD, 0x1000, 1000).supplier, FROM_MEMORY);
    assert_int_equal(hierarchy_dram_counts(h)->writes, 1);
    assert_int_equal(ask(h, 0, STORE, 0x1000, 2000).supplier, UPGRADE_BY_BUS);
    hierarchy_free(h);
}

/* A strictly exclusive pair, as far as one core's data go: no line is in both. */
static void test_exclusive_pair(void **state) {
    struct model_parameters p = simple();
    strcpy(p.level[LEVEL_LLC].inclusion, "exclusive");
    p.cores = 1;
    p.l1d.size = 512;
    p.level[LEVEL_LLC].size = 1024;
    struct hierarchy *h = make(p);
    uint64_t seed = 3;
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t r = next_random(&seed);
        ask(h, 0, r >> 40 & 1 ? LOAD : STORE, r % 4096, i * 500);
        for (uint64_t line = 0; line < 4096; line += 64)
            assert_false(cache_peek(&unit_of_core(h, 0, CACHE_L1D)->tags, line) &&
                         cache_peek(&shared_unit(h, 0)->tags, line));
    }
    hierarchy_free(h);
}

/* The same traffic twice gives the same times and counters. */
static void test_determinism(void **state) {
    uint64_t sum[2] = {0}, counts[2] = {0};
    for (int round = 0; round < 2; round++) {
        struct model_parameters p = three_levels();
        strcpy(p.level[LEVEL_LLC].replacement, "random");
        p.level[LEVEL_L2].prefetcher = (struct prefetcher_parameters){"stream", 2, 4, 8};
        struct hierarchy *h = make(p);
        uint64_t seed = 9;
        for (uint64_t i = 0; i < 100000; i++) {
            uint64_t r = next_random(&seed);
            sum[round] = sum[round] * 31 + ask(h, r >> 42 & 1, r >> 40 & 3, r % 500000, i).ready;
        }
        counts[round] = figures(h, 0, CACHE_L2).prefetch.useful + hierarchy_dram_counts(h)->writes;
        hierarchy_free(h);
    }
    assert_true(sum[0] == sum[1] && counts[0] == counts[1] && counts[0] > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),     cmocka_unit_test(test_random_traffic),
        cmocka_unit_test(test_private_llc), cmocka_unit_test(test_exclusive_pair),
        cmocka_unit_test(test_determinism), cmocka_unit_test(test_random_flushes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
