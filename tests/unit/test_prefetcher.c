/* Each prefetcher on the pattern it is for, and on one it is not for; what the hierarchy makes of
 * what they ask for. */
#include "machine.h"

enum { MEMORY = 164, LLC_HIT = 17 };

static struct model_parameters with(enum cache_name cache, struct prefetcher_parameters which) {
    struct model_parameters p = three_levels();
    p.l1d.mshrs = p.l1i.mshrs = 16;
    if (cache == CACHE_L1I)
        p.l1i.prefetcher = which;
    else if (cache == CACHE_L1D)
        p.l1d.prefetcher = which;
    else
        p.level[cache - CACHE_L2].prefetcher = which;
    return p;
}

/* A prefetcher by itself: what it asks for when told of this. */
struct lone {
    const struct prefetcher *prefetcher;
    void *state;
    uint64_t lines[PREFETCHES_MOST];
};

static struct lone make_lone(struct prefetcher_parameters parameters) {
    struct lone lone = {.prefetcher = prefetcher_find(parameters.name)};
    assert_non_null(lone.prefetcher);
    lone.state = calloc(1, lone.prefetcher->size(&parameters, 64));
    assert_non_null(lone.state);
    lone.prefetcher->init(lone.state, &parameters, 64);
    return lone;
}

static unsigned tell(struct lone *lone, uint64_t address, uint64_t pc, bool hit) {
    struct prefetch_hint hint = {address, pc, hit, false};
    return lone->prefetcher->access(lone->state, &hint, lone->lines);
}

static void test_next_line(void **state) {
    struct lone next = make_lone((struct prefetcher_parameters){"next_line", 2, 1});
    assert_int_equal(tell(&next, 0x1010, 0, false), 2);
    assert_int_equal(next.lines[0], 0x1050);
    assert_int_equal(next.lines[1], 0x1090);
    assert_int_equal(tell(&next, 0x1010, 0, true), 0);
    struct prefetch_hint first_use = {0x1050, 0, true, true};
    assert_int_equal(next.prefetcher->access(next.state, &first_use, next.lines), 2);
    free(next.state);
}

static void test_stride(void **state) {
    struct lone stride = make_lone((struct prefetcher_parameters){"stride", 2, 1, 16});
    for (uint64_t i = 0; i < 3; i++) { /* two loads in turn, each with its stride */
        assert_int_equal(tell(&stride, 0x10000 + 200 * i, 0x401, true), 0);
        assert_int_equal(tell(&stride, 0x90000 - 8 * i, 0x402, true), 0);
    }
    assert_int_equal(tell(&stride, 0x10000 + 200 * 3, 0x401, true), 2);
    assert_int_equal(stride.lines[0], 0x10000 + 200 * 4);
    assert_int_equal(stride.lines[1], 0x10000 + 200 * 5);
    assert_int_equal(tell(&stride, 0x90000 - 8 * 3, 0x402, true), 2);
    assert_int_equal(stride.lines[0], 0x90000 - 8 * 3 - 64);        /* less than a line: a line */
    assert_int_equal(tell(&stride, 0x70000, 0x401, true), 0);       /* a surprise … */
    assert_int_equal(tell(&stride, 0x70000 + 200, 0x401, true), 2); /* … is not the end */
    uint64_t seed = 4;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(tell(&stride, next_random(&seed) % 1000000, 0x403, false), 0);
    free(stride.state);
}

static void test_stream(void **state) {
    struct lone stream = make_lone((struct prefetcher_parameters){"stream", 2, 4, 2});
    assert_int_equal(tell(&stream, 0x5000, 0, false), 0);
    assert_int_equal(tell(&stream, 0x5040, 0, false), 0);
    assert_int_equal(tell(&stream, 0x5080, 0, false), 2); /* two steps up */
    assert_int_equal(stream.lines[0], 0x50c0);
    assert_int_equal(stream.lines[1], 0x5100);
    assert_int_equal(tell(&stream, 0x50c0, 0, true), 2); /* catches up with its distance */
    assert_int_equal(stream.lines[0], 0x5140);
    assert_int_equal(tell(&stream, 0x5100, 0, true), 2);
    assert_int_equal(tell(&stream, 0x5140, 0, true), 1); /* and keeps it */
    assert_int_equal(stream.lines[0], 0x5240);
    assert_int_equal(tell(&stream, 0x5148, 0, true), 0); /* the same line */
    for (uint64_t line = 63; line > 61; line--)
        assert_int_equal(tell(&stream, 0x7000 + line * 64, 0, false), 0);
    assert_int_equal(tell(&stream, 0x7000 + 61 * 64, 0, false), 2); /* down */
    assert_int_equal(stream.lines[1], 0x7000 + 59 * 64);
    for (uint64_t line = 2; line < 64; line++) { /* never past the page */
        unsigned count = tell(&stream, 0x5000 + line * 64, 0, true);
        for (unsigned i = 0; i < count; i++)
            assert_int_equal(stream.lines[i] >> 12, 5);
    }
    tell(&stream, 0x9000, 0, false); /* a third page: the one used longest ago goes */
    assert_int_equal(tell(&stream, 0x7000 + 60 * 64, 0, true), 0);
    free(stream.state);
}

