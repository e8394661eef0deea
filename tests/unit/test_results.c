/* src/results, fed a hand-made samples.tsv:
 * two invocations whose differences were worked out by hand. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "results/invocations.h"
#include "results/writers.h"

/* ---- what the plugin would write ---- */

#define HEADER "# slsuite samples 1\n"
#define STAT(name, unit) "stat\t" name "\t" unit "\tabout " name "\n"
#define STATISTICS                                                                                 \
    STAT("simInsts", "Count")                                                                      \
    STAT("system.cpu1.numCycles", "Cycle")                                                         \
    STAT("system.cpu1.modeCycles::user", "Cycle")                                                  \
    STAT("system.cpu1.modeCycles::kernel", "Cycle")                                                \
    STAT("system.cpu1.commitStats0.numInsts", "Count")                                             \
    STAT("system.cpu1.modeInsts::user", "Count")                                                   \
    STAT("system.cpu1.modeInsts::kernel", "Count")                                                 \
    STAT("system.cpu1.icache.overallAccesses::total", "Count")                                     \
    STAT("system.cpu1.icache.overallMisses::user", "Count")                                        \
    STAT("system.cpu1.icache.overallMisses::kernel", "Count")                                      \
    STAT("system.cpu1.icache.overallMisses::total", "Count")                                       \
    STAT("system.cpu1.dcache.overallMisses::total", "Count")                                       \
    STAT("system.cpu0.numCycles", "Cycle")                                                         \
    STAT("system.cpu0.commitStats0.numInsts", "Count")

/* Invocation 0: 1000 instructions (400 user), 2500 cycles (1000 user), 30 L1I misses of 600
 * accesses. Invocation 1: 2000 instructions, all in the kernel, 3000 cycles; no L1I access. cpu0
 * never runs. */
#define BEGIN_0 "mark\t5a\t0\t0\t1000\t5000\t2000\t3000\t900\t500\t400\t100\t5\t6\t11\t7\t0\t0\n"
#define END_0 "mark\t5b\t0\t0\t2100\t7500\t3000\t4500\t1900\t900\t1000\t700\t15\t26\t41\t12\t0\t0\n"
#define BEGIN_1                                                                                    \
    "mark\t0x5a\t1\t0\t2100\t8000\t3000\t5000\t2000\t900\t1100\t700\t15\t26\t41\t12\t0\t0\n"
#define END_1                                                                                      \
    "mark\t0x5b\t1\t0\t4100\t11000\t3000\t8000\t4000\t900\t3100\t700\t15\t26\t41\t22\t0\t0\n"
#define SAMPLES HEADER STATISTICS "mark\t40\t0\t0" NOTHING BEGIN_0 END_0 BEGIN_1 END_1
#define NOTHING "\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\n"

static char folder[] = "/tmp/test_results.XXXXXX";

static const struct client_reply replies[] = {{1, 222, "second, \"quoted\""},
                                              {0, 111, "fn: <aes> & co"}};

static int make_folder(void **state) {
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state) {
    return folder_remove(folder, NULL);
}

static struct samples *read_text(const char *text, struct error *err) {
    assert_int_equal(file_write("samples.tsv", text, strlen(text), NULL), 0);
    *err = (struct error){0};
    return samples_read("samples.tsv", err);
}

