/* Confidence intervals and outliers; and counters that take turns. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/random.h"
#include "native/counters.h"
#include "results/estimate.h"

enum { MANY = 400 };

/* Uniform from 0 to 1. */
static double uniform(uint64_t seed, uint64_t index) {
    return (double)(random_draw(seed, index) >> 11) / 9007199254740992.0;
}

static void fill(double values[MANY], uint64_t seed) {
    for (int i = 0; i < MANY; i++)
        values[i] = 10 + uniform(seed, (uint64_t)i);
}

static void test_one(void **state) {
    const double value = 7;
    struct estimate e = estimate_of(&value, 1);
    bool outlier = true;
    assert_true(e.mean == 7 && e.mean_low == 7 && e.mean_high == 7);
    assert_true(e.median == 7 && e.median_low == 7 && e.median_high == 7);
    estimate_outliers(&value, 1, &outlier);
    assert_false(outlier);
}

/* The standard error of a mean of uniform numbers is known: 1 / sqrt(12 n). */
static void test_width(void **state) {
    double values[MANY];
    fill(values, 3);
    struct estimate e = estimate_of(values, MANY);
    double expected = 2 * 1.96 / sqrt(12.0 * MANY), width = e.mean_high - e.mean_low;
    assert_true(e.mean_low < e.mean && e.mean < e.mean_high);
    assert_true(e.median_low <= e.median && e.median <= e.median_high);
    assert_true(fabs(width / expected - 1) < 0.15);
}

/* 95 of 100 intervals have the true mean, give or take. */
static void test_coverage(void **state) {
    int covered = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        double values[MANY];
        fill(values, seed);
        struct estimate e = estimate_of(values, MANY);
        covered += e.mean_low <= 10.5 && 10.5 <= e.mean_high;
    }
    assert_in_range(covered, 88, 100);
}

static void test_same_again(void **state) {
    double values[MANY];
    fill(values, 5);
    struct estimate a = estimate_of(values, MANY), b = estimate_of(values, MANY);
    assert_true(a.mean_low == b.mean_low && a.mean_high == b.mean_high);
    assert_true(a.median_low == b.median_low && a.median_high == b.median_high);
}

/* An even number's median lies between the middle two. */
static void test_median(void **state) {
    const double values[] = {4, 1, 3, 2};
    assert_true(estimate_of(values, 4).median == 2.5);
    assert_true(estimate_of(values, 4).mean == 2.5);
}

static void test_outliers(void **state) {
    double values[MANY];
    bool outliers[MANY];
    fill(values, 9);
    values[17] = 13;
    values[18] = 8;
    estimate_outliers(values, MANY, outliers);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(outliers[i], i == 17 || i == 18);
}

static void test_counters_take_turns(void **state) {
    const struct counter_reading begin = {100, 1000, 1000}, alone = {300, 3000, 3000},
                                 half = {300, 3000, 2000}, never = {100, 3000, 1000};
    bool shared = false;
    assert_int_equal(counter_growth(&begin, &alone, &shared), 200);
    assert_false(shared);
    assert_int_equal(counter_growth(&begin, &half, &shared), 400);
    assert_true(shared);
    assert_int_equal(counter_growth(&begin, &never, &shared), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_coverage),
        cmocka_unit_test(test_same_again),
        cmocka_unit_test(test_median),
        cmocka_unit_test(test_outliers),
        cmocka_unit_test(test_counters_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