static void test_fdip(void **state) {
    struct lone fdip = make_lone((struct prefetcher_parameters){"fdip", 3, 0, 4096});
    static const uint64_t way[] = {0x10000, 0x20040, 0x30080, 0x10040, 0x500c0, 0x60000};
    enum { STEPS = sizeof way / sizeof way[0] };
    assert_int_equal(tell(&fdip, way[0], 0, false), 3); /* nothing known: straight on */
    assert_int_equal(fdip.lines[2], way[0] + 192);
    for (unsigned i = 1; i < STEPS; i++)
        tell(&fdip, way[i], 0, false);
    assert_int_equal(tell(&fdip, way[0], 0, true), 3); /* once round: now it knows */
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(fdip.lines[i], way[1 + i]);
    for (unsigned i = 1; i < 2 * STEPS; i++) {
        assert_int_equal(tell(&fdip, way[i % STEPS], 0, true), 1);
        assert_int_equal(fdip.lines[0], way[(i + 3) % STEPS]);
        assert_int_equal(tell(&fdip, way[i % STEPS] + 16, 0, true), 0); /* the same line */
    }
    assert_int_equal(tell(&fdip, 0x77fc0, 0, true), 0); /* not known, and the page ends */
    free(fdip.state);
}

static void test_tables(void **state) {
    assert_string_equal(prefetcher_code_names[0], "none");
    assert_null(prefetcher_find("none"));
    for (unsigned i = 1; prefetcher_code_names[i]; i++)
        assert_true(prefetcher_find(prefetcher_code_names[i])->code);
    for (unsigned i = 1; prefetcher_data_names[i]; i++)
        assert_true(prefetcher_find(prefetcher_data_names[i])->data);
}

/* A prefetched line arrives at its real time, is counted, and is no miss. */
static void test_arrival(void **state) {
    struct hierarchy *h = make(with(CACHE_L1D, (struct prefetcher_parameters){"next_line", 1, 1}));
    uint64_t all = ask(h, 0, LOAD, 0x1000, 0).ready;
    struct answer late = ask(h, 0, LOAD, 0x1040, 100); /* asked for at 0, so there with the first */
    assert_int_equal(late.ready, all);
    assert_true(late.delayed && late.supplier == FROM_L1 && late.origin == FROM_MEMORY);
    struct answer in_time = ask(h, 0, LOAD, 0x1080, 1000);
    assert_int_equal(in_time.ready, 1001);
    assert_false(in_time.delayed);
    ask(h, 0, LOAD, 0x1fc0, 2000); /* the next line is another page's */
    struct prefetch_counts counts = figures(h, 0, CACHE_L1D).prefetch;
    assert_int_equal(counts.issued, 3);
    assert_int_equal(counts.useful, 2);
    assert_int_equal(counts.late, 1);
    assert_int_equal(access_fills(hierarchy_counts(h, 0, MODEL_USER), LOAD), 2);
    assert_int_equal(figures(h, 0, CACHE_L2).counts[PREFETCH].misses, 3);
    assert_int_equal(hierarchy_dram_counts(h)->reads, 5);
    assert_null(cache_peek(&unit_of_core(h, 0, CACHE_L1D)->tags, 0x2000));
    hierarchy_free(h);
}

