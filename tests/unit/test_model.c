/* The timing model against hand-computed traces, an independent LRU, and cycles that gem5 24.0
 * measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/cache.h"
#include "model/model.h"

#define CROSSBAR_L2                                                                                \
    { 32, 1, 0, 1, 0 }
#define CROSSBAR_SYSTEM                                                                            \
    { 16, 3, 4, 2, 1 }

/* systems/simple.yaml */
static struct model_parameters simple(void) {
    const struct cache_parameters l1 = {16384, 8, 1, 1, 2, 4, "lru"};
    return (struct model_parameters){
        .name = "simple",
        .description = "test",
        .clock = 2500000000,
        .cores = 2,
        .core_model = "blocking",
        .fetch_width = 8,
        .line_size = 64,
        .l1i = l1,
        .l1d = l1,
        .llc = {131072, 8, 12, 12, 12, 20, "lru"},
        .llc_bus = CROSSBAR_L2,
        .memory_bus = CROSSBAR_SYSTEM,
        .memory_size = UINT64_C(2) << 30,
        .memory_model = "fixed",
        .memory_latency = 50000,
    };
}

/* Two lines of capacity in each L1, four in the LLC: one set each. */
static struct model_parameters tiny(void) {
    struct model_parameters p = simple();
    p.l1i.size = p.l1d.size = 128;
    p.l1i.associativity = p.l1d.associativity = 2;
    p.llc.size = 256;
    p.llc.associativity = 4;
    return p;
}

static struct model *make(struct model_parameters parameters) {
    struct parameters_problem problem;
    if (!parameters_check(&parameters, &problem))
        fail_msg("%s: %s", problem.key, problem.text);
    struct model *model = model_new(&parameters);
    assert_non_null(model);
    return model;
}

static uint64_t read_statistic(const struct model *model, const char *name) {
    uint64_t values[512];
    assert_true(model_statistic_count(model) < 512);
    model_read_statistics(model, values);
    for (size_t i = 0; i < model_statistic_count(model); i++)
        if (strcmp(model_statistic(model, i)->name, name) == 0)
            return values[i];
    fail_msg("there is no statistic %s", name);
    return 0;
}

#define expect(model, name, value) assert_int_equal(read_statistic(model, name), value)

static void load(struct model *model, unsigned core, uint64_t address) {
    model_access(model, core, MODEL_USER, address, 8, false);
}

static void store(struct model *model, unsigned core, uint64_t address) {
    model_access(model, core, MODEL_USER, address, 8, true);
}

/* Cycles that core 0 takes from here to the end of the statement. */
#define cycles_of(model, statement)                                                                \
    ({                                                                                             \
        uint64_t before_ = read_statistic(model, "system.cpu0.numCycles");                         \
        statement;                                                                                 \
        read_statistic(model, "system.cpu0.numCycles") - before_;                                  \
    })

enum { LLC_HIT = 17, MEMORY = 164 }; /* 1 + 16 and 1 + 163: see test_gem5_chase */

static void test_latencies(void **state) {
    struct model *m = make(simple());
    assert_int_equal(cycles_of(m, load(m, 0, 0x1000)), MEMORY);
    assert_int_equal(cycles_of(m, load(m, 0, 0x1038)), 1);
    assert_int_equal(cycles_of(m, load(m, 1, 0x2000)), 0); /* the other core's clock */
    assert_int_equal(cycles_of(m, load(m, 0, 0x2000)), LLC_HIT);
    assert_int_equal(cycles_of(m, store(m, 0, 0x9000)), MEMORY);
    assert_int_equal(cycles_of(m, store(m, 0, 0x1000)), 1);       /* exclusive: no need to ask */
    assert_int_equal(cycles_of(m, store(m, 0, 0x2000)), LLC_HIT); /* shared with core 1 */
    assert_int_equal(cycles_of(m, model_fetch(m, 0, MODEL_USER, 0x1000)), LLC_HIT - 1);
    assert_int_equal(cycles_of(m, model_fetch(m, 0, MODEL_USER, 0x1020)), 0);
    assert_int_equal(cycles_of(m, model_retire(m, 0, MODEL_USER, 3, 4)), 4);
    assert_int_equal(cycles_of(m, model_access_uncached(m, 0, MODEL_KERNEL, true)), MEMORY);
    expect(m, "system.cpu0.modeCycles::kernel", MEMORY);
    expect(m, "simInsts", 3);
    model_free(m);
}

