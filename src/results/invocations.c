#include "results/invocations.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "results/cpi_stack.h"
#include "results/estimate.h"
#include "results/intervals.h"
#include "results/regions.h"

const struct metric_description metric_descriptions[METRICS] = {
    [INSTRUCTIONS] = {"instructions", "instructions", 0, true},
    [CYCLES] = {"cycles", "cycles", 0, true},
    [L1I_MISSES] = {"l1i_misses", "L1I misses", 0, true},
    [L1D_MISSES] = {"l1d_misses", "L1D misses", 0, true},
    [LLC_MISSES] = {"llc_misses", "LLC misses", 0, true},
    [CPI] = {"cpi", "CPI", 3},
    [L1I_MPKI] = {"l1i_mpki", "L1I MPKI", 2},
    [L1D_MPKI] = {"l1d_mpki", "L1D MPKI", 2},
    [LLC_MPKI] = {"llc_mpki", "LLC MPKI", 2},
    [MICROSECONDS] = {"microseconds", "µs", 2},
    [BRANCH_MISPREDICTS] = {"branch_mispredicts", "mispredicts", 0, true},
    [ITLB_MISSES] = {"itlb_misses", "ITLB misses", 0, true},
    [DTLB_MISSES] = {"dtlb_misses", "DTLB misses", 0, true},
    [L1I_FILLS] = {"l1i_fills", "L1I fills", 0, true},
    [L1D_FILLS] = {"l1d_fills", "L1D fills", 0, true},
    [CODE_FOOTPRINT] = {"code_footprint_bytes", "code kB", 1, true, 1024},
    [DATA_FOOTPRINT] = {"data_footprint_bytes", "data kB", 1, true, 1024},
    [BRANCH_MPKI] = {"branch_mpki", "BR MPKI", 2},
    [ITLB_MPKI] = {"itlb_mpki", "ITLB MPKI", 2},
    [DTLB_MPKI] = {"dtlb_mpki", "DTLB MPKI", 2},
    [LATENCY] = {"latency_us", "latency µs", 2},
    [PAGE_FAULTS] = {"page_faults", "page faults", 0, true},
    [CONTEXT_SWITCHES] = {"context_switches", "switches", 0, true},
    [COLD_CREATE] = {"create_ns", "create ms", 2, true, 1000000},
    [COLD_START] = {"start_ns", "start ms", 2, true, 1000000},
    [COLD_LISTEN] = {"listen_ns", "listen ms", 2, true, 1000000},
    [COLD_REPLY] = {"reply_ns", "reply ms", 2, true, 1000000},
};

const char *const mode_names[MODES] = {"user", "kernel", "total"};

