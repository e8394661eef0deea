/* The memory system: latencies counted by hand and measured with gem5 24.0, levels, MSHRs and write
 * buffers, counters. */
#include "machine.h"

enum { LLC_HIT = 17, MEMORY = 164 }; /* see test_gem5_chase */

/* Cycles that an access of core 0 takes, long after all others. */
static uint64_t cycles(struct hierarchy *h, enum access_kind kind, uint64_t address) {
    static const uint64_t later = 1000000;
    struct answer answer = ask(h, 0, kind, address, later);
    return answer.ready - later;
}

static void expect(struct answer answer, uint64_t ready, enum supplier supplier,
                   enum supplier origin, bool delayed) {
    assert_int_equal(answer.ready, ready);
    assert_int_equal(answer.supplier, supplier);
    assert_int_equal(answer.origin, origin);
    assert_int_equal(answer.delayed, delayed);
}

static void test_latencies(void **state) {
    struct hierarchy *h = make(simple());
    expect(ask(h, 0, LOAD, 0x1000, 0), MEMORY, FROM_MEMORY, FROM_MEMORY, false);
    expect(ask(h, 0, LOAD, 0x1038, 1000), 1001, FROM_L1, FROM_L1, false);
    expect(ask(h, 1, LOAD, 0x2000, 7), 7 + MEMORY, FROM_MEMORY, FROM_MEMORY, false);
    expect(ask(h, 0, LOAD, 0x2000, 2000), 2000 + LLC_HIT, FROM_LLC, FROM_LLC, false);
    expect(ask(h, 0, STORE, 0x9000, 3000), 3000 + MEMORY, FROM_MEMORY, FROM_MEMORY, false);
    expect(ask(h, 0, STORE, 0x1000, 4000), 4001, FROM_L1, FROM_L1, false); /* exclusive */
    expect(ask(h, 0, STORE, 0x2000, 5000), 5000 + LLC_HIT, UPGRADE_BY_CACHE, UPGRADE_BY_CACHE,
           false); /* shared with core 1 */
    expect(ask(h, 0, FETCH, 0x1000, 6000), 6000 + LLC_HIT, FROM_LLC, FROM_LLC, false);
    expect(ask(h, 0, FETCH, 0x1020, 7000), 7001, FROM_L1, FROM_L1, false);
    expect(ask(h, 0, WALK, 0x2008, 8000), 8001, FROM_L1, FROM_L1, false);
    assert_int_equal(h->uncached_latency, MEMORY);
    hierarchy_free(h);
}

/* Other parameters must show: each latency in turn made longer by its own amount. */
static void test_composition(void **state) {
#define LLC level[LEVEL_LLC]
#define LLC_BUS level_bus[LEVEL_LLC]
    struct {
        size_t offset;
        uint64_t hit, llc, memory; /* how often a load's way has this latency in it */
    } const parts[] = {
        {offsetof(struct model_parameters, l1d.tag_latency), 1, 1, 1},
        {offsetof(struct model_parameters, l1d.response_latency), 0, 1, 1},
        {offsetof(struct model_parameters, LLC.tag_latency), 0, 1, 1},
        {offsetof(struct model_parameters, LLC.response_latency), 0, 0, 1},
        {offsetof(struct model_parameters, LLC_BUS.frontend_latency), 0, 1, 1},
        {offsetof(struct model_parameters, LLC_BUS.forward_latency), 0, 1, 1},
        {offsetof(struct model_parameters, LLC_BUS.response_latency), 0, 1, 1},
        {offsetof(struct model_parameters, LLC_BUS.snoop_filter_latency), 0, 1, 1},
        {offsetof(struct model_parameters, memory_bus.frontend_latency), 0, 0, 1},
        {offsetof(struct model_parameters, memory_bus.forward_latency), 0, 0, 1},
        {offsetof(struct model_parameters, memory_bus.response_latency), 0, 0, 1},
        {offsetof(struct model_parameters, memory_bus.snoop_filter_latency), 0, 0, 1},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct model_parameters p = simple();
        *(uint64_t *)((char *)&p + parts[i].offset) += 5;
        struct hierarchy *h = make(p);
        ask(h, 1, LOAD, 0x2000, 0);
        assert_int_equal(cycles(h, LOAD, 0x1000), MEMORY + 5 * parts[i].memory);
        assert_int_equal(cycles(h, LOAD, 0x2000), LLC_HIT + 5 * parts[i].llc);
        assert_int_equal(ask(h, 0, LOAD, 0x1000, 2000000).ready, 2000001 + 5 * parts[i].hit);
        hierarchy_free(h);
    }
    struct model_parameters p = simple();
    p.memory.latency = 50001; /* ends a tick into the 126th cycle: seen at its end */
    struct hierarchy *h = make(p);
    assert_int_equal(cycles(h, LOAD, 0x1000), MEMORY + 1);
    hierarchy_free(h);
}

