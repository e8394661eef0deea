/* When requests are due, and traces: how many come, how they are spread, and what is no trace. */
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
#include "load/arrival.h"

#define COUNT 200000
#define HEAD "HashOwner,HashApp,HashFunction,Trigger,"

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
    struct trace trace = {.minutes = 6, .counts = {3, 0, 1, 1000, 0, 17}, .total = 1021};
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
        assert_memory_equal(found, trace.counts, sizeof found);
        assert_true(arrival_next(&arrivals) == ARRIVAL_NEVER);
    }
}

/* --- trace files ---------------------------------------------------------------------------- */

static int read_text(const char *text, const char *function, struct trace *trace,
                     struct error *err) {
    char path[] = "/tmp/slsuite-trace-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    *err = (struct error){0};
    int outcome = trace_read(trace, path, function, err);
    unlink(path);
    return outcome;
}

static void refuse(const char *text, const char *function, const char *why) {
    struct trace trace;
    struct error err;
    assert_int_equal(read_text(text, function, &trace, &err), -1);
    assert_int_equal(err.status, 1);
    assert_true(strncmp(err.text, "/tmp/slsuite-trace-", 19) == 0);
    if (!strstr(err.text, why))
        fail_msg("'%s' does not say '%s'", err.text, why);
}

static void test_traces(void **state) {
    static const char text[] = HEAD "1,2,3\no,a,f11,http,1,0,2\n\no,a,f12,timer,4,5,6\n"
                                    "o,a,g1,http,7,8,9";
    struct trace trace;
    struct error err;
    assert_int_equal(read_text(text, NULL, &trace, &err), 0);
    assert_string_equal(trace.function, "f11");
    assert_int_equal(trace.minutes, 3);
    assert_int_equal(trace.total, 3);
    assert_int_equal(trace.counts[2], 2);
    assert_int_equal(read_text(text, "f12", &trace, &err), 0);
    assert_int_equal(trace.total, 15);
    assert_int_equal(read_text(text, "g", &trace, &err), 0); /* no line's end behind it */
    assert_int_equal(trace.total, 24);
    assert_int_equal(read_text(HEAD "1,2\r\no,a,f,http,3,4\r\n", NULL, &trace, &err), 0);
    assert_int_equal(trace.total, 7);
    assert_int_equal(read_text(HEAD "1\no,a,ff,x,1\no,a,f,x,2\n", "f", &trace, &err), 0);
    assert_int_equal(trace.total, 2); /* the very function, though it begins another one */
}

static void test_bad_traces(void **state) {
    refuse("", NULL, "empty");
    refuse("\n\n", NULL, "empty");
    refuse("a,b\n", NULL, ":1: 'a' instead of 'HashOwner'");
    refuse("HashOwner,HashApp\n", NULL, "instead of 'HashFunction'");
    refuse(HEAD "\n", NULL, "instead of '1'");
    refuse("HashOwner,HashApp,HashFunction,Trigger\n", NULL, "instead of '1'");
    refuse(HEAD "1,2,4\no,a,f,http,1,2,3\n", NULL, "'4' instead of '3'");
    refuse(HEAD "1,2\n", NULL, "no function in it");
    refuse(HEAD "1,2\no,a\n", NULL, ":2: no HashFunction");
    refuse(HEAD "1,2,3\no,a,f,http,1,2\n", NULL, ":2: minute 3 is missing");
    refuse(HEAD "1,2,3\no,a,f,http,1,,3\n", NULL, "minute 2 is missing");
    refuse(HEAD "1,2,3\no,a,f\n", NULL, "minute 1 is missing");
    refuse(HEAD "1,2\no,a,f,http,1,2,3\n", NULL, "more counts than the header has minutes (2)");
    refuse(HEAD "1,2\no,a,f,http,1,-2\n", NULL, "minute 2: -2 is not from 0 to");
    refuse(HEAD "1,2\no,a,f,http,1,99999999999999999999\n", NULL, "not a number");
    refuse(HEAD "1,2\no,a,f,http,1,200000000\n", NULL, "minute 2: 200000000 is not from 0 to");
    for (const char *const *bad = (const char *const[]){"x", "1.5", "1e3", " 1", "1 ", "nan", NULL};
         *bad; bad++) {
        char text[200];
        snprintf(text, sizeof text, HEAD "1,2\no,a,f,http,%s,2\n", *bad);
        refuse(text, NULL, "minute 1: '");
    }
    refuse(HEAD "1\no,a,f1,http,1\no,a,f2,http,1\n", "f", "'f' begins two functions, f1… and f2…");
    refuse(HEAD "1\no,a,f1,http,1\n", "g", "no function 'g'");
    struct trace trace;
    struct error err = {0};
    assert_int_equal(trace_read(&trace, "/nonexistent", NULL, &err), -1);
    assert_non_null(strstr(err.text, "No such file"));
    assert_int_equal(trace_read(&trace, "/", NULL, &err), -1);
    assert_non_null(strstr(err.text, "s a directory"));
}

static void test_long_traces(void **state) {
    char *text = NULL;
    size_t size;
    struct trace trace;
    struct error err;
    for (int minutes = 1440; minutes <= 1441; minutes++) {
        FILE *stream = open_memstream(&text, &size);
        fputs("HashOwner,HashApp,HashFunction,Trigger", stream);
        for (int i = 1; i <= minutes; i++)
            fprintf(stream, ",%d", i);
        fputs("\no,a,f,queue", stream);
        for (int i = 1; i <= minutes; i++)
            fprintf(stream, ",%d", i % 7);
        fclose(stream);
        assert_int_equal(read_text(text, NULL, &trace, &err), minutes == 1440 ? 0 : -1);
        free(text);
    }
    assert_non_null(strstr(err.text, "more than 1440 minutes"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mean_rate),    cmocka_unit_test(test_poisson_gaps),
        cmocka_unit_test(test_bursts),       cmocka_unit_test(test_uniform_is_exact),
        cmocka_unit_test(test_seeds),        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_trace_counts), cmocka_unit_test(test_traces),
        cmocka_unit_test(test_bad_traces),   cmocka_unit_test(test_long_traces)};
    return cmocka_run_group_tests_name("arrival", tests, NULL, NULL);
}
