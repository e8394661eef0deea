/* Histograms against sorted values, and their logs against a decoder of this file's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/random.h"
#include "load/hdr_log.h"
#include "load/histogram.h"

#define VALUES 100000

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* From 1 ns to an hour, as many in each decade. */
static uint64_t draw_value(uint64_t i) {
    return random_draw(7, i) >> 22 >> (random_draw(8, i) % 42);
}

static void check_quantile(const struct histogram *h, const uint64_t *sorted, double percent) {
    size_t rank = (size_t)(percent / 100 * VALUES + 0.999999);
    uint64_t exact = sorted[rank > 0 ? rank - 1 : 0];
    uint64_t found = histogram_percentile(h, percent);
    if (exact > HISTOGRAM_MAX)
        exact = HISTOGRAM_MAX;
    assert_true(found >= exact);
    assert_true(found - exact <= exact / 1000);
}

static void test_quantiles(void **state) {
    static const double percents[] = {0, 1, 25, 50, 90, 95, 99, 99.9, 99.99, 100};
    struct histogram *h = calloc(1, sizeof *h);
    uint64_t *values = malloc(VALUES * sizeof *values);
    double sum = 0;
    for (size_t i = 0; i < VALUES; i++) {
        values[i] = draw_value(i);
        histogram_add(h, values[i]);
        sum += (double)(values[i] > HISTOGRAM_MAX ? HISTOGRAM_MAX : values[i]);
    }
    qsort(values, VALUES, sizeof *values, compare);
    for (size_t i = 0; i < sizeof percents / sizeof *percents; i++)
        check_quantile(h, values, percents[i]);
    assert_int_equal(h->count, VALUES);
    assert_int_equal(h->least, values[0]);
    assert_true(histogram_mean(h) > sum / VALUES * 0.999999);
    assert_true(histogram_mean(h) < sum / VALUES * 1.000001);
    free(values);
    free(h);
}

static void test_few(void **state) {
    struct histogram *h = calloc(1, sizeof *h);
    assert_int_equal(histogram_percentile(h, 50), 0);
    assert_true(histogram_mean(h) == 0);
    histogram_add(h, 123456789);
    assert_int_equal(histogram_percentile(h, 0), 123456789);
    assert_int_equal(histogram_percentile(h, 99.99), 123456789); /* not above the greatest */
    histogram_add(h, UINT64_MAX);
    assert_int_equal(h->most, HISTOGRAM_MAX);
    assert_int_equal(histogram_percentile(h, 100), HISTOGRAM_MAX);
    histogram_add(h, 0);
    assert_int_equal(histogram_percentile(h, 1), 0);
    assert_int_equal(h->least, 0);
    histogram_clear(h);
    assert_int_equal(h->count, 0);
    free(h);
}

static void test_merge(void **state) {
    struct histogram *parts = calloc(3, sizeof *parts), *whole = calloc(1, sizeof *whole);
    struct histogram *merged = calloc(1, sizeof *merged);
    for (size_t i = 0; i < 3000; i++) {
        histogram_add(&parts[i % 2], draw_value(i)); /* the third remains empty */
        histogram_add(whole, draw_value(i));
    }
    for (int i = 0; i < 3; i++)
        histogram_merge(merged, &parts[i]);
    assert_memory_equal(merged->counts, whole->counts, sizeof whole->counts);
    assert_int_equal(merged->count, whole->count);
    assert_int_equal(merged->least, whole->least);
    assert_int_equal(merged->most, whole->most);
    free(parts);
    free(whole);
    free(merged);
}

/* Each value of a count is its own, and counts are in order. */
static void test_counts(void **state) {
    size_t before = 0;
    for (uint64_t value = 1; value <= HISTOGRAM_MAX; value += 1 + value / 5000) {
        size_t index = histogram_index(value);
        assert_true(index == before || index == before + 1);
        before = index;
    }
    assert_int_equal(histogram_index(2047), 2047);
    assert_int_equal(histogram_index(2048), histogram_index(2049));
    assert_true(histogram_index(HISTOGRAM_MAX) < HISTOGRAM_COUNTS);
}