/* gem5 24.0, TimingSimpleCPU: a pointer chase of 20000 steps, 4 instructions
 * in 5 fetches and one load each, and a few instructions around it. 8 kB, 64
 * kB and 1 MB working set: measured cycles, L1D misses and LLC misses. What
 * the misses add to the first must be what the model says they add. */
static void test_gem5_chase(void **state) {
    const uint64_t chase_8 = 120032, chase_64 = 440080, chase_1024 = 3372730;
    struct hierarchy *h = make(simple());
    uint64_t memory = cycles(h, LOAD, 0) - 1;
    ask(h, 1, LOAD, 0x2000, 0);
    uint64_t llc = cycles(h, LOAD, 0x2000) - 1;
    assert_int_equal(chase_8 + 20003 * llc, chase_64);
    assert_int_equal(chase_8 + 19950 * memory + (20003 - 19950) * llc, chase_1024);
    hierarchy_free(h);
}

/* Each level adds its bus and tags on the way down, its bus and response latency on the way up. */
static void test_three_levels(void **state) {
    struct hierarchy *h = make(three_levels());
    enum { L2_HIT = 1 + 1 + 14 + 1 + 2, LLC_OF_THREE = 1 + 1 + 14 + 1 + 12 + 1 + 1 + 1 + 2 };
    enum { PAST_THREE = 1 + 1 + 14 + 1 + 12 + 8 + 125 + 2 + 12 + 1 + 1 + 1 + 2 };
    expect(ask(h, 0, LOAD, 0x10000, 0), PAST_THREE, FROM_MEMORY, FROM_MEMORY, false);
    expect(ask(h, 0, FETCH, 0x10000, 1000), 1000 + L2_HIT, FROM_L2, FROM_L2, false);
    ask(h, 1, LOAD, 0x20000, 0);
    expect(ask(h, 0, LOAD, 0x20000, 2000), 2000 + LLC_OF_THREE, FROM_LLC, FROM_LLC, false);
    /* the L1I shares the line, the L2 may write it; 0x20000, another core shares */
    expect(ask(h, 0, STORE, 0x10000, 3000), 3000 + L2_HIT, UPGRADE_BY_CACHE, UPGRADE_BY_CACHE,
           false);
    expect(ask(h, 0, STORE, 0x20000, 4000), 4000 + LLC_OF_THREE, UPGRADE_BY_CACHE, UPGRADE_BY_CACHE,
           false);
    expect(ask(h, 0, STORE, 0x20000, 5000), 5001, FROM_L1, FROM_L1, false);
    hierarchy_free(h);
}

static void test_eviction_and_write_back(void **state) {
    const struct model_parameters p = tiny();
    struct hierarchy *h = make(p);
    const struct access_counts *counts = hierarchy_counts(h, 0, MODEL_USER);
    const struct dram_counts *memory = hierarchy_dram_counts(h);
    uint64_t now = 0;
#define LOAD_LINE(line) ask(h, 0, LOAD, (line)*64, now += 1000)
    ask(h, 0, STORE, 0, now); /* miss */
    LOAD_LINE(1);             /* miss */
    LOAD_LINE(0);             /* hit: line 1 is now the least recently used */
    LOAD_LINE(2);             /* miss, line 1 goes, clean */
    LOAD_LINE(3);             /* miss, line 0 goes, dirty: to the LLC, which holds it */
    assert_int_equal(counts->accesses[LOAD] + counts->accesses[STORE], 5);
    assert_int_equal(access_misses(counts, LOAD) + access_misses(counts, STORE), 4);
    assert_int_equal(figures(h, 0, CACHE_L1D).write_backs, 1);
    assert_int_equal(figures(h, 0, CACHE_LLC).write_backs, 0);
    LOAD_LINE(4); /* LLC use order 0 3 2 1: line 1 goes, clean */
    LOAD_LINE(5); /* line 2 goes */
    LOAD_LINE(6); /* line 3 goes */
    assert_int_equal(memory->writes, 0);
    LOAD_LINE(7); /* line 0 goes, dirty */
    assert_int_equal(memory->writes, 1);
    assert_int_equal(figures(h, 0, CACHE_LLC).write_backs, 1);
    assert_int_equal(memory->reads, 8);
    struct level_counts llc = figures(h, 0, CACHE_LLC).counts[LOAD];
    assert_int_equal(llc.accesses, 8); /* write-backs are no accesses */
    assert_int_equal(llc.misses, 8);
    LOAD_LINE(4); /* L1 holds 7 and 6; LLC 7 6 5 4 */
    assert_int_equal(figures(h, 0, CACHE_LLC).counts[LOAD].misses, 8);
    hierarchy_flush(h, FLUSH_ALL, &p);
    LOAD_LINE(4);
    assert_int_equal(counts->supplied[LOAD][FROM_MEMORY] + counts->supplied[STORE][FROM_MEMORY], 9);
    hierarchy_free(h);
}

