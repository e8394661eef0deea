/* Footprints: which lines count, by hand, and the set of lines against a plain table of them. */
#include "program.h"

#include "model/footprint.h"

static void assert_footprint(struct model *model, const char *mode, uint64_t code, uint64_t data) {
    char name[64];
    snprintf(name, sizeof name, "system.cpu0.footprint.inst::%s", mode);
    assert_int_equal(value_of(model, name), code * LINE);
    snprintf(name, sizeof name, "system.cpu0.footprint.data::%s", mode);
    assert_int_equal(value_of(model, name), data * LINE);
}

static void test_counts_once(void **state) {
    struct model *model = make_shipped("simple");
    autofree struct code *code = ASSEMBLE(CODE, LOAD_RAX), *spilling = ASSEMBLE(CODE + 62, ADD_RAX);
    struct access split = access_at(0, DATA - 4, 8, true);
    struct access uncached = load_of(DATA + 4096);
    uncached.uncached = true;
    run(model, code, &split, 1, 0);
    assert_footprint(model, "total", 0, 0); /* not begun */
    model_begin_footprint(model);
    for (int i = 0; i < 3; i++)
        run(model, code, &split, 1, 0);
    assert_footprint(model, "total", 1, 2);
    run(model, spilling, &uncached, 1, 0);
    assert_footprint(model, "total", 2, 2);
    model_end_footprint(model);
    struct access other = load_of(DATA + 8192);
    run(model, code, &other, 1, 0);
    assert_footprint(model, "total", 2, 2);
    model_begin_footprint(model); /* the same lines again: counts only grow */
    run(model, code, &split, 1, 0);
    assert_footprint(model, "total", 3, 4);
    model_free(model);
}

/* By who came first. */
static void test_modes(void **state) {
    struct model *model = make_shipped("simple");
    autofree struct code *user = ASSEMBLE(CODE, LOAD_RAX),
                         *kernel = ASSEMBLE(CODE + LINE, LOAD_RAX);
    kernel->segment.mode = MODEL_KERNEL;
    struct access shared = load_of(DATA), own = load_of(DATA + LINE);
    model_begin_footprint(model);
    run(model, user, &shared, 1, 0);
    run(model, kernel, &shared, 1, 0);
    run(model, kernel, &own, 1, 0);
    assert_footprint(model, "user", 1, 1);
    assert_footprint(model, "kernel", 1, 1);
    assert_footprint(model, "total", 2, 2);
    model_free(model);
}

/* Whatever brings lines into the caches: only the program's own uses count, each once. */
static void test_every_system_against_tables(void **state) {
    enum { LINES = 4096, CODES = 64, STEPS = 30000 };
    const char *const systems[] = {"simple", "inorder", "skylake", "zen4"};
    for (unsigned i = 0; i < sizeof systems / sizeof *systems; i++) {
        struct model *model = make_shipped(systems[i]);
        struct translation pages[LINES * LINE / PAGE];
        for (unsigned page = 0; page < sizeof pages / sizeof *pages; page++)
            pages[page] = (struct translation){/* the tables lie among the data */
                                               .page = DATA + page * PAGE,
                                               .frame = DATA + page * PAGE,
                                               .walk = {DATA + 64 * page, DATA + 520 * page},
                                               .levels = 2,
                                               .page_shift = 12};
        struct code *codes[CODES];
        for (unsigned c = 0; c < CODES; c++)
            codes[c] = ASSEMBLE(CODE + c * 60, LOAD_RAX STORE_RAX);
        uint64_t random = 5, code_lines = 0, data_lines = 0;
        for (unsigned round = 0; round < 3; round++) {
            bool code_seen[LINES] = {false}, data_seen[LINES] = {false};
            model_begin_footprint(model);
            for (unsigned step = 0; step < STEPS; step++) {
                unsigned c = next_random(&random) >> 20 & (CODES - 1);
                uint64_t offset = (next_random(&random) >> 20) % (LINES * LINE - 8);
                if (step % 2) /* neighbours, for prefetchers */
                    offset = step * 8 % (LINES * LINE - 8);
                bool store = next_random(&random) >> 20 & 1;
                struct access access = access_at(store, DATA + offset, 8, store);
                access.translation = &pages[offset / PAGE];
                run(model, codes[c], &access, 1, codes[(c + 1) % CODES]->segment.address);
                bool *seen[] = {&code_seen[c * 60 / LINE], &code_seen[(c * 60 + 5) / LINE],
                                &data_seen[offset / LINE], &data_seen[(offset + 7) / LINE]};
                for (unsigned s = 0; s < 4; s++) {
                    *(s < 2 ? &code_lines : &data_lines) += !*seen[s];
                    *seen[s] = true;
                }
            }
            model_end_footprint(model);
            assert_footprint(model, "total", code_lines, data_lines);
        }
        for (unsigned c = 0; c < CODES; c++)
            free(codes[c]);
        model_free(model);
    }
}

static void test_set_against_table(void **state) {
    enum { LINES = 1 << 18, ADDED = 1 << 19 };
    struct footprint footprint;
    assert_true(footprint_init(&footprint, LINE, 0, 1));
    struct line_set *set = &footprint.set[FOOTPRINT_DATA];
    autofree bool *table = calloc(LINES, sizeof *table);
    uint64_t random = 1;
    for (int round = 0; round < 3; round++) {
        unsigned found = 0;
        for (unsigned i = 0; i < ADDED; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            /* dense, in strides, and all over memory */
            unsigned line = (unsigned)(random % (i % 3 ? LINES : 5000)) & (i % 5 ? ~0u : ~127u);
            uint64_t number = line * (round == 2 ? UINT64_C(64) : 1);
            bool added = line_set_add(set, number);
            assert_int_equal(added, !table[line]);
            table[line] = true;
            found += added;
        }
        assert_true(found > 50000);
        memset(table, 0, LINES * sizeof *table);
        footprint_begin(&footprint);
    }
    footprint_free(&footprint);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_once),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_every_system_against_tables),
        cmocka_unit_test(test_set_against_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
