/* report.html: one page that needs nothing else: no scripts, no fonts, no network. Charts are
 * inline SVG, and the colours follow the reader's light or dark setting. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/cleanup.h"
#include "results/intervals.h"
#include "results/report_style.h"
#include "results/writers.h"

/* Text from anywhere: escaped, without control characters. */
static void text(FILE *out, const char *string) {
    for (; string && *string; string++)
        switch (*string) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            if ((unsigned char)*string >= ' ' || *string == '\n' || *string == '\t')
                fputc(*string, out);
        }
}

static void figure(FILE *out, double value, int decimals) {
    autofree char *formatted = format_metric(value, decimals);
    fputs(formatted, out);
}

/* ---- charts: a plot of 900 × 200 in a picture of 980 × 250 ---- */

enum { LEFT = 64, TOP = 10, WIDTH = 900, HEIGHT = 200 };

/* A value axis from 0: steps of 1, 2 or 5 times a power of ten. */
struct axis {
    double step, end;
};

static struct axis axis_for(double largest) {
    if (!(largest > 0))
        return (struct axis){1, 1};
    double power = pow(10, floor(log10(largest / 4))), step = power;
    for (int i = 0; step * 4 < largest && i < 3; i++)
        step = power * (const int[]){2, 5, 10}[i];
    return (struct axis){step, step * ceil(largest / step)};
}

static double y_of(struct axis axis, double value) {
    return TOP + HEIGHT - value / axis.end * HEIGHT;
}

/* The middle of the i-th of n. */
static double x_of(size_t i, size_t n) {
    return LEFT + WIDTH * (i + 0.5) / n;
}

static void chart_begin(FILE *out, const char *id, const char *title, const char *description,
                        struct axis axis, const struct invocations *invocations) {
    fprintf(out,
            "<svg viewBox=\"0 0 980 250\" role=\"img\" aria-labelledby=\"%s-title %s-desc\">\n"
            "<title id=\"%s-title\">%s</title><desc id=\"%s-desc\">%s</desc>\n",
            id, id, id, title, id, description);
    for (double value = 0; value <= axis.end * 1.001; value += axis.step) {
        const char *unit = axis.end >= 2e6 ? "M" : axis.end >= 2e3 ? "k" : "";
        double shown = value / (axis.end >= 2e6 ? 1e6 : axis.end >= 2e3 ? 1e3 : 1);
        fprintf(out,
                "<path class=\"grid\" d=\"M%d %.1fh%d\"/><text x=\"%d\" y=\"%.1f\" "
                "text-anchor=\"end\">%g%s</text>\n",
                LEFT, y_of(axis, value), WIDTH, LEFT - 8, y_of(axis, value) + 4, shown,
                value > 0 ? unit : "");
    }
    size_t n = invocations->count, every = (n + 19) / 20;
    for (size_t i = 0; i < n; i += every)
        fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%" PRIu64 "</text>\n",
                x_of(i, n), TOP + HEIGHT + 18, invocations->list[i].id);
    fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", LEFT + WIDTH / 2,
            TOP + HEIGHT + 36, interval_name(invocations->run));
}

static void cycles_chart(FILE *out, const struct invocations *invocations) {
    size_t n = invocations->count;
    double largest = 0, slot = (double)WIDTH / n;
    double width = fmin(slot * (n > 100 ? 0.9 : 0.66), 64);
    for (size_t i = 0; i < n; i++) {
        const double *cycles = invocations->list[i].metrics[CYCLES];
        largest = fmax(largest, cycles[MODE_USER] + cycles[MODE_KERNEL]);
    }
    struct axis axis = axis_for(largest);

    fputs("<h2>Cycles</h2>\n<div class=\"card\"><div class=\"legend\"><span><i "
          "class=\"a\"></i>user</span>"
          "<span><i class=\"b\"></i>kernel</span></div>\n",
          out);
    chart_begin(out, "cycles", "Cycles of each one",
                "One bar each: cycles in user mode below, in kernel mode above. The table "
                "has the figures.",
                axis, invocations);
    for (size_t i = 0; i < n; i++) {
        const struct invocation *one = &invocations->list[i];
        double user = one->metrics[CYCLES][MODE_USER], kernel = one->metrics[CYCLES][MODE_KERNEL];
        if (!isfinite(user + kernel))
            continue;
        double x = x_of(i, n) - width / 2, middle = y_of(axis, user),
               top = y_of(axis, user + kernel);
        fprintf(out, "<g><title>%s %" PRIu64 ": user ", interval_name(invocations->run), one->id);
        figure(out, user, 0);
        fputs(", kernel ", out);
        figure(out, kernel, 0);
        fprintf(out, " cycles</title><path class=\"a\" d=\"M%.2f %.2fh%.2fV%dh-%.2fz\"/>", x,
                middle, width, TOP + HEIGHT, width);
        fprintf(out, "<path class=\"b\" d=\"M%.2f %.2fh%.2fV%.2fh-%.2fz\"/></g>\n", x, top, width,
                middle, width);
    }
    fputs("</svg></div>\n", out);
}