/* Other parameters must show: each latency in turn made longer by its own amount. */
static void test_composition(void **state) {
    struct {
        size_t offset;
        uint64_t hit, llc, memory; /* how often a load's way has this latency in it */
    } const parts[] = {
        {offsetof(struct model_parameters, l1d.tag_latency), 1, 1, 1},
        {offsetof(struct model_parameters, l1d.response_latency), 0, 1, 1},
        {offsetof(struct model_parameters, llc.tag_latency), 0, 1, 1},
        {offsetof(struct model_parameters, llc.response_latency), 0, 0, 1},
        {offsetof(struct model_parameters, llc_bus.frontend_latency), 0, 1, 1},
        {offsetof(struct model_parameters, llc_bus.forward_latency), 0, 1, 1},
        {offsetof(struct model_parameters, llc_bus.response_latency), 0, 1, 1},
        {offsetof(struct model_parameters, llc_bus.snoop_filter_latency), 0, 1, 1},
        {offsetof(struct model_parameters, memory_bus.frontend_latency), 0, 0, 1},
        {offsetof(struct model_parameters, memory_bus.forward_latency), 0, 0, 1},
        {offsetof(struct model_parameters, memory_bus.response_latency), 0, 0, 1},
        {offsetof(struct model_parameters, memory_bus.snoop_filter_latency), 0, 0, 1},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct model_parameters p = simple();
        *(uint64_t *)((char *)&p + parts[i].offset) += 5;
        struct model *m = make(p);
        load(m, 1, 0x2000);
        assert_int_equal(cycles_of(m, load(m, 0, 0x1000)), MEMORY + 5 * parts[i].memory);
        assert_int_equal(cycles_of(m, load(m, 0, 0x2000)), LLC_HIT + 5 * parts[i].llc);
        assert_int_equal(cycles_of(m, load(m, 0, 0x1000)), 1 + 5 * parts[i].hit);
        model_free(m);
    }
    struct model_parameters p = simple();
    p.memory_latency = 50001; /* ends a tick into the 126th cycle: seen at its end */
    struct model *m = make(p);
    assert_int_equal(cycles_of(m, load(m, 0, 0x1000)), MEMORY + 1);
    model_free(m);
}

/* gem5 24.0, TimingSimpleCPU: a pointer chase of 20000 steps, 4 instructions in 5 fetches and one
 * load each, and a few instructions around it. 8 kB, 64 kB and 1 MB working set: measured cycles,
 * L1D misses and LLC misses. What the misses add to the first must be what the model says they add.
 */
static void test_gem5_chase(void **state) {
    const uint64_t chase_8 = 120032, chase_64 = 440080, chase_1024 = 3372730;
    struct model *m = make(simple());
    uint64_t memory = cycles_of(m, load(m, 0, 0)) - 1;
    load(m, 1, 0x2000);
    uint64_t llc = cycles_of(m, load(m, 0, 0x2000)) - 1;
    assert_int_equal(chase_8 + 20003 * llc, chase_64);
    assert_int_equal(chase_8 + 19950 * memory + (20003 - 19950) * llc, chase_1024);
    model_free(m);
}