/* Which statistic of core N counts what; %u is N. */
static const char *const counted[METRICS][MODES] = {
    [INSTRUCTIONS] = {"system.cpu%u.modeInsts::user", "system.cpu%u.modeInsts::kernel",
                      "system.cpu%u.commitStats0.numInsts"},
    [CYCLES] = {"system.cpu%u.modeCycles::user", "system.cpu%u.modeCycles::kernel",
                "system.cpu%u.numCycles"},
    [L1I_MISSES] = {"system.cpu%u.icache.overallMisses::user",
                    "system.cpu%u.icache.overallMisses::kernel",
                    "system.cpu%u.icache.overallMisses::total"},
    [L1D_MISSES] = {"system.cpu%u.dcache.overallMisses::user",
                    "system.cpu%u.dcache.overallMisses::kernel",
                    "system.cpu%u.dcache.overallMisses::total"},
    [LLC_MISSES] = {"system.cpu%u.llcMisses::user", "system.cpu%u.llcMisses::kernel",
                    "system.cpu%u.llcMisses::total"},
    [BRANCH_MISPREDICTS] = {"system.cpu%u.branchPred.mispredicted::user",
                            "system.cpu%u.branchPred.mispredicted::kernel",
                            "system.cpu%u.branchPred.mispredicted::total"},
    [ITLB_MISSES] = {"system.cpu%u.itlb.misses::user", "system.cpu%u.itlb.misses::kernel",
                     "system.cpu%u.itlb.misses"},
    [DTLB_MISSES] = {"system.cpu%u.dtlb.misses::user", "system.cpu%u.dtlb.misses::kernel",
                     "system.cpu%u.dtlb.misses"},
    [L1I_FILLS] = {"system.cpu%u.icache.overallMshrMisses::user",
                   "system.cpu%u.icache.overallMshrMisses::kernel",
                   "system.cpu%u.icache.overallMshrMisses::total"},
    [L1D_FILLS] = {"system.cpu%u.dcache.overallMshrMisses::user",
                   "system.cpu%u.dcache.overallMshrMisses::kernel",
                   "system.cpu%u.dcache.overallMshrMisses::total"},
    [CODE_FOOTPRINT] = {"system.cpu%u.footprint.inst::user", "system.cpu%u.footprint.inst::kernel",
                        "system.cpu%u.footprint.inst::total"},
    [DATA_FOOTPRINT] = {"system.cpu%u.footprint.data::user", "system.cpu%u.footprint.data::kernel",
                        "system.cpu%u.footprint.data::total"},
    [PAGE_FAULTS] = {[MODE_TOTAL] = "system.cpu%u.pageFaults"},
    [CONTEXT_SWITCHES] = {[MODE_TOTAL] = "system.cpu%u.contextSwitches"},
    [COLD_CREATE] = {[MODE_TOTAL] = "system.cpu%u.phases.create"},
    [COLD_START] = {[MODE_TOTAL] = "system.cpu%u.phases.start"},
    [COLD_LISTEN] = {[MODE_TOTAL] = "system.cpu%u.phases.listen"},
    [COLD_REPLY] = {[MODE_TOTAL] = "system.cpu%u.phases.reply"},
};

/* Events in a thousand instructions. */
static const struct {
    enum metric ratio, count;
} per_thousand[] = {
    {L1I_MPKI, L1I_MISSES},   {L1D_MPKI, L1D_MISSES},
    {LLC_MPKI, LLC_MISSES},   {BRANCH_MPKI, BRANCH_MISPREDICTS},
    {ITLB_MPKI, ITLB_MISSES}, {DTLB_MPKI, DTLB_MISSES},
};
enum { PER_THOUSAND = sizeof per_thousand / sizeof *per_thousand };

bool invocations_show(const struct invocations *invocations, enum metric metric) {
    const bool *available = invocations->available[metric];
    return metric < FIRST_OPTIONAL || available[MODE_USER] || available[MODE_KERNEL] ||
           available[MODE_TOTAL];
}

bool invocations_have_mode(const struct invocations *invocations, enum mode mode) {
    return mode == MODE_TOTAL || invocations->available[INSTRUCTIONS][mode];
}

uint64_t invocation_value(const struct invocation *invocation, size_t statistic) {
    return invocation->end->values[statistic] - invocation->begin->values[statistic];
}

uint64_t ticks_per_cycle(const struct run_results *run) {
    return (TICKS_PER_SECOND + run->clock_hz / 2) / run->clock_hz;
}

/* Index of the statistic that counts this on the measured core, or -1. */
static ssize_t find_counted(const struct run_results *run, enum metric metric, enum mode mode) {
    char name[100];
    if (!counted[metric][mode])
        return -1;
    snprintf(name, sizeof name, counted[metric][mode], run->measured_core);
    return samples_find(run->samples, name);
}

/* What tells the time: of hardware a clock of the kernel's, as cycles are of no fixed length there,
 * or cannot be counted; of a simulated core its cycles. */
