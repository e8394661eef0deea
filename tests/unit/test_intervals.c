/* Between which marks is measured: results/intervals.h. Each mark here has one value, how far it is
 * into the run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mark.h"
#include "results/intervals.h"

struct step {
    unsigned code;
    uint64_t work;
};

#define MOST 16

struct fixture {
    struct mark marks[MOST];
    uint64_t values[MOST];
    struct samples samples;
    struct run_results run;
};

static struct run_results *run_of(struct fixture *fixture, enum results_intervals intervals,
                                  const struct step *steps, size_t count) {
    *fixture = (struct fixture){.samples = {.marks = fixture->marks, .mark_count = count}};
    fixture->run = (struct run_results){
        .manifest = manifest_new(), .samples = &fixture->samples, .intervals = intervals};
    for (size_t i = 0; i < count; i++) {
        fixture->values[i] = i;
        fixture->marks[i] = (struct mark){
            .code = steps[i].code, .arguments = {steps[i].work}, .values = &fixture->values[i]};
    }
    return &fixture->run;
}

#define RUN(fixture, intervals, ...)                                                               \
    run_of(fixture, intervals, (const struct step[]){__VA_ARGS__},                                 \
           sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

/* `expected`: "BEGIN-END" of each interval, by the marks' numbers. */
static void assert_intervals(struct run_results *run, const char *expected) {
    struct error err = {0};
    size_t count = 0;
    char text[256] = "";
    struct interval *list = intervals_find(run, &count, &err);
    if (!list)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d-%d", i ? " " : "",
                 (int)*list[i].begin->values, (int)*list[i].end->values);
    assert_string_equal(text, expected);
    for (size_t i = 0; run->intervals == RESULTS_REGIONS && i < count; i++)
        assert_int_equal(list[i].id, i);
    free(list);
    manifest_free(run->manifest);
}

static void assert_refused(struct run_results *run, const char *why) {
    struct error err = {0};
    size_t count;
    assert_null(intervals_find(run, &count, &err));
    if (!strstr(err.text, why))
        fail_msg("no \"%s\" in: %s", why, err.text);
    manifest_free(run->manifest);
}

static void a_dump_is_since_the_last_reset(void **state) {
    struct fixture f;
    assert_intervals(RUN(&f, RESULTS_REGIONS, {M5_RESET_STATS}, {M5_DUMP_STATS}), "0-1");
    assert_intervals(RUN(&f, RESULTS_REGIONS, {M5_RESET_STATS}, {M5_RESET_STATS}, {M5_DUMP_STATS},
                         {M5_DUMP_STATS}),
                     "1-2 1-3");
    assert_intervals(RUN(&f, RESULTS_REGIONS, {M5_RESET_STATS}, {M5_DUMP_RESET_STATS},
                         {M5_DUMP_RESET_STATS}, {M5_DUMP_STATS}, {M5_RESET_STATS}),
                     "0-1 1-2 2-3");
}

static void work_repeats_overlaps_and_lies_between_dumps(void **state) {
    struct fixture f;
    assert_intervals(RUN(&f, RESULTS_REGIONS, {M5_RESET_STATS}, {M5_WORK_BEGIN, 7},
                         {M5_WORK_BEGIN, 0}, {M5_DUMP_STATS}, {M5_WORK_END, 7}, {M5_WORK_BEGIN, 7},
                         {M5_WORK_END, 0}, {M5_WORK_END, 7}),
                     "0-3 1-4 2-6 5-7");
}

static void a_functions_other_marks_are_passed_over(void **state) {
    struct fixture f;
    assert_intervals(RUN(&f, RESULTS_INVOCATIONS, {M5_RESET_STATS}, {M5_WORK_BEGIN, 0},
                         {M5_DUMP_RESET_STATS}, {M5_WORK_END, 0}, {M5_DUMP_STATS},
                         {MARK_PROGRAM_ENDED}),
                     "1-3");
}

static const char *const phases[] = {"create", "start", "reply", NULL};

static struct run_results *with_phases(struct run_results *run) {
    run->phases = phases;
    return run;
}
#define PHASES(fixture, ...) with_phases(RUN(fixture, RESULTS_PHASES, __VA_ARGS__))

static void phases_follow_each_other(void **state) {
    struct fixture f;
    char label[INTERVAL_LABEL];
    assert_intervals(PHASES(&f, {M5_RESET_STATS}, {M5_WORK_BEGIN, 0}, {MARK_PHASE, 1},
                            {M5_DUMP_STATS}, {MARK_PHASE, 2}, {M5_WORK_END, 0}),
                     "1-2 2-4 4-5");
    interval_label(&f.run, 1, label);
    assert_string_equal(label, "start");
    assert_string_equal(interval_name(&f.run), "phase");
    assert_refused(PHASES(&f, {M5_WORK_BEGIN, 0}, {MARK_PHASE, 1}, {M5_WORK_END, 0}),
                   "2 phases of 3 of the cold start were marked");
    assert_refused(PHASES(&f, {MARK_PHASE, 1}), "the phase 1 begins out of turn");
    assert_refused(PHASES(&f, {M5_WORK_BEGIN, 0}, {MARK_PHASE, 2}), "2 begins out of turn");
    assert_refused(PHASES(&f, {M5_WORK_BEGIN, 0}, {M5_WORK_END, 0}, {MARK_PHASE, 1}),
                   "1 begins out of turn");
    assert_refused(PHASES(&f, {M5_WORK_BEGIN, 0}, {MARK_PHASE, 1}), "1 never ends");
    assert_refused(PHASES(&f, {M5_RESET_STATS}), "0 phases of 3");
}

static void what_has_no_partner_is_refused(void **state) {
    struct fixture f;
    assert_refused(RUN(&f, RESULTS_REGIONS, {M5_DUMP_STATS}), "never reset");
    assert_refused(RUN(&f, RESULTS_REGIONS, {M5_WORK_BEGIN, 7}), "work 7 never ends");
    assert_refused(RUN(&f, RESULTS_REGIONS, {M5_WORK_END, 7}), "work 7 ends without a beginning");
    assert_refused(RUN(&f, RESULTS_REGIONS, {M5_WORK_BEGIN, 7}, {M5_WORK_BEGIN, 7}),
                   "work 7 begins twice");
    assert_refused(RUN(&f, RESULTS_REGIONS, {M5_WORK_BEGIN, 7}, {M5_WORK_END, 7}, {M5_WORK_END, 7}),
                   "work 7 ends twice");
    assert_refused(RUN(&f, RESULTS_INVOCATIONS, {M5_WORK_BEGIN, 7}, {M5_WORK_END, 7},
                       {M5_WORK_BEGIN, 7}, {M5_WORK_END, 7}),
                   "invocation 7 begins twice");
}

static void no_interval_at_all_is_refused(void **state) {
    struct fixture f;
    assert_refused(RUN(&f, RESULTS_INVOCATIONS, {M5_RESET_STATS}, {M5_DUMP_STATS}),
                   "no invocation was marked");
    struct run_results *run = RUN(&f, RESULTS_REGIONS, {M5_RESET_STATS}, {MARK_PROGRAM_ENDED});
    manifest_set_text(run->manifest, "program", "/home/me/sum");
    assert_refused(run, "/home/me/sum made no marks");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dump_is_since_the_last_reset),
        cmocka_unit_test(work_repeats_overlaps_and_lies_between_dumps),
        cmocka_unit_test(a_functions_other_marks_are_passed_over),
        cmocka_unit_test(phases_follow_each_other),
        cmocka_unit_test(what_has_no_partner_is_refused),
        cmocka_unit_test(no_interval_at_all_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