static void test_eviction_and_writeback(void **state) {
    struct model *m = make(tiny());
    store(m, 0, 0 * 64); /* miss */
    load(m, 0, 1 * 64);  /* miss */
    load(m, 0, 0 * 64);  /* hit: line 1 is now the least recently used */
    load(m, 0, 2 * 64);  /* miss, line 1 goes, clean */
    load(m, 0, 3 * 64);  /* miss, line 0 goes, dirty: to the LLC, which holds it */
    expect(m, "system.cpu0.dcache.overallAccesses::user", 5);
    expect(m, "system.cpu0.dcache.overallMisses::user", 4);
    expect(m, "system.cpu0.dcache.overallHits::total", 1);
    expect(m, "system.cpu0.dcache.writebacks::total", 1);
    expect(m, "system.llc.writebacks::total", 0);
    load(m, 0, 4 * 64); /* LLC use order 0 3 2 1: line 1 goes, clean */
    load(m, 0, 5 * 64); /* line 2 goes */
    load(m, 0, 6 * 64); /* line 3 goes */
    expect(m, "system.mem_ctrls.writeReqs", 0);
    load(m, 0, 7 * 64); /* line 0 goes, dirty */
    expect(m, "system.mem_ctrls.writeReqs", 1);
    expect(m, "system.llc.writebacks::total", 1);
    expect(m, "system.mem_ctrls.readReqs", 8);
    expect(m, "system.llc.overallAccesses::cpu0.data", 8); /* write-backs are no accesses */
    expect(m, "system.llc.overallHits::total", 0);
    load(m, 0, 4 * 64); /* L1 holds 7 and 6; LLC 7 6 5 4 */
    expect(m, "system.llc.overallHits::cpu0.data", 1);
    model_flush(m);
    load(m, 0, 4 * 64);
    expect(m, "system.cpu0.llcMisses::user", 9);
    model_free(m);
}

/* A dirty victim that the LLC has lost allocates there again. */
static void test_mostly_inclusive(void **state) {
    struct model *m = make(tiny());
    store(m, 0, 0);
    for (uint64_t line = 1; line <= 4; line++)
        load(m, 1, line * 64); /* pushes line 0 out of the LLC, not out of core 0's L1 */
    assert_int_equal(cycles_of(m, load(m, 0, 0)), 1);
    load(m, 0, 8 * 64);
    load(m, 0, 9 * 64); /* line 0 goes: allocates in the LLC */
    expect(m, "system.cpu0.dcache.writebacks::total", 1);
    assert_int_equal(cycles_of(m, load(m, 0, 0)), LLC_HIT);
    model_free(m);
}

static void test_coherence(void **state) {
    struct model *m = make(simple());
    store(m, 0, 0x1000); /* modified in core 0 */
    load(m, 1, 0x1000);  /* written back, both share */
    expect(m, "system.cpu0.dcache.writebacks::total", 1);
    expect(m, "system.llc.overallHits::cpu1.data", 1);
    assert_int_equal(cycles_of(m, load(m, 0, 0x1000)), 1);
    assert_int_equal(cycles_of(m, store(m, 0, 0x1000)),
                     LLC_HIT); /* an upgrade: a miss, but no LLC access */
    expect(m, "system.cpu0.dcache.overallMisses::total", 2);
    expect(m, "system.cpu0.dcache.upgradeMisses::total", 1);
    expect(m, "system.llc.overallAccesses::cpu0.data", 1);
    assert_int_equal(cycles_of(m, store(m, 0, 0x1000)), 1);
    load(m, 1, 0x1000); /* its copy was taken */
    expect(m, "system.cpu1.dcache.overallMisses::total", 2);
    store(m, 1, 0x1000); /* … and core 0's in turn */
    assert_int_equal(cycles_of(m, load(m, 0, 0x1000)), LLC_HIT);

    model_fetch(m, 1, MODEL_KERNEL,
                0x5000); /* self-modifying code: a store takes the line from L1Is */
    model_fetch(m, 0, MODEL_KERNEL, 0x5000);
    store(m, 0, 0x5000);
    model_fetch(m, 1, MODEL_KERNEL, 0x5000);
    model_fetch(m, 0, MODEL_KERNEL, 0x5000);
    expect(m, "system.cpu1.icache.overallMisses::kernel", 2);
    expect(m, "system.cpu0.icache.overallMisses::kernel", 2);
    expect(m, "system.cpu0.icache.overallMisses::user", 0);
    model_free(m);
}