/* Core 0 holds line 0 modified, the LLC loses it. */
static void lose_in_llc(struct hierarchy *h) {
    ask(h, 0, STORE, 0, 0);
    for (uint64_t line = 1; line <= 4; line++)
        ask(h, 1, LOAD, line * 64, 1000 * line);
}

static void test_mostly_inclusive(void **state) {
    struct hierarchy *h = make(tiny());
    lose_in_llc(h);
    assert_int_equal(ask(h, 0, LOAD, 0, 10000).ready, 10001);
    ask(h, 0, LOAD, 8 * 64, 20000);
    ask(h, 0, LOAD, 9 * 64, 30000); /* line 0 goes: allocates in the LLC */
    assert_int_equal(figures(h, 0, CACHE_L1D).write_backs, 1);
    assert_int_equal(cycles(h, LOAD, 0), LLC_HIT);
    hierarchy_free(h);
}

static void test_inclusive(void **state) {
    struct model_parameters p = tiny();
    strcpy(p.level[LEVEL_LLC].inclusion, "inclusive");
    struct hierarchy *h = make(p);
    lose_in_llc(h);
    assert_int_equal(hierarchy_dram_counts(h)->writes, 1); /* core 0's copy was newer */
    assert_int_equal(figures(h, 0, CACHE_L1D).write_backs, 1);
    assert_int_equal(cycles(h, LOAD, 0), MEMORY);
    hierarchy_free(h);
}

static void test_exclusive(void **state) {
    struct model_parameters p = tiny();
    strcpy(p.level[LEVEL_LLC].inclusion, "exclusive");
    struct hierarchy *h = make(p);
    const struct dram_counts *memory = hierarchy_dram_counts(h);
    ask(h, 0, STORE, 0, 0);
    for (uint64_t line = 1; line < 6; line++) /* two lines in the L1 and four in the LLC: all fit */
        ask(h, 0, LOAD, line * 64, 1000 * line);
    for (uint64_t line = 0; line < 6; line++)
        assert_int_equal(ask(h, 0, LOAD, line * 64, 100000 + 1000 * line).ready,
                         100000 + 1000 * line + LLC_HIT);
    assert_int_equal(memory->reads, 6);
    assert_int_equal(memory->writes, 0);
    ask(h, 0, LOAD, 6 * 64, 200000);
    for (uint64_t line = 1; line < 6; line++)
        ask(h, 0, LOAD, (6 + line) * 64, 200000 + 1000 * line);
    assert_int_equal(memory->writes, 1); /* it has carried its dirtiness all the way */
    hierarchy_free(h);
}

/* The right to write a line that the LLC has lost comes from the memory bus: no memory access. */
static void test_upgrade_past_llc(void **state) {
    struct hierarchy *h = make(tiny());
    ask(h, 0, LOAD, 0, 0);
    ask(h, 1, LOAD, 0, 0);
    for (uint64_t line = 1; line <= 4; line++)
        ask(h, 1, FETCH, line * 64, 1000 * line);
    uint64_t reads = hierarchy_dram_counts(h)->reads;
    /* 1 tag + 1 bus + 12 tag + 8 bus + 12 response + 1 bus + 2 response */
    expect(ask(h, 0, STORE, 0, 10000), 10037, UPGRADE_BY_BUS, UPGRADE_BY_BUS, false);
    assert_int_equal(hierarchy_dram_counts(h)->reads, reads);
    hierarchy_free(h);
}