/* One MSHR stays free for who really asks. */
static void test_no_mshr(void **state) {
    struct model_parameters p = with(CACHE_L1D, (struct prefetcher_parameters){"next_line", 8, 1});
    p.l1d.mshrs = 4;
    struct hierarchy *h = make(p);
    ask(h, 0, LOAD, 0x1000, 0);
    struct prefetch_counts counts = figures(h, 0, CACHE_L1D).prefetch;
    assert_int_equal(counts.issued, 2);
    assert_int_equal(counts.dropped, 6);
    uint64_t first = ask(h, 0, LOAD, 0x8000, 0).ready; /* in a place of its own */
    assert_int_equal(first, ask(h, 1, LOAD, 0x10000, 0).ready);
    hierarchy_free(h);
}

static void test_useless(void **state) {
    struct model_parameters p = with(CACHE_L1D, (struct prefetcher_parameters){"next_line", 1, 1});
    p.l1d.size = 512; /* one set */
    struct hierarchy *h = make(p);
    for (uint64_t i = 0; i < 100; i++)
        ask(h, 0, LOAD, i * 4096, i * 1000);
    struct prefetch_counts counts = figures(h, 0, CACHE_L1D).prefetch;
    assert_int_equal(counts.issued, 100);
    assert_int_equal(counts.useful, 0);
    assert_int_equal(counts.useless, 96); /* four are still there */
    hierarchy_free(h);
}

/* What a walk over memory misses with a prefetcher, and without. `step` bytes at a time. */
static uint64_t misses_of_walk(struct model_parameters p, enum access_kind kind, int64_t step,
                               unsigned steps) {
    struct hierarchy *h = make(p);
    uint64_t address = 64 << 20, now = 0;
    for (unsigned i = 0; i < steps; i++, address += (uint64_t)step)
        now = ask(h, 0, kind, address, now).ready + 200;
    uint64_t misses = hierarchy_counts(h, 0, MODEL_USER)->supplied[kind][FROM_MEMORY];
    hierarchy_free(h);
    return misses;
}

static void test_patterns(void **state) {
    static const struct {
        enum cache_name cache;
        struct prefetcher_parameters prefetcher;
        enum access_kind kind;
        int64_t step;
        unsigned most; /* per cent of the misses that remain */
    } cases[] = {
        {CACHE_L1D, {"next_line", 1, 1}, LOAD, 16, 3}, /* 1 of 64 begins a page */
        {CACHE_L1I, {"next_line", 1, 1}, FETCH, 32, 3},
        {CACHE_L1D, {"stride", 1, 1, 16}, LOAD, 256, 8}, /* 1 of 16 */
        {CACHE_L1D, {"stride", 1, 1, 16}, STORE, -128, 5},
        {CACHE_L2, {"stream", 2, 8, 16}, LOAD, 64, 6}, /* 3 of 64 are needed to begin a stream */
        {CACHE_L2, {"stream", 2, 8, 16}, LOAD, -64, 6},
        {CACHE_LLC, {"stream", 2, 8, 16}, LOAD, 64, 6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t without = misses_of_walk(three_levels(), cases[i].kind, cases[i].step, 4000);
        uint64_t with_it = misses_of_walk(with(cases[i].cache, cases[i].prefetcher), cases[i].kind,
                                          cases[i].step, 4000);
        assert_in_range(without, 900, 4000);
        assert_in_range(with_it, 1, without * cases[i].most / 100);
    }
}

/* Code that jumps about, larger than the L1I: the way it went last time is the way it goes. */
static void test_fdip_in_place(void **state) {
    uint64_t fills[2];
    for (int with_it = 0; with_it < 2; with_it++) {
        struct hierarchy *h =
            make(with_it ? with(CACHE_L1I, (struct prefetcher_parameters){"fdip", 4, 0, 4096})
                         : three_levels());
        uint64_t now = 0;
        for (unsigned round = 0; round < 20; round++)
            for (uint64_t i = 0; i < 400; i++) /* 25 kB, in an order that no adder foresees */
                now = ask(h, 0, FETCH, i * 7919 % 400 * 64, now).ready + 10;
        fills[with_it] = access_fills(hierarchy_counts(h, 0, MODEL_USER), FETCH);
        hierarchy_free(h);
    }
    assert_true(fills[0] > 7000);
    assert_true(fills[1] < 600); /* the first round, and little else */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next_line), cmocka_unit_test(test_stride),
        cmocka_unit_test(test_stream),    cmocka_unit_test(test_fdip),
        cmocka_unit_test(test_tables),    cmocka_unit_test(test_arrival),
        cmocka_unit_test(test_no_mshr),   cmocka_unit_test(test_useless),
        cmocka_unit_test(test_patterns),  cmocka_unit_test(test_fdip_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
