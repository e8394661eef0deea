/* When requests are due: how many come, and how they are spread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load/arrival.h"

#define COUNT 200000

static const enum arrival_kind kinds[] = {ARRIVAL_UNIFORM, ARRIVAL_POISSON, ARRIVAL_BURSTY};

static struct arrivals start(enum arrival_kind kind, uint64_t seed) {
    return (struct arrivals){
        .process = {.kind = kind, .rate = 1000, .burst = 8, .seed = seed, .minute_s = 60}};
}

static void test_mean_rate(void **state) {
    for (int k = 0; k < 3; k++) {
        struct arrivals arrivals = start(kinds[k], 1);
        uint64_t before = 0, now = 0;
        for (int i = 0; i < COUNT; i++, before = now) {
            now = arrival_next(&arrivals);
            assert_true(now >= before);
        }
        double rate = COUNT / ((double)now / 1e9); /* 3 sigma of the bursts' are 2 % */
        assert_true(rate > 970 && rate < 1030);
    }
}

/* Of a poisson process the gaps' standard deviation is their mean: 1 ms. */
static void test_poisson_gaps(void **state) {
    struct arrivals arrivals = start(ARRIVAL_POISSON, 2);
    double squares = 0;
    uint64_t before = 0, now;
    for (int i = 0; i < COUNT; i++, before = now) {
        now = arrival_next(&arrivals);
        squares += (double)(now - before) * (double)(now - before);
    }
    assert_true(squares / COUNT > 1.9e12 && squares / COUNT < 2.1e12); /* mean^2 + variance */
}

static void test_bursts(void **state) {
    struct arrivals arrivals = start(ARRIVAL_BURSTY, 3);
    for (int burst = 0; burst < 100; burst++) {
        uint64_t begin = arrival_next(&arrivals);
        for (int i = 1; i < 8; i++)
            assert_int_equal(arrival_next(&arrivals), begin);
    }
}

static void test_uniform_is_exact(void **state) {
    struct arrivals arrivals = start(ARRIVAL_UNIFORM, 0);
    for (uint64_t i = 0; i < 5000; i++)
        assert_in_range(arrival_next(&arrivals), i * 1000000 - (i > 0), i * 1000000 + 1);
}

static void test_seeds(void **state) {
    for (int k = 1; k < 3; k++) {
        struct arrivals a = start(kinds[k], 4), b = start(kinds[k], 4), c = start(kinds[k], 5);
        int same = 0;
        for (int i = 0; i < 1000; i++) {
            uint64_t time = arrival_next(&a);
            assert_int_equal(arrival_next(&b), time);
            same += arrival_next(&c) == time;
        }
        assert_true(same < 10);
    }
}

static void test_kinds(void **state) {
    struct error err = {0};
    enum arrival_kind kind = ARRIVAL_UNIFORM;
    for (int k = 0; k < 3; k++) {
        assert_int_equal(arrival_kind(&kind, arrival_kind_name(kinds[k]), &err), 0);
        assert_int_equal(kind, kinds[k]);
    }
    assert_int_equal(arrival_kind(&kind, "sometimes", &err), -1);
    assert_int_equal(err.status, 2);
}

/* Each minute has its number, whatever the spreading, and none is outside of it. */
static void test_trace_counts(void **state) {
    uint32_t counts[] = {3, 0, 1, 1000, 0, 17};
    struct trace trace = {.minutes = 6, .counts = counts, .total = 1021};
    for (int k = 0; k < 3; k++) {
        struct arrivals arrivals = start(kinds[k], 6);
        uint32_t found[6] = {0};
        uint64_t before = 0, time;
        arrivals.process.trace = &trace;
        arrivals.process.minute_s = 0.5;
        while ((time = arrival_next(&arrivals)) != ARRIVAL_NEVER) {
            assert_true(time >= before && time < 3000000000);
            found[time / 500000000]++;
            before = time;
        }
        assert_memory_equal(found, counts, sizeof found);
        assert_true(arrival_next(&arrivals) == ARRIVAL_NEVER);
    }
}

/* A trace that tells times has them, unless its minutes are asked for. */
static void test_recorded(void **state) {
    uint64_t times[] = {0, 1500000000, 1500000000, 61000000000};
    uint32_t counts[] = {3, 1};
    const struct trace trace = {.minutes = 2, .total = 4, .counts = counts, .times_ns = times};
    const struct trace counted = {.minutes = 2, .total = 4, .counts = counts};
    struct arrivals arrivals = start(ARRIVAL_POISSON, 7);
    struct error err = {0};
    assert_int_equal(arrival_follow(&arrivals.process, &trace, false, &err), 0);
    assert_int_equal(arrivals.process.kind, ARRIVAL_RECORDED);
    arrivals.process.minute_s = 6;
    for (int i = 0; i < 4; i++)
        assert_int_equal(arrival_next(&arrivals), times[i] / 10);
    assert_true(arrival_next(&arrivals) == ARRIVAL_NEVER);
    arrivals = start(ARRIVAL_POISSON, 7);
    assert_int_equal(arrival_follow(&arrivals.process, &trace, true, &err), 0);
    assert_int_equal(arrivals.process.kind, ARRIVAL_POISSON);
    assert_int_equal(arrival_follow(&arrivals.process, &counted, false, &err), 0);
    assert_int_equal(arrivals.process.kind, ARRIVAL_UNIFORM);
    arrivals.process.kind = ARRIVAL_RECORDED;
    assert_int_equal(arrival_follow(&arrivals.process, &counted, true, &err), -1);
    assert_int_equal(err.status, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mean_rate),    cmocka_unit_test(test_poisson_gaps),
        cmocka_unit_test(test_bursts),       cmocka_unit_test(test_uniform_is_exact),
        cmocka_unit_test(test_seeds),        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_trace_counts), cmocka_unit_test(test_recorded)};
    return cmocka_run_group_tests_name("arrival", tests, NULL, NULL);
}