static struct run_results run_from(const char *text) {
    struct error err;
    struct samples *samples = read_text(text, &err);
    if (!samples)
        fail_msg("%s", err.text);
    struct run_results run = {.manifest = manifest_new(),
                              .samples = samples,
                              .replies = replies,
                              .reply_count = 2,
                              .clock_hz = 2500000000,
                              .measured_core = 1,
                              .system = "cores: 2 # <two>\n"};
    manifest_set_text(run.manifest, "function", "aes-c");
    manifest_set_text(run.manifest, "system", "simple");
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

static void assert_contains(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("no \"%s\" in:\n%s", part, text);
}

/* ---- samples.tsv ---- */

static void samples_are_read(void **state) {
    struct error err;
    struct samples *samples = read_text(SAMPLES, &err);
    assert_non_null(samples);
    assert_int_equal(samples->statistic_count, 14);
    assert_int_equal(samples->mark_count, 5);
    assert_string_equal(samples->statistics[1].unit, "Cycle");
    assert_string_equal(samples->statistics[1].description, "about system.cpu1.numCycles");
    assert_int_equal(samples->marks[3].code, 0x5a);
    assert_int_equal(samples->marks[3].arguments[0], 1);
    assert_int_equal(samples->marks[4].values[1], 11000);
    assert_int_equal(samples_find(samples, "system.cpu0.numCycles"), 12);
    assert_int_equal(samples_find(samples, "system.cpu0"), -1);
    samples_free(samples);
}

static void bad_samples_are_refused(void **state) {
    static const struct {
        const char *text, *where, *why;
    } cases[] = {
        {"", "samples.tsv", "empty"},
        {"# slsuite samples 2\n", "line 1", "not \"# slsuite samples 1\""},
        {"# slsuite", "line 1", "not whole"},
        {HEADER "stat\ta\tCount\n", "line 2", "exactly a name"},
        {HEADER "stat\ta\tCount\tb\tc\n", "line 2", "exactly a name"},
        {HEADER "stat\ta b\tCount\tc\n", "line 2", "blank"},
        {HEADER "stat\ta\tCount\tb\nstat\ta\tCount\tb\n", "line 3", "declared before"},
        {HEADER "stat\ta\tCount\tb\nmark\t5a\t0\t0\t1\nstat\tb\tCount\tb\n", "line 4",
         "after the first mark"},
        {HEADER "stat\ta\tCount\tb\nmark\t5a\t0\t0\n", "line 3", "fewer values"},
        {HEADER "stat\ta\tCount\tb\nmark\t5a\t0\t0\t1\t2\n", "line 3", "more values"},
        {HEADER "stat\ta\tCount\tb\nmark\t5a\t0\t0\t1x\n", "line 3", "not a number"},
        {HEADER "stat\ta\tCount\tb\nmark\t5a\t0\t0\t-1\n", "line 3", "not a number"},
        {HEADER "stat\ta\tCount\tb\nmark\t5a\t0\t0\t\n", "line 3", "not a number"},
        {HEADER "stat\ta\tCount\tb\nmark\t5a\t0\t0\t18446744073709551616\n", "line 3",
         "not a number"},
        {HEADER "stat\ta\tCount\tb\nmark\t5a\t0\n", "line 3", "two arguments"},
        {HEADER "stat\ta\tCount\tb\nmark\tzz\t0\t0\t1\n", "line 3", "two arguments"},
        {HEADER "stat\ta\tCount\tb\nmark\t5a\t0\t0\t2\nmark\t5b\t0\t0\t1\n", "line 4", "smaller"},
        {HEADER "stat\ta\tCount\tb\nmark\t5a\t0\t0\t1", "line 3", "not whole"},
        {HEADER "\n", "line 2", "neither stat nor mark"},
        {HEADER "nonsense\n", "line 2", "neither stat nor mark"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        assert_null(read_text(cases[i].text, &err));
        assert_int_equal(err.status, 1);
        assert_contains(err.text, "reading samples.tsv");
        assert_contains(err.text, cases[i].where);
        assert_contains(err.text, cases[i].why);
    }
    struct error err = {0};
    assert_int_equal(file_write("samples.tsv", HEADER "\0x\n", sizeof HEADER + 2, NULL), 0);
    assert_null(samples_read("samples.tsv", &err));
    assert_contains(err.text, "NUL");
    assert_null(samples_read("no such file", &err));
}

/* ---- invocations ---- */

static void differences_are_taken(void **state) {
    struct run_results run = run_from(SAMPLES);
    struct invocations *invocations = invocations_new(&run, NULL);
    assert_int_equal(invocations->count, 2);
    const struct invocation *first = &invocations->list[0], *second = &invocations->list[1];
    assert_int_equal(invocation_value(first, 0), 1100); /* simInsts: both cores */
    assert_string_equal(first->reply->text, "fn: <aes> & co");
    assert_int_equal(second->reply->latency_ns, 222);

    assert_true(first->metrics[INSTRUCTIONS][MODE_USER] == 400);
    assert_true(first->metrics[INSTRUCTIONS][MODE_TOTAL] == 1000);
    assert_true(first->metrics[CPI][MODE_TOTAL] == 2.5);
    assert_true(first->metrics[CPI][MODE_KERNEL] == 2.5);
    assert_true(first->metrics[L1I_MPKI][MODE_TOTAL] == 30);
    assert_true(first->metrics[L1I_MPKI][MODE_USER] == 25);
    assert_true(first->metrics[L1D_MPKI][MODE_TOTAL] == 5);
    assert_true(fabs(first->metrics[MICROSECONDS][MODE_TOTAL] - 1.0) <
                1e-12);                                        /* 2500 cycles at 2.5 GHz */
    assert_true(isnan(first->metrics[L1D_MISSES][MODE_USER])); /* no such statistic */
    assert_true(isnan(first->metrics[LLC_MPKI][MODE_TOTAL]));
    assert_true(isnan(second->metrics[CPI][MODE_USER])); /* 0/0 */
    assert_true(second->metrics[CPI][MODE_TOTAL] == 1.5);

    /* The mean CPI is that of the mean cycles and instructions:
     * 2750 / 1500, not (2.5 + 1.5) / 2. */
    assert_true(invocations->mean[INSTRUCTIONS][MODE_TOTAL] == 1500);
    assert_true(fabs(invocations->mean[CPI][MODE_TOTAL] - 2750.0 / 1500) < 1e-12);
    assert_true(invocations->mean[L1I_MPKI][MODE_TOTAL] == 10);
    invocations_free(invocations);
    run_free(&run);
}

static void overlapping_invocations_are_paired_by_id(void **state) {
    struct run_results run = run_from(
        HEADER STAT("system.cpu1.numCycles", "Cycle") "mark\t5a\t0\t0\t10\nmark\t5a\t1\t0\t20\nmark"
                                                      "\t5b\t1\t0\t50\nmark\t5b\t0\t0\t90\n");
    struct invocations *invocations = invocations_new(&run, NULL);
    assert_int_equal(invocations->list[0].id, 1);
    assert_int_equal(invocation_value(&invocations->list[0], 0), 30);
    assert_int_equal(invocation_value(&invocations->list[1], 0), 80);
    invocations_free(invocations);
    run_free(&run);
}

static void broken_invocations_are_refused(void **state) {
    static const struct {
        const char *text;
        size_t replies;
        unsigned core;
        uint64_t clock_hz;
        const char *why;
    } cases[] = {
        {HEADER STATISTICS BEGIN_0, 0, 1, 1000000000, "0 never ends"},
        {HEADER STATISTICS END_0, 0, 1, 1000000000, "0 ends without a beginning"},
        {HEADER STATISTICS BEGIN_0 END_1, 0, 1, 1000000000, "1 ends without a beginning"},
        {HEADER STATISTICS BEGIN_0 BEGIN_0, 0, 1, 1000000000, "0 begins twice"},
        {HEADER STATISTICS BEGIN_0 END_0 END_0, 0, 1, 1000000000, "0 ends twice"},
        {HEADER STATISTICS, 0, 1, 1000000000, "no invocation was marked"},
        {HEADER STATISTICS BEGIN_0 END_0, 2, 1, 1000000000, "1 was answered but never marked"},
        {HEADER STATISTICS BEGIN_0 END_0 BEGIN_1 END_1, 1, 1, 1000000000,
         "0 was marked but never answered"},
        {HEADER STATISTICS BEGIN_0 END_0, 0, 7, 1000000000, "core 7 has no numCycles"},
        {HEADER STATISTICS BEGIN_0 END_0, 0, 1, 0, "no clock frequency"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        struct run_results run = run_from(cases[i].text);
        run.reply_count = cases[i].replies;
        run.measured_core = cases[i].core;
        run.clock_hz = cases[i].clock_hz;
        assert_null(invocations_new(&run, &err));
        assert_contains(err.text, cases[i].why);
        assert_int_equal(results_write_all(".", &run, &err), -1);
        assert_false(file_exists("stats.txt")); /* nothing is written of a broken run */
        run_free(&run);
    }
}

/* ---- what is written ---- */

static void stats_have_gem5s_layout(void **state) {
    struct run_results run = run_from(SAMPLES);
    autofree char *text = print(&run, write_stats);
    assert_memory_equal(text, "\n---------- Begin Simulation Statistics ----------\nsimSeconds ",
                        61);
    assert_contains(text, "\n\n---------- End Simulation Statistics   ----------\n"
                          "\n---------- Begin Simulation Statistics ----------\n");
    static const char *const lines[] = {
        "\nsimSeconds                                   0.000001                       # ",
        "\nsimTicks                                      1000000                       # ",
        "\nfinalTick                                     4400000                       # ",
        "\nsimFreq                                  1000000000000                       # The "
        "number of ticks "
        "per simulated second ((Tick/Second))\n",
        "\nsimInsts                                         1100                       # about "
        "simInsts (Count)\n",
        "\nsystem.cpu1.numCycles                            2500                       # about "
        "system.cpu1.numCycles (Cycle)\n",
        "\nsystem.cpu1.cpi                              2.500000                       # CPI: "
        "cycles per "
        "instruction (core level) ((Cycle/Count))\n",
        "\nsystem.cpu1.ipc                              0.400000                       # ",
        "\nsystem.cpu1.icache.overallMissRate::total     0.050000                       # miss "
        "rate for overall "
        "accesses (Ratio)\n",
        "\nsystem.cpu1.icache.overallMissRate::total          nan                       # ",
        "\nsystem.cpu0.numCycles                               0                       # ",
        "\nsystem.cpu0.cpi                                   nan                       # ",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_contains(text, lines[i]);
    assert_null(strstr(text, "host"));
    assert_null(strstr(text, "-nan"));
    run_free(&run);
}

/* One invocation, in which each statistic grew by its value. */
static const char *const one_invocation[][2] = {
    {"simInsts", "300"},
    {"simOps", "250"},
    {"system.cpu0.numCycles", "70"},
    {"system.cpu0.commitStats0.numInsts", "100"},
    {"system.cpu0.commitStats0.numOps", "0"},
    {"system.cpu0.branchPred.committed::total", "0"},
    {"system.cpu1.numCycles", "400"},
    {"system.cpu1.commitStats0.numInsts", "200"},
    {"system.cpu1.commitStats0.numOps", "250"},
    {"system.cpu1.branchPred.committed::total", "40"},
    {"system.cpu1.branchPred.mispredicted::total", "3"},
    {"system.cpu1.dcache.overallAccesses::total", "80"},
    {"system.cpu1.dcache.overallMisses::total", "20"},
    {"system.cpu1.dcache.overallMshrMisses::total", "15"},
    {"system.cpu1.dcache.writebacks::total", "6"},
    {"system.cpu1.dcache.prefetcher.pfIssued", "8"},
    {"system.cpu1.dcache.prefetcher.pfUseful", "5"},
    {"system.cpu1.itlb.accesses", "50"},
    {"system.cpu1.itlb.misses", "2"},
    {"system.mem_ctrls.readReqs", "9"},
};

static struct run_results run_of_one_invocation(void) {
    enum { COUNT = sizeof one_invocation / sizeof *one_invocation };
    char *samples = NULL;
    size_t size;
    FILE *out = open_memstream(&samples, &size);
    fputs(HEADER, out);
    for (size_t i = 0; i < COUNT; i++)
        fprintf(out, "stat\t%s\tCount\tit\n", one_invocation[i][0]);
    fputs("mark\t5a\t0\t0", out);
    for (size_t i = 0; i < COUNT; i++)
        fputs("\t0", out);
    fputs("\nmark\t5b\t0\t0", out);
    for (size_t i = 0; i < COUNT; i++)
        fprintf(out, "\t%s", one_invocation[i][1]);
    fputc('\n', out);
    fclose(out);
    struct run_results run = run_from(samples);
    run.reply_count = 0;
    free(samples);
    return run;
}

/* What gem5 says of that under other names, worked out by hand. */
static const char *const gem5s_names[] = {
    "simInsts 300",
    "system.cpu0.commitStats0.numInsts 100",
    "system.cpu0.exec_context.thread_0.numInsts 100",
    "system.cpu0.commitStats0.cpi 0.700000",
    "system.cpu1.cpi 2.000000", /* gem5 gives it six decimals, whatever it is */
    "system.cpu1.commitStats0.cpi 2.000000",
    "system.cpu1.commitStats0.ipc 0.500000",
    "system.cpu1.exec_context.thread_0.numInsts 200",
    "system.cpu1.exec_context.thread_0.numOps 250",
    "system.cpu1.exec_context.thread_0.numBusyCycles 400",
    "system.cpu1.branchPred.committed_0::total 40",
    "system.cpu1.commitStats0.committedControl::IsControl 40",
    "system.cpu1.branchPred.mispredicted_0::total 3",
    "system.cpu1.commit.branchMispredicts 3",
    "system.cpu1.dcache.overallHits::total 60",
    "system.cpu1.dcache.overallMissRate::total 0.250000",
    "system.cpu1.dcache.overallMshrHits::total 5",
    "system.cpu1.dcache.demandHits::total 60",
    "system.cpu1.dcache.demandMisses::total 20",
    "system.cpu1.dcache.demandMisses::cpu1.data 20",
    "system.cpu1.dcache.demandAccesses::total 80",
    "system.cpu1.dcache.demandMshrMisses::total 15",
    "system.cpu1.dcache.demandMshrMissRate::total 0.187500",
    "system.cpu1.dcache.overallMisses::cpu1.data 20",
    "system.cpu1.dcache.writebacks::writebacks 6",
    "system.cpu1.dcache.prefetcher.accuracy 0.625000",
    "system.cpu1.dcache.prefetcher.coverage 0.250000",
    "system.cpu1.mmu.itb.wrAccesses 50",
    "system.cpu1.mmu.itb.wrMisses 2",
    "system.mem_ctrls.readBursts 9",
};

/* Core 0 keeps time without micro-operations: so nobody knows how many there were on all cores. */
static void stats_have_all_of_gem5s_names(void **state) {
    struct run_results run = run_of_one_invocation();
    autofree char *text = print(&run, write_stats);
    for (size_t i = 0; i < sizeof gem5s_names / sizeof *gem5s_names; i++) {
        const char *line = gem5s_names[i], *value = strchr(line, ' ');
        autofree char *name = format_string("\n%.*s ", (int)(value - line), line);
        const char *found = strstr(text, name);
        assert_non_null(found);
        found += strlen(name) + strspn(found + strlen(name), " ");
        assert_memory_equal(found, value + 1, strlen(value + 1));
        assert_int_equal(found[strlen(value + 1)], ' ');
        assert_null(strstr(found, name)); /* once */
    }
    assert_null(strstr(text, "simOps"));
    assert_null(strstr(text, "system.cpu0.commitStats0.numOps"));
    assert_null(strstr(text, "system.cpu0.branchPred"));
    assert_null(strstr(text, "ReadReq"));
    run_free(&run);
}

static void csv_has_every_column(void **state) {
    struct run_results run = run_from(SAMPLES);
    autofree char *text = print(&run, write_csv);
    char *line = text, *header = strsep(&line, "\n"), *first = strsep(&line, "\n"),
         *second = strsep(&line, "\n");
    assert_memory_equal(
        header, "invocation,latency_ns,instructions_user,instructions_kernel,instructions_total,",
        79);
    assert_string_equal(
        first,
        "0,111,400,600,1000,1000,1500,2500,10,20,30,,,5,,,,2.500000,2.500000,2.500000,25.000000,"
        "33.333333,30.000000,,,5.000000,,,,0.400000,0.600000,1.000000,\"fn: <aes> & co\"");
    assert_contains(second, ",\"second, \"\"quoted\"\"\"");
    assert_string_equal(line, "");
    run_free(&run);
}

static void table_fits(void **state) {
    struct run_results run = run_from(SAMPLES);
    autofree char *text = print(&run, write_table);
    assert_contains(
        text,
        "         0 user               400         1,000   2.500      25.00        n/a        n/a"
        "        0.40\n"
        "           kernel             600         1,500   2.500      33.33        n/a        n/a"
        "        0.60\n"
        "           total            1,000         2,500   2.500      30.00       5.00        n/a"
        "        1.00\n");
    assert_contains(text, "      mean user               200           500   2.500      25.00");
    for (char *line = text; *line; line = strchr(line, '\n') + 1) {
        int width = 0;
        for (const char *c = line; *c != '\n'; c++)
            width += (*c & 0xc0) != 0x80;
        assert_int_equal(width, 100);
    }
    run_free(&run);
}

static void long_tables_are_cut(void **state) {
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fputs(HEADER STAT("system.cpu1.numCycles", "Cycle"), out);
    for (int i = 0; i < 1234; i++)
        fprintf(out, "mark\t5a\t%d\t0\t%d\nmark\t5b\t%d\t0\t%d\n", i, i * 1000, i, i * 1000 + 500);
    fclose(out);
    struct run_results run = run_from(text);
    run.reply_count = 0;
    autofree char *table = print(&run, write_table);
    assert_contains(table, "1224 more: see invocations.csv");
    autofree char *csv = print(&run, write_csv);
    assert_contains(csv, "\n1233,,,,,,,500,");
    autofree char *report = print(&run, write_report);
    assert_contains(report, "1234 invocations");
    run_free(&run);
    free(text);
}

static void report_escapes_and_stands_alone(void **state) {
    struct run_results run = run_from(SAMPLES);
    manifest_set_text(run.manifest, "function", "<script>alert('\x01&\")</script>");
    const char *command[] = {"slsuite", "run", "it's <b>", NULL};
    manifest_set_texts(run.manifest, "command", command);
    autofree char *text = print(&run, write_report);
    assert_contains(text, "&lt;script&gt;alert(&#39;&amp;&quot;)&lt;/script&gt;");
    assert_contains(text, "cores: 2 # &lt;two&gt;");
    assert_contains(text, "slsuite run &#39;it&#39;\\&#39;&#39;s &lt;b&gt;&#39;");
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "://"));
    assert_null(strstr(text, "nan"));
    autofree char *again = print(&run, write_report);
    assert_string_equal(text, again);
    run_free(&run);
}

/* The first invocation's end and the second one's begin fall together, as the end of one phase and
 * the begin of the next. */
static void phases_add_up(void **state) {
    static const char *const phases[] = {"create", "reply", NULL};
    static const struct client_reply reply = {0, 333, "fn: aes"};
    struct run_results run = run_from(
        HEADER STATISTICS BEGIN_0
        "mark\t102\t1\t0\t2100\t7500\t3000\t4500\t1900\t900\t1000\t700\t15\t26\t41\t12\t0\t0\n"
        "mark\t5b\t0\t0\t4100\t11000\t3000\t8000\t4000\t900\t3100\t700\t15\t26\t41\t22\t0\t0\n");
    run.intervals = RESULTS_PHASES;
    run.phases = phases;
    run.replies = &reply;
    run.reply_count = 1;
    autofree char *table = print(&run, write_table), *csv = print(&run, write_csv),
                  *json = print(&run, write_json), *report = print(&run, write_report),
                  *stats = print(&run, write_stats);
    assert_contains(table, "phase   ");
    assert_contains(table, "        ms\n");
    assert_contains(table, "    create user ");
    assert_contains(table, "     reply user ");
    assert_contains(table, "cold start user ");
    assert_contains(table, "           total              3,100            6,000");
    assert_contains(csv, "invocation,phase,latency_ns,");
    assert_contains(csv, "\n0,create,,");
    assert_contains(csv, "\n1,reply,333,");
    assert_contains(json, "\"phase\": \"create\"");
    assert_contains(report, "cold start</th>");
    assert_contains(report, ">create</text>");
    assert_contains(strstr(stats, "End Simulation Statistics"), "Begin Simulation Statistics");
    json_t *root = json_loads(json, 0, NULL);
    double cycles = json_number_value(
        json_object_get(json_object_get(json_object_get(root, "mean"), "cycles"), "total"));
    assert_true(cycles == 6000);
    json_decref(root);
    run_free(&run);
}

static void formats_are_named(void **state) {
    struct error err = {0};
    enum results_format format;
    assert_int_equal(results_format_parse("csv", &format, &err), 0);
    assert_int_equal(format, RESULTS_CSV);
    assert_int_equal(results_format_parse("xml", &format, &err), -1);
    assert_int_equal(err.status, 2);
}

/* ---- run.json and the folder ---- */

static void manifest_comes_back(void **state) {
    struct error err = {0};
    struct manifest *manifest = manifest_new();
    const char *command[] = {"slsuite", "run", "a b", "", "\xff", NULL};
    manifest_set_text(manifest, "digests.kernel", "abc");
    manifest_set_text(manifest, "digests.image", "def");
    manifest_set_integer(manifest, "invocations", 10);
    manifest_set_seconds(manifest, "seconds.boot", 8.70000001);
    manifest_set_texts(manifest, "command", command);
    assert_int_equal(manifest_write(manifest, "run.json", &err), 0);
    struct manifest *read = manifest_read("run.json", &err);
    assert_non_null(read);
    assert_int_equal(manifest_write(read, "again.json", &err), 0);
    autofree char *first = file_read("run.json", NULL, &err),
                  *second = file_read("again.json", NULL, &err);
    assert_string_equal(first, second);

    autofree char *line = manifest_command(read);
    assert_string_equal(line, "slsuite run 'a b' '' '(not UTF-8)'");
    assert_string_equal(manifest_text(read, "digests.kernel"), "abc");
    assert_string_equal(manifest_text(read, "status"), "running");
    assert_int_equal(manifest_integer(read, "invocations", -1), 10);
    assert_int_equal(manifest_integer(read, "status", -1), -1);
    assert_null(manifest_text(read, "no.such.key"));
    assert_contains(first, "\"boot\": 8.7\n");
    assert_true(strstr(first, "\"image\"") < strstr(first, "\"kernel\"")); /* sorted */
    manifest_free(manifest);
    manifest_free(read);

    file_write("run.json", first, strlen(first) / 2, &err);
    assert_null(manifest_read("run.json", &err));
    assert_contains(err.text, "damaged");
    file_write("run.json", "{\"format\": 2}", 13, &err);
    assert_null(manifest_read("run.json", &err));
    assert_contains(err.text, "its format is 2");
}

static void folders_appear_whole(void **state) {
    struct error err = {0};
    struct run_folder *a = results_create(NULL, "aes-c", "simple", &err);
    struct run_folder *b = results_create(NULL, "aes-c", "simple", &err); /* in the same second */
    assert_int_equal(err.status, 0); /* the name that was taken is not the caller's error */
    assert_non_null(a);
    assert_non_null(b);
    assert_string_not_equal(results_folder_path(a), results_folder_path(b));
    assert_contains(results_folder_path(a), "results/.");
    assert_false(file_exists("results/latest"));
    assert_int_equal(results_finish(a, true, &err), 0);
    assert_null(strstr(results_folder_path(a), ".partial"));
    assert_true(file_exists(results_folder_path(a)));
    char target[200] = "";
    assert_true(readlink("results/latest", target, sizeof target - 1) > 0);
    assert_string_equal(target, results_folder_path(a) + strlen("results/"));

    struct manifest *manifest = manifest_new();
    struct error why = {1, "the guest panicked"};
    assert_int_equal(results_write_failure(results_folder_path(b), manifest, &why, &err), 0);
    manifest_free(manifest);
    assert_int_equal(results_finish(b, false, &err), 0); /* failed: kept, but not the latest */
    assert_contains(results_folder_path(b), ".failed");
    autofree char *path = format_string("%s/run.json", results_folder_path(b));
    autofree char *text = file_read(path, NULL, &err);
    assert_contains(text, "\"error\": \"the guest panicked\"");
    assert_contains(text, "\"status\": \"failed\"");
    char still[200] = "";
    assert_true(readlink("results/latest", still, sizeof still - 1) > 0);
    assert_string_equal(still, target);
    results_folder_free(a);
    results_folder_free(b);
}

static void named_folders_are_not_overwritten(void **state) {
    struct error err = {0};
    struct run_folder *a = results_create("out/", "f", "s", &err);
    assert_non_null(a);
    assert_string_equal(results_folder_path(a), ".out.partial");
    assert_null(results_create("out", "f", "s", &err)); /* under way */
    assert_contains(err.text, "another run is writing it");
    results_folder_free(a); /* abandoned: leaves nothing */
    assert_false(file_exists(".out.partial"));
    assert_false(file_exists("out"));

    mkdir(".out.partial", 0777); /* left by a run that was killed */
    file_write(".out.partial/stats.txt", "old", 3, &err);
    mkdir("out", 0777); /* empty: may be used */
    a = results_create("out", "f", "s", &err);
    assert_non_null(a);
    assert_false(file_exists(".out.partial/stats.txt"));
    file_write(".out.partial/stats.txt", "new", 3, &err);
    assert_int_equal(results_finish(a, true, &err), 0);
    assert_true(file_exists("out/stats.txt"));
    results_folder_free(a);

    assert_null(results_create("out", "f", "s", &err));
    assert_contains(err.text, "not empty");
    assert_true(file_exists("out/stats.txt"));
    assert_false(file_exists(".out.partial"));
}

static void runs_are_compared(void **state) {
    struct error err = {0};
    char *difference;
    struct run_results run = run_from(SAMPLES);
    mkdir("a", 0777);
    mkdir("b", 0777);
    assert_int_equal(results_write_all("a", &run, &err), 0);
    assert_int_equal(results_write_all("b", &run, &err), 0);
    for (int i = 0; i < 6; i++)
        assert_true(file_exists((const char *[]){"a/run.json", "a/stats.txt", "a/invocations.csv",
                                                 "a/invocations.json", "a/report.html",
                                                 "a/system.yaml"}[i]));
    assert_string_equal(manifest_text(run.manifest, "status"), "complete");
    assert_int_equal(results_compare("a", "b", &difference, &err), 0);
    assert_null(difference);

    struct client_reply late[] = {{0, 111, "fn: <aes> & co"}, {1, 223, "second, \"quoted\""}};
    run.replies = late;
    assert_int_equal(results_write_all("b", &run, &err), 0);
    assert_int_equal(results_compare("a", "b", &difference, &err), 0);
    assert_string_equal(
        difference,
        "invocations.csv: invocation 1: latency_ns: 222 in the first, 223 in the second");
    free(difference);

    run.samples->marks[4].values[10] = 42; /* one more L1I miss in invocation 1 */
    assert_int_equal(results_write_all("b", &run, &err), 0);
    assert_int_equal(results_compare("a", "b", &difference, &err), 0);
    assert_string_equal(difference,
                        "stats.txt: invocation 1: system.cpu1.icache.overallMisses::total: "
                        "0 in the first, 1 in the second");
    free(difference);
    run_free(&run);

    run = run_from(HEADER STATISTICS BEGIN_0 END_0);
    run.reply_count = 0;
    assert_int_equal(results_write_all("b", &run, &err), 0);
    assert_int_equal(results_compare("a", "b", &difference, &err), 0);
    assert_contains(difference, "in the first, (nothing) in the second");
    free(difference);
    run_free(&run);
    assert_int_equal(results_compare("a", "nowhere", &difference, &err), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_read),
        cmocka_unit_test(bad_samples_are_refused),
        cmocka_unit_test(differences_are_taken),
        cmocka_unit_test(overlapping_invocations_are_paired_by_id),
        cmocka_unit_test(broken_invocations_are_refused),
        cmocka_unit_test(stats_have_gem5s_layout),
        cmocka_unit_test(stats_have_all_of_gem5s_names),
        cmocka_unit_test(csv_has_every_column),
        cmocka_unit_test(table_fits),
        cmocka_unit_test(long_tables_are_cut),
        cmocka_unit_test(report_escapes_and_stands_alone),
        cmocka_unit_test(phases_add_up),
        cmocka_unit_test(formats_are_named),
        cmocka_unit_test(manifest_comes_back),
        cmocka_unit_test(folders_appear_whole),
        cmocka_unit_test(named_folders_are_not_overwritten),
        cmocka_unit_test(runs_are_compared),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
