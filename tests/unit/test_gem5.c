/* What gem5 24.0 wrote of three invocations of aes-c on `simple` (of its lines, those that tell
 * what we take and what else there is of it), and what it is told of a system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "engine/gem5_job.h"
#include "engine/gem5_stats.h"
#include "results/samples.h"
#include "system/system.h"

static char path[] = "/tmp/slsuite-test-gem5-XXXXXX";

static char *data(const char *name) {
    return format_string("%s/tests/data/%s", getenv("SLS_SOURCE"), name);
}

static void check_text(const json_t *system, const char *key, const char *text) {
    assert_string_equal(json_string_value(json_object_get(system, key)), text);
}

static void check_number(const json_t *system, const char *key, json_int_t number) {
    assert_true(json_is_integer(json_object_get(system, key)));
    assert_int_equal(json_integer_value(json_object_get(system, key)), number);
}

static json_t *load(const char *name) {
    autofree char *file = format_string("%s/systems/%s.yaml", getenv("SLS_SOURCE"), name);
    struct model_parameters parameters;
    struct error err = {0};
    assert_int_equal(system_load(file, &parameters, &err), 0);
    return gem5_system(&parameters);
}

/* Every parameter that applies, in base units, and no other. */
static void systems_are_told_in_base_units(void **state) {
    json_t *simple = load("simple"), *skylake = load("skylake");
    check_number(simple, "clock", 2500000000);
    check_number(simple, "caches.l1i.size", 16384);
    check_number(simple, "caches.l1i.tag_latency", 1);
    check_number(simple, "memory.latency", 50000);
    check_number(simple, "memory.size", 2147483648);
    check_text(simple, "core.model", "blocking");
    check_text(simple, "caches.l1d.prefetcher.name", "none");
    assert_null(json_object_get(simple, "core.window"));
    assert_null(json_object_get(simple, "caches.l2.size"));
    check_number(skylake, "core.window", 224);
    check_number(skylake, "caches.l2.size", 1 << 20);
    check_text(skylake, "branch.direction", "ltage");
    check_text(skylake, "core.operations.int_div.unit", "multiply");
    check_number(skylake, "core.operations.int_div.latency", 20);
    json_decref(simple);
    json_decref(skylake);
}

static const uint64_t ids[] = {0, 1, 2};
#define CLOCK 2500000000

static struct samples *take(const char *stats, size_t count, struct error *err) {
    if (gem5_stats_take(stats, path, ids, count, 2, CLOCK, err) < 0)
        return NULL;
    struct samples *samples = samples_read(path, err);
    assert_non_null(samples);
    return samples;
}

/* What a statistic grew by between the marks of an invocation. */
static uint64_t grown(const struct samples *samples, const char *name, size_t invocation) {
    ssize_t index = samples_find(samples, name);
    assert_true(index >= 0);
    return samples->marks[2 * invocation + 1].values[index] -
           samples->marks[2 * invocation].values[index];
}

/* Figures of both cores, read off the file by hand. A fourth block, which gem5 writes at its end,
 * is nobody's. */
static void statistics_become_samples(void **state) {
    autofree char *stats = data("gem5-stats.txt");
    struct error err = {0};
    struct samples *samples = take(stats, 3, &err);
    assert_non_null(samples);
    assert_int_equal(samples->mark_count, 6);
    assert_int_equal(samples->marks[0].code, 0x5a);
    assert_int_equal(samples->marks[5].code, 0x5b);
    assert_int_equal(samples->marks[5].arguments[0], 2);
    static const struct {
        const char *name;
        uint64_t values[3];
    } expected[] = {
        {"system.cpu1.commitStats0.numInsts", {40457, 38866, 43204}},
        {"system.cpu1.numCycles", {635030, 525340, 579717}}, /* not 2919514342, with idle ones */
        {"system.cpu1.icache.overallMisses::total", {2847, 2554, 2859}},
        {"system.cpu1.dcache.overallMisses::total", {1079, 936, 1016}},
        {"system.cpu1.llcMisses::total", {3314, 2730, 2970}},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        for (size_t j = 0; j < 3; j++)
            assert_int_equal(grown(samples, expected[i].name, j), expected[i].values[j]);
    assert_true(grown(samples, "system.cpu0.commitStats0.numInsts", 0) > 0);
    assert_true(samples_find(samples, "system.cpu1.branchPred.mispredicted::total") <
                0); /* of O3 */
    samples_free(samples);
}

/* gem5 was killed, or ran full: what is not whole is not taken. */
static void cut_off_statistics_are_refused(void **state) {
    autofree char *stats = data("gem5-stats.txt"), *whole = file_read(stats, NULL, NULL);
    autofree char *cut = format_string("%s.cut", path);
    struct error err = {0};
    for (char *end = whole; (end = strstr(end, "---------- End")); end += 10) {
        struct error why = {0};
        assert_int_equal(file_write(cut, whole, (size_t)(end - whole), &err), 0);
        if (strstr(end + 10, "---------- End") &&
            strstr(strstr(end + 10, "-- End") + 10, "-- End")) {
            assert_null(take(cut, 3, &why));
            assert_non_null(strstr(why.text, "whole blocks of statistics, and there were 3"));
        }
    }
    struct error why = {0};
    assert_int_equal(file_write(cut, "", 0, &err), 0);
    assert_null(take(cut, 1, &why));
    unlink(cut);
    assert_null(take("/nowhere", 1, &why));
}

static int make_file(void **state) {
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state) {
    return unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(systems_are_told_in_base_units),
        cmocka_unit_test(statistics_become_samples),
        cmocka_unit_test(cut_off_statistics_are_refused),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