/* Who asks for a line that is under way shares its fill. */
static void test_shared_fills(void **state) {
    struct hierarchy *h = make(simple());
    const struct access_counts *counts = hierarchy_counts(h, 0, MODEL_USER);
    ask(h, 0, LOAD, 0x1000, 0);
    expect(ask(h, 0, LOAD, 0x1008, 10), MEMORY, FROM_L1, FROM_MEMORY, true);
    expect(ask(h, 0, STORE, 0x1010, 20), MEMORY, FROM_L1, FROM_MEMORY, true);
    expect(ask(h, 0, FETCH, 0x1010, 20), MEMORY, FROM_LLC, FROM_MEMORY, false);
    expect(ask(h, 0, LOAD, 0x1008, 161), MEMORY, FROM_L1, FROM_MEMORY, true);
    expect(ask(h, 0, LOAD, 0x1008, 162), 163, FROM_L1, FROM_L1, false); /* has arrived */
    expect(ask(h, 0, LOAD, 0x1008, 163), 164, FROM_L1, FROM_L1, false);
    assert_int_equal(counts->accesses[LOAD], 5);
    assert_int_equal(access_misses(counts, LOAD), 3);
    assert_int_equal(access_fills(counts, LOAD), 1);
    assert_int_equal(access_misses(counts, STORE), 1);
    assert_int_equal(access_fills(counts, STORE), 0);
    assert_int_equal(figures(h, 0, CACHE_LLC).counts[FETCH].misses, 1); /* shares a fill there */
    assert_int_equal(figures(h, 0, CACHE_LLC).counts[FETCH].fills, 0);
    ask(h, 0, LOAD, 0x2000, 1000); /* hits go on under a miss */
    expect(ask(h, 0, LOAD, 0x1000, 1001), 1002, FROM_L1, FROM_L1, false);
    hierarchy_free(h);
}

/* Four misses at a time; the fifth waits until the
 * first has arrived, two cycles before its answer. */
static void test_mshrs(void **state) {
    struct hierarchy *h = make(simple());
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(ask(h, 0, LOAD, 0x1000 * i, i).ready, MEMORY + i);
    assert_int_equal(ask(h, 0, LOAD, 0x1000 * 4, 4).ready, 162 + MEMORY);
    assert_int_equal(ask(h, 0, LOAD, 0x1000 * 5, 5).ready, 163 + MEMORY);
    assert_int_equal(ask(h, 0, LOAD, 0x1000 * 6, 170).ready, 170 + MEMORY);
    assert_int_equal(ask(h, 1, LOAD, 0x1000 * 7, 6).ready, 6 + MEMORY); /* has its own */
    hierarchy_free(h);

    struct model_parameters p = simple();
    p.level[LEVEL_LLC].mshrs = 1;
    h = make(p);
    assert_int_equal(ask(h, 0, LOAD, 0, 0).ready, MEMORY);
    /* the LLC's place is free when its answer leaves for the LLC's response, bus and L1 response */
    assert_int_equal(ask(h, 0, LOAD, 0x1000, 0).ready, 164 - 12 - 1 - 2 + 164 - 2);
    hierarchy_free(h);
}

/* A write-back holds its buffer while it is on the bus (1) and looked up below (12): 13 cycles. */
static void test_write_buffers(void **state) {
    struct model_parameters p = simple();
    p.l1d.size = 512; /* one set */
    p.l1d.write_buffers = 2;
    struct hierarchy *h = make(p);
    for (uint64_t line = 0; line < 8; line++)
        ask(h, 0, STORE, line * 64, line * 1000);
    assert_int_equal(ask(h, 0, LOAD, 0x1000, 10000).ready, 10000 + MEMORY);
    assert_int_equal(ask(h, 0, LOAD, 0x2000, 10000).ready, 10000 + MEMORY);
    assert_int_equal(ask(h, 0, LOAD, 0x3000, 10000).ready, 10000 + MEMORY + 13);
    assert_int_equal(ask(h, 0, LOAD, 0x4000, 10000).ready, 10000 + MEMORY + 13);
    assert_int_equal(figures(h, 0, CACHE_L1D).write_backs, 4);
    hierarchy_free(h);
}

/* A core that waits for each answer sees no difference if lines bear no mark while under way, but
 * for the work of taking it off. */