static int find_time(struct invocations *invocations, struct error *err) {
    static const char *const clocks[] = {"system.cpu%u.taskClock", "system.cpu%u.wallClock"};
    const struct run_results *run = invocations->run;
    ssize_t index = -1;
    for (size_t i = 0; index < 0 && i < sizeof clocks / sizeof *clocks; i++) {
        char name[100];
        snprintf(name, sizeof name, clocks[i], run->measured_core);
        index = samples_find(run->samples, name);
        invocations->ticks = TICKS_PER_SECOND / 1000000000;
    }
    if (index < 0 && run->clock_hz) {
        index = find_counted(run, CYCLES, MODE_TOTAL);
        invocations->ticks = ticks_per_cycle(run);
    }
    invocations->time = (size_t)index;
    if (index >= 0)
        return 0;
    return error_set(err, "taking the measurements: core %u has no %s", run->measured_core,
                     run->clock_hz ? "numCycles" : "clock frequency");
}

static void compute_ratios(metrics_table m, double microseconds_per_cycle) {
    for (int mode = 0; mode < MODES; mode++) {
        double instructions = m[INSTRUCTIONS][mode];
        m[CPI][mode] = m[CYCLES][mode] / instructions;
        for (int i = 0; i < PER_THOUSAND; i++)
            m[per_thousand[i].ratio][mode] = m[per_thousand[i].count][mode] * 1000 / instructions;
        m[MICROSECONDS][mode] = m[CYCLES][mode] * microseconds_per_cycle;
    }
}

/* Of hardware: time by a clock, and the client's; the mean's is in `mean`. */
static void compute_times(struct invocations *invocations) {
    double busy = 0, latency = 0, count = (double)invocations->count;
    for (size_t i = 0; i < invocations->count; i++) {
        struct invocation *one = &invocations->list[i];
        double nanoseconds = (double)invocation_value(one, invocations->time);
        busy += one->metrics[MICROSECONDS][MODE_TOTAL] = nanoseconds / 1e3;
        latency += one->metrics[LATENCY][MODE_TOTAL] =
            one->reply ? (double)one->reply->latency_ns / 1e3 : NAN;
        for (int mode = 0; mode < MODE_TOTAL; mode++)
            one->metrics[MICROSECONDS][mode] = one->metrics[LATENCY][mode] = NAN;
    }
    for (int mode = 0; mode < MODE_TOTAL; mode++)
        invocations->mean[MICROSECONDS][mode] = invocations->mean[LATENCY][mode] = NAN;
    invocations->mean[MICROSECONDS][MODE_TOTAL] = busy / count;
    invocations->mean[LATENCY][MODE_TOTAL] = latency / count;
    invocations->available[LATENCY][MODE_TOTAL] = isfinite(latency);
}

static void mark_outliers(struct invocations *invocations) {
    autofree double *latencies = calloc(invocations->count, sizeof *latencies);
    autofree bool *outliers = calloc(invocations->count, sizeof *outliers);
    if (!latencies || !outliers)
        abort();
    for (size_t i = 0; i < invocations->count; i++)
        latencies[i] = invocations->list[i].metrics[LATENCY][MODE_TOTAL];
    estimate_outliers(latencies, invocations->count, outliers);
    for (size_t i = 0; i < invocations->count; i++)
        invocations->list[i].outlier = outliers[i];
}

/* Fill in every invocation's metrics, and their mean. */
static void compute_metrics(struct invocations *invocations) {
    const struct run_results *run = invocations->run;
    double microseconds = (double)invocations->ticks * 1e6 / TICKS_PER_SECOND;
    for (int metric = 0; metric < METRICS; metric++)
        for (int mode = 0; mode < MODES && metric_descriptions[metric].counted; mode++) {
            ssize_t index = find_counted(run, metric, mode);
            double sum = 0;
            invocations->available[metric][mode] = index >= 0;
            for (size_t i = 0; i < invocations->count; i++) {
                struct invocation *one = &invocations->list[i];
                double value = index < 0 ? NAN : (double)invocation_value(one, index);
                one->metrics[metric][mode] = value;
                sum += value;
            }
            invocations->mean[metric][mode] = sum / (double)invocations->sharers;
        }
    for (size_t i = 0; i < invocations->count; i++)
        compute_ratios(invocations->list[i].metrics, microseconds);
    compute_ratios(invocations->mean, microseconds);
    if (run->noisy)
        compute_times(invocations);
    if (invocations->available[LATENCY][MODE_TOTAL])
        mark_outliers(invocations);
    for (int i = 0; i < PER_THOUSAND; i++)
        memcpy(invocations->available[per_thousand[i].ratio],
               invocations->available[per_thousand[i].count], sizeof *invocations->available);
}

