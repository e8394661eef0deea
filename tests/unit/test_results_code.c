/* src/results, where the cycles go: CPI stack, regions and profile of hand-made runs. */
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
#include "common/process.h"
#include "results/cpi_stack.h"
#include "results/regions.h"
#include "results/writers.h"

static char folder[] = "/tmp/test_results_code.XXXXXX";

static int make_folder(void **state) {
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state) {
    return folder_remove(folder, NULL);
}

static void assert_contains(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("no \"%s\" in:\n%s", part, text);
}

/* ---- samples of one statistic a row: its name, and what it grew by in invocations 0 and 1 ---- */

struct growth {
    const char *name, *unit;
    uint64_t by[2];
};

/* clang-format off */
/* 1000 and 2000 instructions, 4000 (1500 user) and 5000 (2000 user) cycles. */
#define CORE                                                      \
    {"system.cpu1.numCycles", "Cycle", {4000, 5000}},             \
    {"system.cpu1.modeCycles::user", "Cycle", {1500, 2000}},      \
    {"system.cpu1.modeCycles::kernel", "Cycle", {2500, 3000}},    \
    {"system.cpu1.commitStats0.numInsts", "Count", {1000, 2000}}, \
    {"system.cpu1.modeInsts::user", "Count", {400, 800}},         \
    {"system.cpu1.modeInsts::kernel", "Count", {600, 1200}}
#define PART(name, user0, kernel0, user1, kernel1)                                                \
    {"system.cpu1.cpiStack." name "::user", "Cycle", {user0, user1}},                             \
    {"system.cpu1.cpiStack." name "::kernel", "Cycle", {kernel0, kernel1}},                       \
    {"system.cpu1.cpiStack." name "::total", "Cycle", {(user0) + (kernel0), (user1) + (kernel1)}}
#define STACK                                 \
    PART("base", 500, 500, 1000, 1000),       \
    PART("fetchLlc", 400, 1000, 400, 1000),   \
    PART("dataMemory", 600, 1000, 600, 1000), \
    PART("dtlb", 0, 0, 0, 0)
#define REGION(name, cycles0, cycles1)                                                    \
    {"system.cpu1.regions." name ".numCycles", "Cycle", {cycles0, cycles1}},              \
    {"system.cpu1.regions." name ".numInsts", "Count", {(cycles0) / 10, (cycles1) / 10}}, \
    {"system.cpu1.regions." name ".icacheMisses", "Count", {4, 6}},                       \
    {"system.cpu1.regions." name ".dcacheMisses", "Count", {2, 2}},                       \
    {"system.cpu1.regions." name ".llcMisses", "Count", {1, 0}}
/* clang-format on */
#define REGIONS REGION("libc.so.6", 1500, 2000), REGION("kernel.network", 2500, 3000)

#define RUN(...) run_of((const struct growth[]){__VA_ARGS__, {NULL}})

static const struct client_reply replies[] = {{0, 11, "a"}, {1, 22, "b"}};

static struct run_results run_of(const struct growth *growths) {
    char *text;
    size_t size;
    struct error err = {0};
    FILE *out = open_memstream(&text, &size);
    fputs("# slsuite samples 1\n", out);
    for (const struct growth *g = growths; g->name; g++)
        fprintf(out, "stat\t%s\t%s\tabout it\n", g->name, g->unit);
    for (int mark = 0; mark < 4; mark++) { /* between the invocations everything grows by 7 */
        fprintf(out, "mark\t%s\t%d\t0", mark & 1 ? "5b" : "5a", mark / 2);
        for (const struct growth *g = growths; g->name; g++)
            fprintf(out, "\t%llu",
                    100ull + (mark > 0 ? g->by[0] : 0) + (mark > 1 ? 7 : 0) +
                        (mark > 2 ? g->by[1] : 0));
        fputc('\n', out);
    }
    fclose(out);
    assert_int_equal(file_write("samples.tsv", text, size, NULL), 0);
    free(text);
    struct samples *samples = samples_read("samples.tsv", &err);
    if (!samples)
        fail_msg("%s", err.text);
    struct run_results run = {.manifest = manifest_new(),
                              .samples = samples,
                              .replies = replies,
                              .reply_count = 2,
                              .clock_hz = 2500000000,
                              .measured_core = 1};
    manifest_set_text(run.manifest, "function", "aes-c");
    manifest_set_text(run.manifest, "system", "skylake");
    return run;
}

