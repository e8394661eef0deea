/* What a lukewarm start flushes: each part of a machine by itself, and the machines that come with
 * the suite under random programs whose parts forget at random moments. */
#define DATA DATA_PLACE /* the model has another DATA */
#include "program.h"
#undef DATA

#include "model/flush.h"
#include "model/state.h"

static const char *const systems[] = {"simple",  "inorder", "skylake",
                                      "icelake", "zen4",    "neoverse-n1"};
enum { SYSTEMS = sizeof systems / sizeof *systems };

static void test_names(void **state) {
    char list[FLUSH_TEXT];
    assert_int_equal(flush_parse("l1"), FLUSH_L1);
    assert_int_equal(flush_parse("bp,tlb,l1"), FLUSH_L1 | FLUSH_TLB | FLUSH_BP);
    flush_print(FLUSH_L1 | FLUSH_LLC | FLUSH_BP, list);
    assert_string_equal(list, "l1,llc,bp");
    flush_print(FLUSH_ALL, list);
    assert_int_equal(flush_parse(list), FLUSH_ALL);
    flush_print(0, list);
    assert_string_equal(list, "");
    static const char *const bad[] = {"",  ",",   "l1,", ",l1", "l4",
                                      "l", "l1 ", "L1",  "all", "l1;l2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(flush_parse(bad[i]), 0);
}

static void test_parts_of_systems(void **state) {
    static const unsigned parts[SYSTEMS] = {FLUSH_L1 | FLUSH_LLC,
                                            FLUSH_L1 | FLUSH_LLC,
                                            FLUSH_ALL & ~FLUSH_TLB,
                                            FLUSH_ALL,
                                            FLUSH_ALL,
                                            FLUSH_ALL};
    for (unsigned i = 0; i < SYSTEMS; i++) {
        struct model_parameters parameters = shipped(systems[i]);
        assert_int_equal(flush_parts_of(&parameters), parts[i]);
    }
}

/* ---- one part at a time ---- */

static struct cache_figures figures_of(const struct model *model, enum cache_name name) {
    struct cache_figures figures = {0};
    assert_true(hierarchy_figures(model->hierarchy, 0, name, &figures));
    return figures;
}

/* What a load and its fetch have met so far. */
struct met {
    uint64_t l1i, l1d, l2, llc, memory, walks, dtlb;
};

static struct met look(const struct model *model) {
    const struct access_counts *counts = &model->hierarchy->front[0].counts[MODEL_USER];
    const struct mmu_counts *mmu = mmu_counts(model->cores[0].mmu, MODEL_USER);
    return (struct met){
        .l1i = access_misses(counts, FETCH),
        .l1d = access_misses(counts, LOAD),
        .l2 = figures_of(model, CACHE_L2).counts[LOAD].misses,
        .llc = figures_of(model, CACHE_LLC).counts[LOAD].misses,
        .memory = counts->supplied[LOAD][FROM_MEMORY],
        .walks = mmu->walks,
        .dtlb = mmu->dtlb.misses,
    };
}

static void assert_met(struct met before, struct met after, struct met expected) {
    assert_int_equal(after.l1i - before.l1i, expected.l1i);
    assert_int_equal(after.l1d - before.l1d, expected.l1d);
    assert_int_equal(after.l2 - before.l2, expected.l2);
    assert_int_equal(after.llc - before.llc, expected.llc);
    assert_int_equal(after.memory - before.memory, expected.memory);
    assert_int_equal(after.walks - before.walks, expected.walks);
    assert_int_equal(after.dtlb - before.dtlb, expected.dtlb);
}

/* icelake without prefetchers, whose LLC keeps what the caches above have. */
static struct model_parameters plain(void) {
    struct model_parameters parameters = shipped("icelake");
    for (unsigned level = 0; level < CACHE_LEVELS; level++)
        strcpy(parameters.level[level].prefetcher.name, "none");
    strcpy(parameters.l1i.prefetcher.name, "none");
    strcpy(parameters.l1d.prefetcher.name, "none");
    strcpy(parameters.level[LEVEL_LLC].inclusion, "mostly_inclusive");
    return parameters;
}

static const struct translation data_page = {.page = DATA_PLACE,
                                             .frame = DATA_PLACE,
                                             .page_shift = 12,
                                             .levels = 1,
                                             .walk = {DATA_PLACE + PAGE}};

/* The line of the page's only table entry is in the L1D as well: a walk finds it where the load
 * finds its own. */
static struct met met_after(const struct model_parameters *parameters, unsigned parts) {
    struct model *model = make(parameters);
    autofree struct code *one = ASSEMBLE(CODE, LOAD_RAX), *other = ASSEMBLE(CODE + PAGE, NOP);
    struct access access = load_of(DATA_PLACE);
    access.translation = &data_page;
    for (unsigned i = 0; i < 2; i++) {
        run(model, one, &access, 1, 0);
        run_often(model, other, 4000); /* until all has arrived */
    }
    struct met before = look(model);
    model_flush(model, parts);
    run(model, one, &access, 1, 0);
    struct met after = look(model);
    model_free(model);
    assert_met((struct met){0}, before, (struct met){2, 1, 1, 1, 1, 1, 1});
    return (struct met){
        .l1i = after.l1i - before.l1i,
        .l1d = after.l1d - before.l1d,
        .l2 = after.l2 - before.l2,
        .llc = after.llc - before.llc,
        .memory = after.memory - before.memory,
        .walks = after.walks - before.walks,
        .dtlb = after.dtlb - before.dtlb,
    };
}

static void test_each_alone(void **state) {
    struct model_parameters p = plain();
    const struct met none = {0};
    assert_met(none, met_after(&p, 0), none);
    assert_met(none, met_after(&p, FLUSH_L1), (struct met){.l1i = 1, .l1d = 1});
    assert_met(none, met_after(&p, FLUSH_L2), none); /* hidden by the L1s … */
    assert_met(none, met_after(&p, FLUSH_L1 | FLUSH_L2), (struct met){.l1i = 1, .l1d = 1, .l2 = 1});
    assert_met(none, met_after(&p, FLUSH_LLC), none);
    assert_met(none, met_after(&p, FLUSH_L2 | FLUSH_LLC), none);
    assert_met(none, met_after(&p, FLUSH_L1 | FLUSH_L2 | FLUSH_LLC),
               (struct met){.l1i = 1, .l1d = 1, .l2 = 1, .llc = 1, .memory = 1});
    assert_met(none, met_after(&p, FLUSH_TLB), (struct met){.walks = 1, .dtlb = 1});
    assert_met(none, met_after(&p, FLUSH_BP), none);
}

/* What is above an inclusive cache goes with it. */
static void test_inclusive(void **state) {
    struct model_parameters p = plain();
    const struct met none = {0}, from_llc = {.l1i = 1, .l1d = 1, .l2 = 1};
    strcpy(p.level[LEVEL_L2].inclusion, "inclusive");
    assert_met(none, met_after(&p, FLUSH_L2), from_llc);
    strcpy(p.level[LEVEL_LLC].inclusion, "inclusive");
    assert_met(none, met_after(&p, FLUSH_LLC),
               (struct met){.l1i = 1, .l1d = 1, .l2 = 1, .llc = 1, .memory = 1});
}

/* A branch that is always taken, learnt and forgotten; nothing but that forgets it. */
static void test_branches(void **state) {
    struct model *model = make_shipped("skylake");
    autofree struct code *loop = ASSEMBLE(CODE, "\x48\x01\xc0\x75\xfb"); /* add; jne to itself */
    for (unsigned i = 0; i < 2000; i++)
        run(model, loop, NULL, 0, CODE);
    uint64_t learnt = model->cores[0].counts[MODEL_USER].mispredicts;
    model_flush(model, FLUSH_ALL & ~FLUSH_BP);
    run(model, loop, NULL, 0, CODE);
    assert_int_equal(model->cores[0].counts[MODEL_USER].mispredicts, learnt);
    uint64_t misses[2][MODEL_MISSES];
    model_misses(model, 0, misses[0]);
    model_flush(model, FLUSH_BP);
    for (unsigned i = 0; i < 10; i++)
        run(model, loop, NULL, 0, CODE);
    model_misses(model, 0, misses[1]);
    assert_true(misses[1][MODEL_MISPREDICTS] > misses[0][MODEL_MISPREDICTS]);
    assert_int_equal(misses[1][MODEL_MISSES_L1D], misses[0][MODEL_MISSES_L1D]);
    model_free(model);
}

/* A stride that was learnt is prefetched on; once the L1s have forgotten, it is not. */
static void test_prefetchers(void **state) {
    struct model_parameters p = plain();
    p.l1d.prefetcher = (struct prefetcher_parameters){"stride", 1, 1, 16};
    for (unsigned parts = 0; parts <= FLUSH_L1; parts++) {
        struct model *model = make(&p);
        autofree struct code *code = ASSEMBLE(CODE, LOAD_RAX);
        struct access access;
        for (unsigned i = 0; i < 8; i++) {
            access = load_of(DATA_PLACE + i * 128);
            run(model, code, &access, 1, 0);
        }
        uint64_t issued = figures_of(model, CACHE_L1D).prefetch.issued;
        assert_true(issued > 0);
        model_flush(model, parts);
        access = load_of(DATA_PLACE + 8 * 128);
        run(model, code, &access, 1, 0);
        assert_int_equal(figures_of(model, CACHE_L1D).prefetch.issued - issued, parts ? 0 : 1);
        model_free(model);
    }
}

/* ---- all of the shipped machines ---- */

enum { BLOCKS = 24, STEPS = 6000, LINES = 4000 };

static void check_stack(const struct model *model) {
    for (unsigned core = 0; core < model->parameters.cores; core++)
        for (unsigned mode = 0; mode < MODEL_MODES; mode++) {
            const struct core_counts *counts = &model->cores[core].counts[mode];
            uint64_t sum = 0;
            for (unsigned part = 0; part < STACK_PARTS; part++)
                sum += counts->stack[part];
            assert_int_equal(sum, counts->cycles);
        }
}

/* Loads and stores all over, on two cores that share some lines; now and then parts forget. What
 * all that came to, as one number. */
static uint64_t run_randomly(const char *system, struct code *const blocks[BLOCKS], uint64_t random,
                             bool flushes) {
    struct model *model = make_shipped(system);
    uint64_t sum = 0;
    for (unsigned i = 0; i < STEPS; i++) {
        struct code *code = blocks[next_random(&random) % BLOCKS];
        struct access access = load_of(DATA_PLACE + next_random(&random) % LINES * LINE);
        access.store = code->segment.instruction[0].offset == 0 && next_random(&random) % 3 == 0;
        struct step step = {.segment = &code->segment,
                            .end = code->segment.count,
                            .accesses = &access,
                            .access_count = 1,
                            .next = &code->segment};
        model_run(model, i / 16 % 2, &step);
        unsigned parts = (unsigned)(next_random(&random) % FLUSH_ALL) + 1;
        if (flushes && i % 50 == 49)
            model_flush(model, parts);
    }
    check_stack(model);
    autofree uint64_t *values = read_values(model);
    for (size_t i = 0; i < model_statistic_count(model); i++)
        sum = sum * 31 + values[i];
    model_free(model);
    return sum;
}

static void test_shipped_systems(void **state) {
    struct code *blocks[BLOCKS];
    for (unsigned i = 0; i < BLOCKS; i++)
        blocks[i] = ASSEMBLE(CODE + i * 1024, LOAD_RAX "\x48\x01\xc0\x75\xf8"); /* jne to it */
    for (unsigned i = 0; i < SYSTEMS; i++) {
        uint64_t flushed = run_randomly(systems[i], blocks, 7 + i, true);
        assert_true(flushed == run_randomly(systems[i], blocks, 7 + i, true));
        assert_true(flushed != run_randomly(systems[i], blocks, 7 + i, false));
    }
    for (unsigned i = 0; i < BLOCKS; i++)
        free(blocks[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),           cmocka_unit_test(test_parts_of_systems),
        cmocka_unit_test(test_each_alone),      cmocka_unit_test(test_inclusive),
        cmocka_unit_test(test_branches),        cmocka_unit_test(test_prefetchers),
        cmocka_unit_test(test_shipped_systems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