bool invocations_estimate(const struct invocations *invocations, enum metric metric, enum mode mode,
                          struct estimate *estimate) {
    autofree double *values = calloc(invocations->count, sizeof *values);
    if (!values)
        abort();
    for (size_t i = 0; i < invocations->count; i++) {
        values[i] = invocations->list[i].metrics[metric][mode];
        if (!isfinite(values[i]))
            return false;
    }
    *estimate = estimate_of(values, invocations->count);
    return true;
}

static struct invocation *find(struct invocations *invocations, uint64_t id) {
    for (size_t i = 0; i < invocations->count; i++)
        if (invocations->list[i].id == id)
            return &invocations->list[i];
    return NULL;
}

static void take_intervals(struct invocations *invocations, const struct interval *intervals,
                           size_t count) {
    invocations->list = calloc(count, sizeof *invocations->list);
    if (!invocations->list)
        abort();
    invocations->count = count;
    invocations->sharers = invocations->run->intervals == RESULTS_PHASES ? 1 : count;
    for (size_t i = 0; i < count; i++)
        invocations->list[i] = (struct invocation){
            .id = intervals[i].id, .begin = intervals[i].begin, .end = intervals[i].end};
}

/* A cold start has one reply, in its last phase. */
static int match_replies(struct invocations *invocations, struct error *err) {
    const struct run_results *run = invocations->run;
    if (!run->reply_count)
        return 0;
    if (run->intervals == RESULTS_PHASES) {
        invocations->list[invocations->count - 1].reply = &run->replies[0];
        return 0;
    }
    for (size_t i = 0; i < run->reply_count; i++) {
        struct invocation *one = find(invocations, run->replies[i].id);
        if (!one || one->reply)
            return error_set(err,
                             "taking the measurements: invocation %" PRIu64 " was answered but %s",
                             run->replies[i].id, one ? "twice" : "never marked");
        one->reply = &run->replies[i];
    }
    for (size_t i = 0; i < invocations->count; i++)
        if (!invocations->list[i].reply)
            return error_set(err,
                             "taking the measurements: invocation %" PRIu64
                             " was marked but never answered",
                             invocations->list[i].id);
    return 0;
}

struct invocations *invocations_new(const struct run_results *run, struct error *err) {
    struct invocations time = {.run = run};
    size_t count;
    autofree struct interval *intervals =
        find_time(&time, err) < 0 ? NULL : intervals_find(run, &count, err);
    if (!intervals)
        return NULL;
    struct invocations *invocations = calloc(1, sizeof *invocations);
    if (!invocations)
        abort();
    *invocations = time;
    invocations->regions = calloc(1, sizeof *invocations->regions);
    if (!invocations->regions)
        abort();
    take_intervals(invocations, intervals, count);
    int result = match_replies(invocations, err);
    if (result == 0) {
        compute_metrics(invocations);
        result = cpi_stack_find(invocations, &invocations->stack, err);
    }
    if (result == 0)
        result = regions_find(invocations, invocations->regions, err);
    if (result == 0)
        return invocations;
    invocations_free(invocations);
    return NULL;
}

void invocations_free(struct invocations *invocations) {
    if (!invocations)
        return;
    regions_free(invocations->regions);
    free(invocations->regions);
    free(invocations->stack);
    free(invocations->list);
    free(invocations);
}