static void run_free(struct run_results *run) {
    manifest_free(run->manifest);
    samples_free((struct samples *)run->samples);
}

static char *print(const struct run_results *run,
                   void (*writer)(const struct invocations *, FILE *)) {
    struct error err = {0};
    char *text;
    size_t size;
    struct invocations *invocations = invocations_new(run, &err);
    if (!invocations)
        fail_msg("%s", err.text);
    FILE *out = open_memstream(&text, &size);
    writer(invocations, out);
    fclose(out);
    invocations_free(invocations);
    return text;
}

static void assert_refused(struct run_results run, const char *why) {
    struct error err = {0};
    assert_null(invocations_new(&run, &err));
    assert_contains(err.text, why);
    run_free(&run);
}

static void assert_narrow(const char *text) {
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        int width = 0;
        for (const char *c = line; *c != '\n'; c++)
            width += (*c & 0xc0) != 0x80;
        assert_in_range(width, 0, 100);
    }
}

/* ---- the CPI stack ---- */

static void stack_is_shown(void **state) {
    struct run_results run = RUN(CORE, STACK);
    autofree char *table = print(&run, write_table);
    assert_contains(
        table,
        "base                        1,500      1.000     33.3            750            750\n"
        "code from LLC               1,400      0.933     31.1            400          1,000\n"
        "data from memory            1,600      1.067     35.6            600          1,000\n");
    assert_null(strstr(table, "DTLB")); /* nothing was lost there */
    assert_null(strstr(table, "by code"));
    assert_narrow(table);
    autofree char *report = print(&run, write_report);
    assert_contains(report, "<title>mean: base: 1.000 cycles per instruction, 33.3 %</title>");
    assert_contains(report, "<title>invocation 1: data from memory: 0.800 cycles per instruction, "
                            "32.0 %</title>");
    assert_null(strstr(report, "nan"));
    run_free(&run);
}

static void stack_is_written(void **state) {
    struct run_results run = RUN(CORE, STACK);
    autofree char *csv = print(&run, write_csv);
    assert_contains(
        csv, ",stack_base_user,stack_base_kernel,stack_base_total,stack_fetch_llc_user,stack_fetch_"
             "llc_kernel,stack_fetch_llc_total,stack_data_memory_user,");
    assert_contains(csv, ",500,500,1000,400,1000,1400,600,1000,1600,0,0,0,\"a\"\n");
    assert_contains(csv, ",1000,1000,2000,400,1000,1400,600,1000,1600,0,0,0,\"b\"\n");
    autofree char *json = print(&run, write_json);
    assert_contains(json, "\"cpi_stack\": {\n        \"base\": {\n          \"kernel\": 500,\n");
    assert_contains(json, "\"base\": {\n        \"kernel\": 750,");
    run_free(&run);
}

static void stacks_must_add_up(void **state) {
    assert_refused(RUN(CORE, PART("base", 1500, 2500, 2000, 2999)),
                   "invocation 1: the parts of the CPI stack are 2999 kernel cycles and not 3000");
    assert_refused(RUN(CORE, PART("base", 1501, 2499, 2000, 3000)),
                   "invocation 0: the parts of the CPI stack are 1501 user cycles");
    assert_refused(RUN(CORE, STACK, PART("uncached", 0, 1, 0, 0)), "2501 kernel cycles");
    assert_refused(RUN(CORE, STACK, {"system.cpu1.cpiStack.itlb::total", "Cycle", {0, 0}}),
                   "cpiStack.itlb is not of all modes");
    assert_refused(RUN(CORE, PART("base", 1500, 2500, 2000, 3000),
                       {"system.cpu1.cpiStack.branch::user", "Cycle", {0, 0}},
                       {"system.cpu1.cpiStack.branch::kernel", "Cycle", {0, 0}},
                       {"system.cpu1.cpiStack.branch::total", "Cycle", {0, 1}}),
                   "5001 total cycles and not 5000");
}

