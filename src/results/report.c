/* report.html: one page that needs nothing else: no scripts, no fonts, no network. Charts are
 * inline SVG, and the colours follow the reader's light or dark setting. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/cleanup.h"
#include "results/intervals.h"
#include "results/report_parts.h"
#include "results/report_style.h"
#include "results/writers.h"

static const enum metric columns[] = {
    INSTRUCTIONS, CYCLES,    CPI,     L1I_MPKI,     L1D_MPKI,    LLC_MPKI,        BRANCH_MPKI,
    ITLB_MPKI,    DTLB_MPKI, LATENCY, MICROSECONDS, PAGE_FAULTS, CONTEXT_SWITCHES};
enum { COLUMNS = sizeof columns / sizeof *columns };

static void tiles(FILE *out, const struct invocations *invocations) {
    fputs("<div class=\"tiles\">\n", out);
    for (int i = 0; i < COLUMNS; i++) {
        if (!invocations_show(invocations, columns[i]))
            continue;
        const double *mean = invocations->mean[columns[i]];
        fprintf(out, "<div class=\"card\"><span>%s</span><b>",
                metric_descriptions[columns[i]].heading);
        report_figure(out, mean[MODE_TOTAL], metric_descriptions[columns[i]].decimals);
        fputs("</b>", out);
        if (isfinite(mean[MODE_KERNEL])) {
            fputs("<small>kernel ", out);
            report_figure(out, mean[MODE_KERNEL], metric_descriptions[columns[i]].decimals);
            fputs("</small>", out);
        }
        fputs("</div>\n", out);
    }
    fputs("</div>\n", out);
}

static int count_modes(const struct invocations *invocations) {
    int count = 0;
    for (int mode = 0; mode < MODES; mode++)
        count += invocations_have_mode(invocations, mode);
    return count;
}

static void table_group(FILE *out, const struct invocations *invocations, const char *label,
                        const metrics_table metrics) {
    bool first = true;
    fputs("<tbody>\n", out);
    for (int mode = 0; mode < MODES; mode++) {
        if (!invocations_have_mode(invocations, mode))
            continue;
        fputs("<tr>", out);
        if (first)
            fprintf(out, "<th rowspan=\"%d\" scope=\"rowgroup\">%s</th>", count_modes(invocations),
                    label);
        first = false;
        fprintf(out, "<th scope=\"row\">%s</th>", mode_names[mode]);
        for (int i = 0; i < COLUMNS; i++) {
            if (!invocations_show(invocations, columns[i]))
                continue;
            fputs("<td>", out);
            report_figure(out, metrics[columns[i]][mode], metric_descriptions[columns[i]].decimals);
            fputs("</td>", out);
        }
        fputs("</tr>\n", out);
    }
    fputs("</tbody>\n", out);
}

static void table(FILE *out, const struct invocations *invocations) {
    const char *name = interval_name(invocations->run);
    fprintf(out,
            "<h2>Each %s</h2>\n<div class=\"card scroll\" tabindex=\"0\" role=\"region\" "
            "aria-label=\"Each %s\"><table>\n"
            "<thead><tr><th scope=\"col\">%s</th><th scope=\"col\"></th>",
            name, name, name);
    for (int i = 0; i < COLUMNS; i++)
        if (invocations_show(invocations, columns[i]))
            fprintf(out, "<th scope=\"col\">%s</th>", metric_descriptions[columns[i]].heading);
    fputs("</tr></thead>\n", out);
    table_group(out, invocations, interval_summary(invocations->run), invocations->mean);
    for (size_t i = 0; i < invocations->count; i++) {
        char name[INTERVAL_LABEL], label[INTERVAL_LABEL + 2];
        interval_label(invocations->run, invocations->list[i].id, name);
        snprintf(label, sizeof label, "%s%s", name, invocations->list[i].outlier ? " *" : "");
        table_group(out, invocations, label, invocations->list[i].metrics);
    }
    fputs("</table></div>\n", out);
}

static void row(void *context, const char *name, const char *value) {
    FILE *out = context;
    fputs("<dt>", out);
    report_text(out, name);
    fputs("</dt><dd>", out);
    report_text(out, value);
    fputs("</dd>\n", out);
}

static void preformatted(FILE *out, const char *title, const char *content) {
    fprintf(out, "<h2>%s</h2>\n<div class=\"card\"><pre>", title);
    report_text(out, content);
    fputs("</pre></div>\n", out);
}

/* What is the same for every repetition, and the date;
 * how long the steps took is only in run.json. */