/* The right to write a line that the LLC has lost comes from the memory bus: no memory access. */
static void test_upgrade_past_llc(void **state) {
    struct model *m = make(tiny());
    load(m, 0, 0);
    load(m, 1, 0);
    for (uint64_t line = 1; line <= 4; line++)
        model_fetch(m, 1, MODEL_USER, line * 64);
    uint64_t reads = read_statistic(m, "system.mem_ctrls.readReqs");
    /* 1 tag + 1 bus + 12 tag + 8 bus + 12 response + 1 bus + 2 response */
    assert_int_equal(cycles_of(m, store(m, 0, 0)), 37);
    expect(m, "system.mem_ctrls.readReqs", reads);
    model_free(m);
}

static void test_line_crossing(void **state) {
    struct model *m = make(simple());
    model_access(m, 0, MODEL_USER, 0x103c, 8, false);
    expect(m, "system.cpu0.dcache.overallAccesses::total", 2);
    expect(m, "system.cpu0.dcache.overallMisses::total", 2);
    expect(m, "system.cpu0.numCycles", MEMORY + 1); /* side by side, answered a cycle apart */
    assert_int_equal(cycles_of(m, model_access(m, 0, MODEL_USER, 0x1038, 8, false)), 1);
    assert_int_equal(cycles_of(m, model_access(m, 0, MODEL_USER, 0x1039, 8, true)), 2);
    assert_int_equal(cycles_of(m, model_access(m, 0, MODEL_USER, 0x107f, 2, false)), MEMORY);
    expect(m, "system.cpu0.dcache.overallMisses::total", 3);
    model_free(m);
}

static uint64_t next_random(uint64_t *state) {
    uint64_t x = *state;
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    return *state = x;
}

/* LRU as a textbook says it: a time stamp a line, the oldest goes. */
struct naive {
    uint64_t line[64][8], time[64][8], now, hits, evictions;
    unsigned sets, ways;
};

static bool naive_use(struct naive *naive, uint64_t address) {
    uint64_t line = address / 64 + 1, *lines = naive->line[address / 64 % naive->sets];
    uint64_t *times = naive->time[address / 64 % naive->sets];
    unsigned oldest = 0;
    naive->now++;
    for (unsigned way = 0; way < naive->ways; way++) {
        if (lines[way] == line) {
            times[way] = naive->now;
            naive->hits++;
            return true;
        }
        if (times[way] < times[oldest])
            oldest = way;
    }
    naive->evictions += lines[oldest] != 0;
    lines[oldest] = line;
    times[oldest] = naive->now;
    return false;
}

static void against_naive(const struct replacement_policy *policy, unsigned sets, unsigned ways,
                          uint64_t seed) {
    struct naive naive = {.sets = sets, .ways = ways};
    struct cache cache;
    uint64_t hits = 0, evictions = 0;
    assert_true(cache_init(&cache, (uint64_t)sets * ways * 64, ways, 64, policy));
    for (int i = 0; i < 200000; i++) {
        uint64_t address = next_random(&seed) % ((uint64_t)sets * ways * 64 * 3 / 2);
        bool hit = cache_first(&cache, address) || cache_use(&cache, address);
        assert_int_equal(hit, naive_use(&naive, address));
        hits += hit;
        if (!hit)
            evictions += cache_fill(&cache, address, 0) != LINE_NONE;
    }
    assert_int_equal(hits, naive.hits);
    assert_int_equal(evictions, naive.evictions);
    assert_true(evictions > 10000 && hits > 10000);
    cache_free(&cache);
}

static void test_lru(void **state) {
    against_naive(replacement_find("lru"), 1, 8, 1);
    against_naive(replacement_find("lru"), 32, 8, 2);
    against_naive(replacement_find("lru"), 64, 1, 3);
    against_naive(replacement_find("lru"), 16, 3, 4);
}

/* A policy that keeps its state in the notes and leaves lines where they are. It ages all others at
 * every use, so it must hear of every one: LRU by age, for as long as ages fit. */