static void systems_without_a_stack_show_none(void **state) {
    struct run_results run = RUN(CORE);
    autofree char *table = print(&run, write_table), *csv = print(&run, write_csv),
                  *json = print(&run, write_json), *report = print(&run, write_report);
    assert_null(strstr(table, "CPI stack"));
    assert_null(strstr(csv, "stack_"));
    assert_null(strstr(csv, "mispredicts"));
    assert_null(strstr(json, "cpi_stack"));
    assert_null(strstr(report, "CPI stack"));
    assert_null(strstr(report, "BR MPKI"));
    run_free(&run);
}

static void optional_figures_are_shown_where_present(void **state) {
    struct run_results run =
        RUN(CORE, {"system.cpu1.branchPred.mispredicted::total", "Count", {5, 13}},
            {"system.cpu1.itlb.misses", "Count", {1, 1}},
            {"system.cpu1.icache.overallMshrMisses::total", "Count", {40, 60}});
    autofree char *csv = print(&run, write_csv), *report = print(&run, write_report),
                  *json = print(&run, write_json), *table = print(&run, write_table);
    assert_contains(
        csv, "branch_mispredicts_total,itlb_misses_total,l1i_fills_total,branch_mpki_total,itlb_"
             "mpki_total,reply\n");
    assert_contains(csv, ",5,1,40,5.000000,1.000000,\"a\"\n");
    assert_contains(csv, ",13,1,60,6.500000,0.500000,\"b\"\n");
    assert_contains(report, "<th scope=\"col\">BR MPKI</th>");
    assert_contains(report, "<th scope=\"col\">ITLB MPKI</th>");
    assert_null(strstr(report, "DTLB MPKI"));
    assert_contains(json, "\"l1i_fills\": {\n        \"kernel\": null,\n");
    assert_null(strstr(table, "BR MPKI"));
    assert_narrow(table);
    run_free(&run);
}

/* ---- regions ---- */

static void regions_are_shown(void **state) {
    struct run_results run = RUN(CORE, REGIONS, REGION("unused", 0, 0));
    autofree char *table = print(&run, write_table), *report = print(&run, write_report),
                  *csv = print(&run, write_regions_csv);
    assert_contains(table, "kernel.network              2,750     61.1            275  10.000");
    assert_contains(table, "libc.so.6                   1,750     38.9            175  10.000      "
                           "28.57      11.43       2.86\n");
    assert_true(strstr(table, "kernel.network") < strstr(table, "libc.so.6"));
    assert_null(strstr(table, "unused"));
    assert_narrow(table);
    assert_contains(report, "<th scope=\"row\">libc.so.6</th>");
    assert_string_equal(csv,
                        "invocation,region,cycles,instructions,l1i_misses,l1d_misses,llc_misses\n"
                        "0,kernel.network,2500,250,4,2,1\n"
                        "0,libc.so.6,1500,150,4,2,1\n"
                        "0,unused,0,0,4,2,1\n"
                        "1,kernel.network,3000,300,6,2,0\n"
                        "1,libc.so.6,2000,200,6,2,0\n"
                        "1,unused,0,0,6,2,0\n");
    run_free(&run);
}

static void broken_regions_are_refused(void **state) {
    assert_refused(RUN(CORE, REGIONS, REGION("more", 0, 1)),
                   "invocation 1: the regions have 5001 cycles and the core only 5000");
    assert_refused(RUN(CORE, {"system.cpu1.regions.x.numCycles", "Cycle", {1, 1}}),
                   "the region x has no numInsts");
}

/* ---- the profile ---- */