void report_provenance(FILE *out, const struct manifest *manifest) {
    static const char *const keys[] = {"engine", "date", "status"};
    static const char *const groups[] = {"versions", "digests", "host"};
    autofree char *command = manifest_command(manifest);

    preformatted(out, "How to reproduce it", command);
    fputs("<h2>What ran</h2>\n<div class=\"card\">\n<dl>\n", out);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (manifest_text(manifest, keys[i]))
            row(out, keys[i], manifest_text(manifest, keys[i]));
    fputs("</dl>\n", out);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        fprintf(out, "<h3>%s</h3>\n<dl>\n", groups[i]);
        manifest_each(manifest, groups[i], row, out);
        fputs("</dl>\n", out);
    }
    fputs("</div>\n", out);
}

void report_begin(FILE *out, const char *subject, const char *system) {
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>", out);
    report_text(out, subject);
    fputs(" on ", out);
    report_text(out, system);
    fprintf(out,
            "</title>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<style>\n%s</style>\n</head>\n<body>\n<h1>",
            report_style);
    report_text(out, subject);
    fputs(" <span>on ", out);
    report_text(out, system);
    fputs("</span></h1>\n", out);
}

void write_report(const struct invocations *invocations, FILE *out) {
    const struct run_results *run = invocations->run;
    const char *function = manifest_text(run->manifest, "function");
    const char *program = manifest_text(run->manifest, "program");
    const char *subject = function || !program ? function : strrchr(program, '/') + 1;
    const char *system = manifest_text(run->manifest, "system");
    const char *plural = invocations->count == 1 ? "" : "s";

    report_begin(out, subject, system);
    fprintf(out, "<p>%zu %s%s", invocations->count, interval_name(run), plural);
    if (run->intervals == RESULTS_INVOCATIONS)
        fprintf(out, " after %" PRId64 " warm-ups", manifest_integer(run->manifest, "warm_ups", 0));
    if (manifest_text(run->manifest, "flush"))
        fprintf(out, ", lukewarm (%s flushed before each)", manifest_text(run->manifest, "flush"));
    fprintf(out, ", measured on core %u at %.4g GHz. %s:</p>\n", run->measured_core,
            run->clock_hz / 1e9,
            run->intervals == RESULTS_PHASES ? "All of the cold start" : "Means");
    tiles(out, invocations);
    if (run->noisy)
        fputs("<p>MPKI: misses per thousand instructions. µs: time on the processor. Ratios of "
              "means, not means of ratios. *: an outlier.</p>\n",
              out);
    else
        fputs("<p>MPKI: misses per thousand instructions. µs: the core's busy cycles as simulated "
              "time; idle time does "
              "not count. Ratios of means, not means of ratios.</p>\n",
              out);
    report_latency(out, invocations);
    if (!run->noisy)
        report_cycles_chart(out, invocations);
    report_stack(out, invocations);
    if (isfinite(invocations->mean[INSTRUCTIONS][MODE_TOTAL]))
        report_mpki_chart(out, invocations);
    report_regions(out, invocations);
    report_hot_spots(out, invocations);
    table(out, invocations);
    if (!run->noisy)
        fputs("<p><code>slsuite verify</code> with the folder of this page repeats the run and "
              "compares every figure.</p>\n",
              out);
    report_provenance(out, run->manifest);
    if (run->system)
        preformatted(out, "The system", run->system);
    fputs("</body>\n</html>\n", out);
}
