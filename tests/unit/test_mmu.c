/* TLBs and page walks. */
#include "machine.h"

#include "model/mmu.h"

static struct model_parameters with_tlbs(void) {
    struct model_parameters p = simple();
    p.mmu = (struct mmu_parameters){
        .model = "tlb",
        .itlb = {8, 4, 0},
        .dtlb = {8, 4, 0},
        .stlb = {32, 4, 7},
        .walk_cache = 4,
    };
    return p;
}

struct machine {
    struct hierarchy *hierarchy;
    struct mmu *mmu;
};

static struct machine make_mmu(struct model_parameters p) {
    bool ideal;
    struct machine m = {.hierarchy = make(p)};
    m.mmu = mmu_new(&p, 0, m.hierarchy, &ideal);
    assert_non_null(m.mmu);
    assert_false(ideal);
    return m;
}

static void free_mmu(struct machine m) {
    mmu_free(m.mmu);
    hierarchy_free(m.hierarchy);
}

/* The page of this number, in tables laid out as x86-64's: one page of memory a table, entries of
 * eight bytes, each table's place given by the part of the address it stands for. */
static struct translation page(uint64_t number, unsigned shift) {
    uint64_t address = number << shift;
    struct translation t = {.page = address, .frame = address, .page_shift = (uint8_t)shift};
    t.levels = (uint8_t)(4 - (shift - 12) / 9);
    for (unsigned level = 0; level < t.levels; level++) {
        unsigned covers = 39 - 9 * level; /* an entry of this level: 2^covers bytes */
        uint64_t table = (address >> (covers + 9)) % 512 + 1;
        t.walk[level] =
            ((UINT64_C(1) << 28) * (level + 1)) + table * 4096 + (address >> covers) % 512 * 8;
    }
    return t;
}

/* As a core does it. */
static uint64_t translate(struct machine m, enum access_kind kind, const struct translation *t,
                          uint64_t now) {
    if (mmu_hit(m.mmu, MODEL_USER, kind, t))
        return now;
    return mmu_translate(m.mmu, MODEL_USER, kind, t, now);
}

enum { MEMORY = 164, LLC_HIT = 17 };

static void test_walk(void **state) {
    struct machine m = make_mmu(with_tlbs());
    const struct mmu_counts *counts = mmu_counts(m.mmu, MODEL_USER);
    struct translation first = page(0x100, 12), second = page(0x101, 12), far = page(0x2100, 12);
    /* four reads from memory, one after the other, after the second level's latency */
    assert_int_equal(mmu_translate(m.mmu, MODEL_USER, LOAD, &first, 100), 100 + 7 + 4 * MEMORY);
    assert_int_equal(counts->walks, 1);
    assert_int_equal(translate(m, LOAD, &first, 1000), 1000);
    assert_int_equal(mmu_translate(m.mmu, MODEL_USER, STORE, &first, 1000), 1000);
    assert_int_equal(counts->walks, 1);
    /* its neighbour: the upper levels are in the walk cache, the entry in the same line */
    assert_int_equal(translate(m, LOAD, &second, 2000), 2000 + 7 + 1);
    assert_int_equal(translate(m, LOAD, &far, 3000), 3000 + 7 + 2 * MEMORY); /* from level 2 on */
    assert_int_equal(counts->walks, 3);
    assert_int_equal(counts->walk_reads, 4 + 1 + 2);
    assert_int_equal(counts->walk_cycles, 6 * MEMORY + 1);
    /* an instruction fetch finds it in the second level */
    assert_int_equal(translate(m, FETCH, &first, 4000), 4000 + 7);
    assert_int_equal(counts->itlb.misses, 1);
    assert_int_equal(counts->stlb.accesses, 4);
    assert_int_equal(counts->stlb.misses, 3);
    assert_int_equal(counts->dtlb.accesses, 5);
    assert_int_equal(counts->dtlb.misses, 3);
    assert_int_equal(mmu_counts(m.mmu, MODEL_KERNEL)->dtlb.accesses, 0);
    assert_int_equal(hierarchy_counts(m.hierarchy, 0, MODEL_USER)->accesses[WALK], 7);
    free_mmu(m);
}

/* Table entries are data like others: a walk finds what is cached, and evicts. */
static void test_walk_through_caches(void **state) {
    struct model_parameters p = with_tlbs();
    p.mmu.walk_cache = 0;
    struct machine m = make_mmu(p);
    struct translation t = page(0x100, 12);
    ask(m.hierarchy, 1, LOAD, t.walk[1], 0); /* in the LLC */
    ask(m.hierarchy, 0, LOAD, t.walk[2], 0); /* in the L1D */
    assert_int_equal(translate(m, LOAD, &t, 1000), 1000 + 7 + MEMORY + LLC_HIT + 1 + MEMORY);
    mmu_flush(m.mmu, true);
    assert_int_equal(translate(m, LOAD, &t, 2000), 2000 + 7 + 4); /* all from the L1D */
    ask(m.hierarchy, 1, STORE, t.walk[3], 0); /* the other core's kernel changes the entry */
    mmu_flush(m.mmu, true);
    assert_int_equal(translate(m, LOAD, &t, 3000), 3000 + 7 + 3 + LLC_HIT);
    free_mmu(m);
}