static struct profile_symbol symbols[] = {
    {"kernel.network", "tcp_ack", 0xffffffff81021000, {900, 5000, 30, 20, 10, 1}, 0, 2},
    {"aes-c", "[unknown]", 0x401000, {2000, 3000, 0, 5, 1, 0}, 2, 1},
    {"aes-c", "odd;na me<>", 0x402000, {100, 1000, 0, 0, 0, 0}, 3, 1},
    {"aes-c", "never", 0x403000, {0, 0, 0, 0, 0, 0}, 4, 0},
};
static struct profile_line lines[] = {
    {0xffffffff81021000, {400, 2000, 10, 10, 5, 0}},
    {0xffffffff81021040, {500, 3000, 20, 10, 5, 1}},
    {0x401000, {2000, 3000, 0, 5, 1, 0}},
    {0x402000, {100, 1000, 0, 0, 0, 0}},
};
static const struct profile profile = {symbols, 4, lines, 4, {3000, 9000, 30, 25, 11, 1}};

static void profile_is_shown(void **state) {
    struct run_results run = RUN(CORE);
    run.profile = &profile;
    autofree char *text = print(&run, write_profile_text), *table = print(&run, write_table),
                  *report = print(&run, write_report);
    assert_contains(text, "# 2 invocations: 9,000 cycles, 3,000 instructions of core 1\n");
    assert_contains(text,
                    " 55.56         5,000           900   5.556     33.33     22.22     11.11 "
                    " kernel.network    tcp_ack\n");
    assert_contains(text,
                    " 33.33         3,000         2,000   1.500      0.00      2.50      0.50 "
                    " aes-c             [unknown]\n");
    assert_contains(table, "tcp_ack");
    assert_contains(report, "<h2>Hot spots</h2>");
    assert_contains(report, "odd;na me&lt;&gt;");
    assert_null(strstr(report, "nan"));
    run_free(&run);
}

static void folded_stacks_add_up(void **state) {
    struct run_results run = RUN(CORE);
    run.profile = &profile;
    autofree char *folded = print(&run, write_folded);
    assert_string_equal(folded, "kernel.network;tcp_ack 5000\n"
                                "aes-c;[unknown] 3000\n"
                                "aes-c;odd:na me<> 1000\n");
    run_free(&run);
}

/* callgrind_annotate, of valgrind, reads it, and finds the same sums. */
static void callgrind_annotate_reads_it(void **state) {
    static const char *const arguments[] = {"callgrind_annotate", "--threshold=100",
                                            "callgrind.out.profile", NULL};
    struct error err = {0};
    struct run_results run = RUN(CORE);
    run.profile = &profile;
    if (!process_exists("callgrind_annotate"))
        skip();
    assert_int_equal(results_write_all(".", &run, &err), 0);
    autofree char *said = process_output(arguments, NULL, &err);
    if (!said)
        fail_msg("%s", err.text);
    assert_contains(said, "Events recorded:  Ir Cycles I1m D1m LLm Bm");
    assert_contains(said, "3,000 (100.0%) 9,000 (100.0%) 30 (100.0%) 25 (100.0%) 11 (100.0%) 1 "
                          "(100.0%)  PROGRAM TOTALS");
    assert_contains(said, "???:tcp_ack [kernel.network]");
    assert_contains(said, "900 (30.00%) 5,000 (55.56%)");
    assert_contains(said, "???:[unknown] [aes-c]");
    assert_true(file_exists("profile.txt"));
    assert_true(file_exists("profile.folded"));
    run_free(&run);
}

static void profiles_must_be_of_the_run(void **state) {
    struct profile half = profile;
    struct error err = {0};
    struct run_results run = RUN(CORE);
    half.totals[PROFILE_CYCLES] = 8000;
    run.profile = &half;
    folder_make("half", NULL);
    assert_int_equal(results_write_all("half", &run, &err), -1);
    assert_contains(err.text, "the profile has 8000 cycles of the 9000 that were measured");
    assert_false(file_exists("half/stats.txt"));
    run_free(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stack_is_shown),
        cmocka_unit_test(stack_is_written),
        cmocka_unit_test(stacks_must_add_up),
        cmocka_unit_test(systems_without_a_stack_show_none),
        cmocka_unit_test(optional_figures_are_shown_where_present),
        cmocka_unit_test(regions_are_shown),
        cmocka_unit_test(broken_regions_are_refused),
        cmocka_unit_test(profile_is_shown),
        cmocka_unit_test(folded_stacks_add_up),
        cmocka_unit_test(callgrind_annotate_reads_it),
        cmocka_unit_test(profiles_must_be_of_the_run),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