static unsigned age_all_but(struct cache_set set, unsigned used) {
    for (unsigned way = 0; way < set.ways; way++)
        if (set.notes[way] <= set.notes[used] && way != used)
            set.notes[way]++;
    set.notes[used] = 0;
    return used;
}

static unsigned age_new(struct cache_set set, unsigned way) {
    set.notes[way] = (uint8_t)set.ways;
    return age_all_but(set, way);
}

static unsigned oldest(struct cache_set set) {
    unsigned oldest = 0;
    for (unsigned way = 1; way < set.ways; way++)
        if (set.notes[way] > set.notes[oldest])
            oldest = way;
    return oldest;
}

static void test_policy_with_notes(void **state) {
    const struct replacement_policy ages = {"ages", age_all_but, age_new, oldest};
    against_naive(&ages, 32, 8, 5);
}

static uint64_t of_core(const struct model *model, unsigned core, const char *statistic) {
    char name[80];
    snprintf(name, sizeof name, "system.cpu%u.%s", core, statistic);
    return read_statistic(model, name);
}

/* The whole hierarchy on a random trace of two cores: what must add up adds up, and twice gives the
 * same. */
static void test_random_trace(void **state) {
    uint64_t values[2][512];
    for (int round = 0; round < 2; round++) {
        struct model *m = make(simple());
        uint64_t seed = 11;
        for (int i = 0; i < 300000; i++) {
            uint64_t r = next_random(&seed);
            enum model_mode mode = r >> 40 & 1;
            if (r >> 41 & 1)
                model_fetch(m, r >> 42 & 1, mode, r % 50000),
                    model_retire(m, r >> 42 & 1, mode, 1, 1);
            else
                model_access(m, r >> 42 & 1, mode, r % 300000, 1u << (r >> 43 & 3), r >> 45 & 1);
        }
        model_read_statistics(m, values[round]);
        if (round == 0) {
            uint64_t llc = 0, memory = 0;
            for (unsigned core = 0; core < 2; core++) {
                assert_int_equal(of_core(m, core, "numCycles"),
                                 of_core(m, core, "modeCycles::user") +
                                     of_core(m, core, "modeCycles::kernel"));
                assert_int_equal(of_core(m, core, "dcache.overallAccesses::total"),
                                 of_core(m, core, "dcache.overallHits::user") +
                                     of_core(m, core, "dcache.overallHits::kernel") +
                                     of_core(m, core, "dcache.overallMisses::total"));
                llc += of_core(m, core, "icache.overallMisses::total") +
                       of_core(m, core, "dcache.overallMisses::total") -
                       of_core(m, core, "dcache.upgradeMisses::total");
                memory += of_core(m, core, "llcMisses::total");
                assert_true(of_core(m, core, "dcache.upgradeMisses::total") > 0);
            }
            expect(m, "system.llc.overallAccesses::total", llc);
            expect(m, "system.llc.overallMisses::total", memory);
            expect(m, "system.mem_ctrls.readReqs", memory);
            expect(m, "system.llc.overallHits::total", llc - memory);
        } else {
            assert_memory_equal(values[0], values[1],
                                model_statistic_count(m) * sizeof values[0][0]);
        }
        model_free(m);
    }
}