static void mpki_chart(FILE *out, const struct invocations *invocations) {
    static const struct {
        enum metric metric;
        char colour;
    } series[] = {{L1I_MPKI, 'c'}, {L1D_MPKI, 'd'}, {LLC_MPKI, 'e'}};
    size_t n = invocations->count;
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        for (int s = 0; s < 3; s++)
            largest = fmax(largest, invocations->list[i].metrics[series[s].metric][MODE_TOTAL]);
    struct axis axis = axis_for(largest);

    fputs("<h2>Misses per thousand instructions</h2>\n<div class=\"card\"><div class=\"legend\">",
          out);
    for (int s = 0; s < 3; s++)
        fprintf(out, "<span><i class=\"%c\"></i>%s</span>", series[s].colour,
                metric_descriptions[series[s].metric].heading);
    fputs("</div>\n", out);
    chart_begin(out, "mpki", "Cache misses per thousand instructions of each one",
                "One line a cache: L1I, L1D and the shared cache (LLC), user and kernel together.",
                axis, invocations);
    for (int s = 0; s < 3; s++) {
        fprintf(out, "<polyline class=\"%c\" points=\"", series[s].colour);
        for (size_t i = 0; i < n; i++) {
            double value = invocations->list[i].metrics[series[s].metric][MODE_TOTAL];
            if (isfinite(value))
                fprintf(out, "%.2f,%.2f ", x_of(i, n), y_of(axis, value));
        }
        fputs("\"/>\n", out);
        for (size_t i = 0; i < n; i++) {
            double value = invocations->list[i].metrics[series[s].metric][MODE_TOTAL];
            if (isfinite(value))
                fprintf(out,
                        "<circle class=\"%c\" cx=\"%.2f\" cy=\"%.2f\" r=\"%s\"><title>%s "
                        "%" PRIu64 ": %.2f %s</title></circle>\n",
                        series[s].colour, x_of(i, n), y_of(axis, value), n > 40 ? "2" : "4",
                        interval_name(invocations->run), invocations->list[i].id, value,
                        metric_descriptions[series[s].metric].heading);
        }
    }
    fputs("</svg></div>\n", out);
}

/* ---- the rest of the page ---- */

static const enum metric shown[] = {INSTRUCTIONS, CYCLES,   CPI,         L1I_MPKI,
                                    L1D_MPKI,     LLC_MPKI, MICROSECONDS};
enum { SHOWN = sizeof shown / sizeof *shown };

static void tiles(FILE *out, const struct invocations *invocations) {
    fputs("<div class=\"tiles\">\n", out);
    for (int i = 0; i < SHOWN; i++) {
        const double *mean = invocations->mean[shown[i]];
        fprintf(out, "<div class=\"card\"><span>%s</span><b>",
                metric_descriptions[shown[i]].heading);
        figure(out, mean[MODE_TOTAL], metric_descriptions[shown[i]].decimals);
        fputs("</b><small>kernel ", out);
        figure(out, mean[MODE_KERNEL], metric_descriptions[shown[i]].decimals);
        fputs("</small></div>\n", out);
    }
    fputs("</div>\n", out);
}