/* 8 entries reach 8 pages, whatever their size; 32 of the second level, 32. */
static void test_reach(void **state) {
    static const unsigned shifts[] = {12, 21, 30};
    for (size_t s = 0; s < sizeof shifts / sizeof shifts[0]; s++) {
        struct machine m = make_mmu(with_tlbs());
        const struct mmu_counts *counts = mmu_counts(m.mmu, MODEL_USER);
        struct translation pages[33];
        for (unsigned i = 0; i < 33; i++)
            pages[i] = page(64 + i, shifts[s]);
        for (unsigned round = 0; round < 10; round++)
            for (unsigned i = 0; i < 8; i++)
                translate(m, LOAD, &pages[i], round * 100000 + i * 1000);
        assert_int_equal(counts->dtlb.accesses, 80);
        assert_int_equal(counts->dtlb.misses, 8);
        for (unsigned round = 0; round < 10; round++)
            for (unsigned i = 0; i < 32; i++)
                translate(m, LOAD, &pages[i], 1000000 + round * 100000 + i * 1000);
        assert_int_equal(counts->walks, 32);
        assert_int_equal(counts->walk_reads,
                         32 + (4 - (shifts[s] - 12) / 9 - 1)); /* upper levels once */
        assert_int_equal(counts->dtlb.misses, 8 + 320 - 8);
        for (unsigned round = 0; round < 10; round++) /* LRU: 9 pages of a set thrash it */
            for (unsigned i = 0; i < 33; i += 4)
                translate(m, LOAD, &pages[i], 3000000 + round * 100000 + i * 1000);
        assert_true(counts->walks > 32 + 40);
        free_mmu(m);
    }
}

/* Pages of the same number but not the same size are not the same. */
static void test_page_sizes(void **state) {
    struct machine m = make_mmu(with_tlbs());
    const struct mmu_counts *counts = mmu_counts(m.mmu, MODEL_USER);
    struct translation small = page(3, 12), large = page(3, 21), huge = page(3, 30);
    translate(m, LOAD, &small, 0);
    translate(m, LOAD, &large, 10000);
    translate(m, LOAD, &huge, 20000);
    assert_int_equal(counts->walks, 3);
    translate(m, LOAD, &small, 30000);
    translate(m, LOAD, &large, 40000);
    assert_int_equal(counts->walks, 3);
    assert_int_equal(counts->dtlb.misses, 3);
    free_mmu(m);
}

static void test_flush(void **state) {
    struct machine m = make_mmu(with_tlbs());
    const struct mmu_counts *counts = mmu_counts(m.mmu, MODEL_USER);
    struct translation kernel = page(0x1ffff, 12), user = page(0x100, 12);
    kernel.global = true;
    translate(m, LOAD, &kernel, 0);
    translate(m, LOAD, &user, 10000);
    mmu_flush(m.mmu, false);
    assert_int_equal(translate(m, LOAD, &kernel, 20000), 20000);
    assert_int_equal(counts->walks, 2);
    assert_int_equal(translate(m, LOAD, &user, 30000),
                     30000 + 7 + 4); /* the walk cache went, too */
    mmu_flush(m.mmu, true);
    translate(m, LOAD, &kernel, 40000);
    assert_int_equal(counts->walks, 4);
    free_mmu(m);
}

/* The fast path must not change what is replaced: against the plain path on random pages. */
static void test_fast_path(void **state) {
    struct machine fast = make_mmu(with_tlbs()), plain = make_mmu(with_tlbs());
    struct translation pages[64];
    uint64_t seed = 21, hits = 0;
    for (unsigned i = 0; i < 64; i++)
        pages[i] = page(i % 5 ? i : i * 3, i % 5 ? 12 : 21);
    for (uint64_t i = 0; i < 100000; i++) {
        uint64_t r = next_random(&seed);
        const struct translation *t = &pages[r % 4 ? r % 8 : r % 64];
        enum access_kind kind = r >> 40 & 1 ? FETCH : LOAD;
        hits += mmu_hit(fast.mmu, MODEL_USER, kind, t);
        /* counted twice if it hit: as if it had been asked again */
        assert_int_equal(translate(fast, kind, t, i * 1000),
                         mmu_translate(plain.mmu, MODEL_USER, kind, t, i * 1000));
    }
    const struct mmu_counts *a = mmu_counts(fast.mmu, MODEL_USER);
    const struct mmu_counts *b = mmu_counts(plain.mmu, MODEL_USER);
    assert_int_equal(a->itlb.misses, b->itlb.misses);
    assert_int_equal(a->dtlb.misses, b->dtlb.misses);
    assert_int_equal(a->walks, b->walks);
    assert_int_equal(a->dtlb.accesses + a->itlb.accesses,
                     b->dtlb.accesses + b->itlb.accesses + hits);
    assert_true(hits > 10000 && b->dtlb.misses > 1000);
    free_mmu(fast);
    free_mmu(plain);
}

static void test_free_translation(void **state) {
    struct model_parameters p = simple();
    bool ideal = false;
    struct hierarchy *h = make(p);
    assert_null(mmu_new(&p, 0, h, &ideal));
    assert_true(ideal);
    hierarchy_free(h);
    p = with_tlbs();
    p.mmu.stlb.entries = 0;
    struct machine m = make_mmu(p);
    struct translation unknown = page(5, 12), known = unknown;
    unknown.levels = 0;
    assert_int_equal(translate(m, LOAD, &unknown, 10), 10);
    assert_int_equal(translate(m, LOAD, NULL, 10), 10);
    assert_int_equal(mmu_counts(m.mmu, MODEL_USER)->dtlb.accesses, 0);
    assert_int_equal(translate(m, LOAD, &known, 10), 10 + 4 * MEMORY); /* no second level */
    free_mmu(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_walk_through_caches),
        cmocka_unit_test(test_reach),
        cmocka_unit_test(test_page_sizes),
        cmocka_unit_test(test_flush),
        cmocka_unit_test(test_fast_path),
        cmocka_unit_test(test_free_translation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
