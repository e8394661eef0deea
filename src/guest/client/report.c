#include "client/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "client/summary.h"
#include "load/hdr_log.h"

#define SECOND UINT64_C(1000000000)

struct report {
    const struct options *options;
    const struct schedule *schedule;
    uint64_t calls;
    FILE *log;          /* or NULL */
    struct error error; /* the first in writing it */
    uint64_t interval_begin_ns, elapsed_ns;
    bool terminal, drawn;
};

static double wall_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct report *report_begin(const struct options *options, const struct schedule *schedule,
                            uint64_t calls, struct error *err) {
    struct report *report = calloc(1, sizeof *report);
    const char *path = options->load.hdr_log;
    if (!report || (path && !(report->log = fopen(path, "we")))) {
        error_errno(err, "write %s", path ? path : "the report");
        free(report);
        return NULL;
    }
    report->options = options;
    report->schedule = schedule;
    report->calls = calls;
    report->terminal = isatty(STDERR_FILENO);
    if (report->log)
        hdr_log_begin(report->log, "client of serverless-suite " SLS_VERSION, wall_clock());
    return report;
}

/* How far, of how much: by time, or by calls. */
static void tell_share(const struct report *report, const struct tally *tally, double seconds) {
    double of_s = report->options->load.duration_s, calls = (double)report->calls;
    double done = (double)(tally->answered + tally->failed), left = of_s - seconds;
    if (calls > 0 && done > 0 && (of_s == 0 || seconds / done * (calls - done) < left))
        left = seconds / done * (calls - done);
    if (of_s > 0)
        fprintf(stderr, "%3.0f s of %.0f s", seconds, of_s);
    else
        fprintf(stderr, "%3.0f s  %.0f of %.0f calls", seconds, done, calls);
    if (left >= 1)
        fprintf(stderr, ", about %.0f s left", left);
}

static void tell(struct report *report, const struct tally *tally, double length_s) {
    const struct histogram *h = &tally->interval;
    if (!report->terminal && !report->options->load.progress)
        return;
    fputs(report->terminal ? "\r\033[K  " : "", stderr);
    tell_share(report, tally, (double)report->elapsed_ns / 1e9);
    fprintf(stderr, "  %.0f/s  p50 %.3f ms  p99 %.3f ms  %" PRIu64 " failed%s",
            (double)tally->interval_answered / length_s, (double)histogram_percentile(h, 50) / 1e6,
            (double)histogram_percentile(h, 99) / 1e6, tally->failed, report->terminal ? "" : "\n");
    report->drawn = report->terminal;
    fflush(stderr);
}

static void end_interval(struct report *report, struct tally *tally) {
    double begin = (double)report->interval_begin_ns / 1e9;
    double length = (double)(report->elapsed_ns - report->interval_begin_ns) / 1e9;
    if (report->log)
        hdr_log_interval(report->log, NULL, begin, length, &tally->interval,
                         report->error.status ? NULL : &report->error);
    tally_next_interval(tally);
    report->interval_begin_ns = report->elapsed_ns;
}

void report_tick(struct report *report, struct tally *tally, uint64_t elapsed_ns) {
    report->elapsed_ns = elapsed_ns;
    if (elapsed_ns / SECOND == report->interval_begin_ns / SECOND)
        return;
    tell(report, tally, (double)(elapsed_ns - report->interval_begin_ns) / 1e9);
    end_interval(report, tally);
}

static void close_log(struct report *report, const struct tally *tally) {
    const char *path = report->options->load.hdr_log;
    struct error *err = report->error.status ? NULL : &report->error;
    hdr_log_interval(report->log, "whole", 0, tally->seconds, &tally->whole, err);
    bool bad = ferror(report->log);
    if (fclose(report->log) != 0 || bad)
        error_errno(err, "write %s", path);
}

int report_end(struct report *report, struct tally *tally, bool print, struct error *err) {
    if (report->drawn)
        fputs("\r\033[K", stderr);
    if (tally->interval.count) {
        uint64_t all = (uint64_t)(tally->seconds * 1e9);
        report->elapsed_ns = all > report->elapsed_ns ? all : report->elapsed_ns;
        end_interval(report, tally);
    }
    if (report->log)
        close_log(report, tally);
    if (print)
        summary_print(report->options, tally, report->schedule);
    if (print && fflush(stdout) != 0 && !report->error.status)
        error_errno(&report->error, "write the summary");
    int outcome = report->error.status ? -1 : 0;
    if (outcome != 0 && !err->status)
        *err = report->error;
    free(report);
    return outcome;
}