static void table_group(FILE *out, const char *label, const metrics_table metrics) {
    fputs("<tbody>\n", out);
    for (int mode = 0; mode < MODES; mode++) {
        fputs("<tr>", out);
        if (mode == 0)
            fprintf(out, "<th rowspan=\"%d\" scope=\"rowgroup\">%s</th>", MODES, label);
        fprintf(out, "<th scope=\"row\">%s</th>", mode_names[mode]);
        for (int i = 0; i < SHOWN; i++) {
            fputs("<td>", out);
            figure(out, metrics[shown[i]][mode], metric_descriptions[shown[i]].decimals);
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
    for (int i = 0; i < SHOWN; i++)
        fprintf(out, "<th scope=\"col\">%s</th>", metric_descriptions[shown[i]].heading);
    fputs("</tr></thead>\n", out);
    table_group(out, "mean", invocations->mean);
    for (size_t i = 0; i < invocations->count; i++) {
        char label[24];
        snprintf(label, sizeof label, "%" PRIu64, invocations->list[i].id);
        table_group(out, label, invocations->list[i].metrics);
    }
    fputs("</table></div>\n", out);
}

static void row(void *context, const char *name, const char *value) {
    FILE *out = context;
    fputs("<dt>", out);
    text(out, name);
    fputs("</dt><dd>", out);
    text(out, value);
    fputs("</dd>\n", out);
}

static void preformatted(FILE *out, const char *title, const char *content) {
    fprintf(out, "<h2>%s</h2>\n<div class=\"card\"><pre>", title);
    text(out, content);
    fputs("</pre></div>\n", out);
}

/* What is the same for every repetition, and the date; how long the steps took is only in run.json.
 */
static void provenance(FILE *out, const struct run_results *run) {
    static const char *const keys[] = {"engine", "date", "status"};
    static const char *const groups[] = {"versions", "digests", "host"};
    autofree char *command = manifest_command(run->manifest);

    preformatted(out, "How to reproduce it", command);
    fputs(
        "<p><code>slsuite verify</code> with the folder of this page repeats the run and compares "
        "every figure.</p>\n<h2>What ran</h2>\n<div class=\"card\">\n<dl>\n",
        out);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (manifest_text(run->manifest, keys[i]))
            row(out, keys[i], manifest_text(run->manifest, keys[i]));
    fputs("</dl>\n", out);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        fprintf(out, "<h3>%s</h3>\n<dl>\n", groups[i]);
        manifest_each(run->manifest, groups[i], row, out);
        fputs("</dl>\n", out);
    }
    fputs("</div>\n", out);
    if (run->system)
        preformatted(out, "The system", run->system);
}

void write_report(const struct invocations *invocations, FILE *out) {
    const struct run_results *run = invocations->run;
    const char *function = manifest_text(run->manifest, "function");
    const char *program = manifest_text(run->manifest, "program");
    const char *subject = function || !program ? function : strrchr(program, '/') + 1;
    const char *system = manifest_text(run->manifest, "system");
    const char *plural = invocations->count == 1 ? "" : "s";

    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>", out);
    text(out, subject);
    fputs(" on ", out);
    text(out, system);
    fprintf(out,
            "</title>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<style>\n%s</style>\n</head>\n<body>\n<h1>",
            report_style);
    text(out, subject);
    fputs(" <span>on ", out);
    text(out, system);
    fprintf(out, "</span></h1>\n<p>%zu %s%s", invocations->count, interval_name(run), plural);
    if (run->intervals == RESULTS_INVOCATIONS)
        fprintf(out, " after %" PRId64 " warm-ups", manifest_integer(run->manifest, "warm_ups", 0));
    fprintf(out, ", measured on core %u at %g GHz. Means:</p>\n", run->measured_core,
            run->clock_hz / 1e9);
    tiles(out, invocations);
    fputs("<p>MPKI: misses per thousand instructions. µs: the core's busy cycles as simulated "
          "time; idle time does "
          "not count. Ratios of means, not means of ratios.</p>\n",
          out);
    cycles_chart(out, invocations);
    mpki_chart(out, invocations);
    table(out, invocations);
    provenance(out, run);
    fputs("</body>\n</html>\n", out);
}