static void test_statistics_table(void **state) {
    struct model_parameters p = simple();
    p.cores = 12; /* two digits */
    struct model *m = make(p);
    size_t count = model_statistic_count(m);
    for (size_t i = 0; i < count; i++) {
        const struct model_statistic *a = model_statistic(m, i);
        assert_true(*a->name && *a->unit && *a->description);
        assert_null(strpbrk(a->name, "% \t\n"));
        assert_null(strpbrk(a->description, "\t\n"));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(a->name, model_statistic(m, j)->name);
    }
    static const char *const promised[] = {"simInsts",
                                           "system.cpu0.numCycles",
                                           "system.cpu11.numCycles",
                                           "system.cpu1.modeCycles::user",
                                           "system.cpu1.modeCycles::kernel",
                                           "system.cpu1.commitStats0.numInsts",
                                           "system.cpu1.modeInsts::user",
                                           "system.cpu1.modeInsts::kernel",
                                           "system.cpu1.icache.overallAccesses::user",
                                           "system.cpu1.icache.overallMisses::kernel",
                                           "system.cpu1.icache.overallHits::total",
                                           "system.cpu1.dcache.overallAccesses::total",
                                           "system.cpu1.dcache.overallMisses::user",
                                           "system.cpu1.dcache.overallHits::kernel",
                                           "system.cpu1.llcMisses::user",
                                           "system.cpu1.llcMisses::kernel",
                                           "system.cpu1.llcMisses::total",
                                           "system.llc.overallAccesses::cpu1.inst",
                                           "system.llc.overallMisses::cpu11.data",
                                           "system.llc.overallHits::total",
                                           "system.cpu1.icache.writebacks::total"};
    for (size_t i = 0; i < sizeof promised / sizeof promised[0]; i++)
        expect(m, promised[i], 0);
    model_free(m);
}

static void refuses(struct model_parameters parameters, const char *key) {
    struct parameters_problem problem = {0};
    assert_false(parameters_check(&parameters, &problem));
    assert_string_equal(problem.key, key);
    assert_non_null(strchr(problem.text, ':'));
}

static void test_parameters_check(void **state) {
    struct model_parameters good = simple();
    assert_true(parameters_check(&good, NULL));
#define REFUSES(key, change)                                                                       \
    do {                                                                                           \
        struct model_parameters p = simple();                                                      \
        change;                                                                                    \
        refuses(p, key);                                                                           \
    } while (0)
    REFUSES("caches.l1d.size", p.l1d.size = 16384 + 64);
    REFUSES("caches.l1i.size", p.l1i.size = 3 * 8192);
    REFUSES("caches.llc.size", p.llc.associativity = 7);
    REFUSES("caches.line_size", p.line_size = 48);
    REFUSES("caches.line_size", p.line_size = 8);
    REFUSES("caches.l1d.associativity", p.l1d.associativity = 0);
    REFUSES("caches.llc.replacement", strcpy(p.llc.replacement, "clairvoyant"));
    REFUSES("core.fetch_width", p.fetch_width = 128);
    REFUSES("core.model", *p.core_model = '\0');
    REFUSES("cores", p.cores = 0);
    REFUSES("clock", p.clock = 0);
}

static void test_parameters_format(void **state) {
    static const struct {
        enum parameter_unit unit;
        uint64_t number;
        const char *text;
    } cases[] = {
        {UNIT_BYTES, 16384, "16 kB"},          {UNIT_BYTES, 64, "64 B"},
        {UNIT_BYTES, 1408 * 1024, "1.375 MB"}, {UNIT_BYTES, UINT64_C(2) << 30, "2 GB"},
        {UNIT_HERTZ, 2500000000, "2.5 GHz"},   {UNIT_PICOSECONDS, 50000, "50 ns"},
        {UNIT_PICOSECONDS, 0, "0 ps"},         {UNIT_CYCLES, 1, "1 cycle"},
        {UNIT_CYCLES, 12, "12 cycles"},        {UNIT_COUNT, 100, "100"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        parameter_format(cases[i].unit, cases[i].number, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_latencies),
        cmocka_unit_test(test_composition),
        cmocka_unit_test(test_gem5_chase),
        cmocka_unit_test(test_eviction_and_writeback),
        cmocka_unit_test(test_mostly_inclusive),
        cmocka_unit_test(test_coherence),
        cmocka_unit_test(test_upgrade_past_llc),
        cmocka_unit_test(test_line_crossing),
        cmocka_unit_test(test_lru),
        cmocka_unit_test(test_policy_with_notes),
        cmocka_unit_test(test_random_trace),
        cmocka_unit_test(test_statistics_table),
        cmocka_unit_test(test_parameters_check),
        cmocka_unit_test(test_parameters_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