static uint64_t get(const uint8_t *at, int bytes) {
    uint64_t value = 0;
    while (bytes-- > 0)
        value = value << 8 | *at++;
    return value;
}

static int64_t get_number(const uint8_t **at) {
    uint64_t bits = 0;
    for (int i = 0; i < 9; i++) {
        uint8_t byte = *(*at)++;
        bits |= (uint64_t)(i < 8 ? byte & 0x7f : byte) << (7 * i);
        if (i < 8 && !(byte & 0x80))
            break;
    }
    return (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
}

static size_t decode_base64(const char *text, uint8_t *bytes) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = 0;
    uint32_t bits = 0;
    for (int held = 0; *text && *text != '=' && *text != '\n'; text++) {
        bits = bits << 6 | (uint32_t)(strchr(digits, *text) - digits);
        if ((held += 6) >= 8)
            bytes[size++] = (uint8_t)(bits >> (held -= 8));
    }
    return size;
}

static void check_encoded(const char *text, const struct histogram *h) {
    static uint8_t packed[1 << 20], bytes[1 << 20];
    size_t size = decode_base64(text, packed), index = 0;
    uLongf length = sizeof bytes;
    assert_int_equal(get(packed, 4), 0x1c849314);
    assert_int_equal(get(packed + 4, 4), size - 8);
    assert_int_equal(uncompress(bytes, &length, packed + 8, size - 8), Z_OK);
    assert_int_equal(get(bytes, 4), 0x1c849313);
    assert_int_equal(get(bytes + 4, 4), length - 40);
    assert_int_equal(get(bytes + 12, 4), HISTOGRAM_DIGITS);
    assert_int_equal(get(bytes + 24, 8), HISTOGRAM_MAX);
    for (const uint8_t *at = bytes + 40; at < bytes + length;) {
        int64_t number = get_number(&at);
        if (number >= 0)
            assert_int_equal(number, h->counts[index++]);
        for (; number < 0; number++)
            assert_int_equal(h->counts[index++], 0);
    }
    assert_int_equal(index, h->count ? histogram_index(h->most) + 1 : 0);
}

static void test_log(void **state) {
    char *text = NULL;
    size_t size;
    struct error err = {0};
    struct histogram *h = calloc(1, sizeof *h);
    FILE *log = open_memstream(&text, &size);
    hdr_log_begin(log, "test", 1700000000.5);
    assert_int_equal(hdr_log_interval(log, NULL, 0, 1, h, &err), 0);
    for (size_t i = 0; i < 5000; i++)
        histogram_add(h, draw_value(i));
    h->counts[100] += UINT64_C(1) << 62; /* a number that takes all nine bytes */
    assert_int_equal(hdr_log_interval(log, "whole", 1.5, 2, h, &err), 0);
    fclose(log);

    assert_non_null(strstr(text, "#[Histogram log format version 1.3]\n"));
    assert_non_null(strstr(text, "#[StartTime: 1700000000.500 (seconds since epoch), "
                                 "Tue Nov 14 22:13:20 UTC 2023]\n"));
    char *line = strstr(text, "\n0.000,1.000,0.000,");
    assert_non_null(line);
    struct histogram *empty = calloc(1, sizeof *empty);
    check_encoded(line + strlen("\n0.000,1.000,0.000,"), empty);
    line = strstr(text, "\nTag=whole,1.500,2.000,");
    assert_non_null(line);
    check_encoded(strrchr(line, ',') + 1, h);
    free(empty);
    free(text);
    free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_quantiles), cmocka_unit_test(test_few),
                                       cmocka_unit_test(test_merge), cmocka_unit_test(test_counts),
                                       cmocka_unit_test(test_log)};
    return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