static void test_no_marks_for_who_waits(void **state) {
    struct model_parameters machines[] = {simple(), three_levels(), tiny()};
    for (unsigned m = 0; m < 3; m++) {
        struct hierarchy *marks = make(machines[m]), *none = make(machines[m]);
        uint64_t random = 11 + m, now[2] = {0};
        for (unsigned core = 0; core < 2; core++)
            none->front[core].marks = 0;
        for (int i = 0; i < 200000; i++) {
            unsigned core = next_random(&random) >> 20 & 1;
            enum access_kind kind = next_random(&random) >> 20 & 3; /* WALK, too */
            uint64_t address = (next_random(&random) >> 20) % (64 * 1024);
            struct answer a = ask(marks, core, kind, address, now[core]);
            struct answer b = ask(none, core, kind, address, now[core]);
            assert_int_equal(a.ready, b.ready);
            assert_int_equal(a.supplier, b.supplier);
            assert_false(b.delayed);
            now[core] = a.ready;
        }
        for (unsigned core = 0; core < 2; core++) {
            assert_memory_equal(hierarchy_counts(marks, core, MODEL_USER),
                                hierarchy_counts(none, core, MODEL_USER),
                                sizeof(struct access_counts));
            struct cache_figures a = figures(marks, core, CACHE_LLC),
                                 b = figures(none, core, CACHE_LLC);
            assert_memory_equal(a.counts, b.counts, sizeof a.counts);
            assert_int_equal(a.write_backs, b.write_backs);
        }
        hierarchy_free(marks);
        hierarchy_free(none);
    }
}

/* What comes to each level is what those above could not answer. */
static void test_counters_add_up(void **state) {
    struct model_parameters p = three_levels();
    struct hierarchy *h = make(p);
    uint64_t seed = 11, now = 0;
    for (int i = 0; i < 300000; i++) {
        uint64_t r = next_random(&seed);
        enum access_kind kind = r >> 40 & 3;
        unsigned core = r >> 42 & 1;
        hierarchy_access(h, core, r >> 43 & 1, kind, r % 200000, 0, now += 3);
    }
    uint64_t from_memory = 0, llc_misses = 0;
    for (unsigned core = 0; core < 2; core++) {
        struct level_counts l2 = {0}, llc = {0};
        uint64_t supplied[SUPPLIERS] = {0};
        for (unsigned kind = 0; kind < ACCESS_KINDS; kind++) {
            const struct level_counts *two = &figures(h, core, CACHE_L2).counts[kind];
            const struct level_counts *last = &figures(h, core, CACHE_LLC).counts[kind];
            l2.accesses += two->accesses, l2.fills += two->fills, l2.misses += two->misses;
            llc.accesses += last->accesses, llc.fills += last->fills;
            for (unsigned mode = 0; mode < MODEL_MODES; mode++)
                for (unsigned supplier = FROM_L2; supplier < SUPPLIERS; supplier++)
                    supplied[supplier] += hierarchy_counts(h, core, mode)->supplied[kind][supplier];
        }
        uint64_t data = supplied[FROM_L2] + supplied[FROM_LLC] + supplied[FROM_MEMORY];
        assert_true(l2.accesses >= data); /* and stores to lines it may not write */
        assert_true(l2.misses >= l2.fills && l2.accesses > l2.misses);
        assert_int_equal(llc.accesses, supplied[FROM_LLC] + supplied[FROM_MEMORY]);
        assert_int_equal(llc.fills, supplied[FROM_MEMORY]);
        assert_true(supplied[UPGRADE_BY_CACHE] > 100 && supplied[FROM_L2] > 1000);
        from_memory += supplied[FROM_MEMORY], llc_misses += llc.fills;
    }
    assert_int_equal(hierarchy_dram_counts(h)->reads, from_memory);
    assert_int_equal(hierarchy_dram_counts(h)->writes, figures(h, 0, CACHE_LLC).write_backs);
    assert_int_equal(llc_misses, from_memory);
    struct cache_figures none;
    assert_false(hierarchy_figures(h, 0, CACHE_L3, &none));
    hierarchy_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_latencies),
        cmocka_unit_test(test_composition),
        cmocka_unit_test(test_gem5_chase),
        cmocka_unit_test(test_three_levels),
        cmocka_unit_test(test_eviction_and_write_back),
        cmocka_unit_test(test_mostly_inclusive),
        cmocka_unit_test(test_inclusive),
        cmocka_unit_test(test_exclusive),
        cmocka_unit_test(test_upgrade_past_llc),
        cmocka_unit_test(test_shared_fills),
        cmocka_unit_test(test_mshrs),
        cmocka_unit_test(test_write_buffers),
        cmocka_unit_test(test_no_marks_for_who_waits),
        cmocka_unit_test(test_counters_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
