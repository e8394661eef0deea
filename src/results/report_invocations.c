/* The charts of report.html that have the invocations side by side. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "results/cpi_stack.h"
#include "results/intervals.h"
#include "results/report_parts.h"
#include "results/writers.h"

void report_cycles_chart(FILE *out, const struct invocations *invocations) {
    size_t n = invocations->count;
    double largest = 0, width = plot_bar(n, PLOT_WIDTH);
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
                axis, invocations, PLOT_WIDTH);
    for (size_t i = 0; i < n; i++) {
        const struct invocation *one = &invocations->list[i];
        double user = one->metrics[CYCLES][MODE_USER], kernel = one->metrics[CYCLES][MODE_KERNEL];
        if (!isfinite(user + kernel))
            continue;
        double x = plot_x(i, n, PLOT_WIDTH) - width / 2, middle = axis_y(axis, user),
               top = axis_y(axis, user + kernel);
        fprintf(out, "<g><title>%s %" PRIu64 ": user ", interval_name(invocations->run), one->id);
        report_figure(out, user, 0);
        fputs(", kernel ", out);
        report_figure(out, kernel, 0);
        fprintf(out, " cycles</title><path class=\"a\" d=\"M%.2f %.2fh%.2fV%dh-%.2fz\"/>", x,
                middle, width, PLOT_TOP + PLOT_HEIGHT, width);
        fprintf(out, "<path class=\"b\" d=\"M%.2f %.2fh%.2fV%.2fh-%.2fz\"/></g>\n", x, top, width,
                middle, width);
    }
    fputs("</svg></div>\n", out);
}

void report_mpki_chart(FILE *out, const struct invocations *invocations) {
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
                axis, invocations, PLOT_WIDTH);
    for (int s = 0; s < 3; s++) {
        fprintf(out, "<polyline class=\"%c\" points=\"", series[s].colour);
        for (size_t i = 0; i < n; i++) {
            double value = invocations->list[i].metrics[series[s].metric][MODE_TOTAL];
            if (isfinite(value))
                fprintf(out, "%.2f,%.2f ", plot_x(i, n, PLOT_WIDTH), axis_y(axis, value));
        }
        fputs("\"/>\n", out);
        for (size_t i = 0; i < n; i++) {
            double value = invocations->list[i].metrics[series[s].metric][MODE_TOTAL];
            if (isfinite(value))
                fprintf(out,
                        "<circle class=\"%c\" cx=\"%.2f\" cy=\"%.2f\" r=\"%s\"><title>%s "
                        "%" PRIu64 ": %.2f %s</title></circle>\n",
                        series[s].colour, plot_x(i, n, PLOT_WIDTH), axis_y(axis, value),
                        n > 40 ? "2" : "4", interval_name(invocations->run),
                        invocations->list[i].id, value,
                        metric_descriptions[series[s].metric].heading);
        }
    }
    fputs("</svg></div>\n", out);
}

/* ---- the CPI stack ---- */

/* The mean has its place at the right. */
enum { MEAN_WIDTH = 96, STACK_WIDTH = PLOT_WIDTH - MEAN_WIDTH };

/* Parts without a cycle in any invocation are not shown. */
static bool stack_shows(const struct invocations *invocations, int part) {
    return cpi_stack_cycles(invocations, NULL, part, MODE_TOTAL) > 0;
}

static void stack_legend(FILE *out, const struct invocations *invocations) {
    fputs("<div class=\"legend\">", out);
    for (int part = 0; part < STACK_PARTS; part++)
        if (stack_shows(invocations, part))
            fprintf(out, "<span><i class=\"s-%s\"></i>%s</span>", stack_parts[part].key,
                    stack_parts[part].title);
    fputs("</div>\n", out);
}

/* One bar: an invocation's, or the mean's (NULL). */
static void stack_bar(FILE *out, const struct invocations *invocations,
                      const struct invocation *one, struct axis axis, double x, double width) {
    const metrics_table *metrics = one ? &one->metrics : &invocations->mean;
    double instructions = (*metrics)[INSTRUCTIONS][MODE_TOTAL];
    double cycles = (*metrics)[CYCLES][MODE_TOTAL], below = 0;
    if (!(instructions > 0 && cycles > 0))
        return;
    for (int part = 0; part < STACK_PARTS; part++) {
        double value = cpi_stack_cycles(invocations, one, part, MODE_TOTAL);
        double top = axis_y(axis, (below + value) / instructions);
        double height = axis_y(axis, below / instructions) - top;
        below += value;
        if (value <= 0)
            continue;
        fprintf(out, "<path class=\"s-%s\" d=\"M%.2f %.2fh%.2fv%.2fh-%.2fz\"><title>",
                stack_parts[part].key, x - width / 2, top, width, height, width);
        if (one)
            fprintf(out, "%s %" PRIu64, interval_name(invocations->run), one->id);
        else
            fputs(interval_summary(invocations->run), out);
        fprintf(out, ": %s: %.3f cycles per instruction, %.1f %%</title></path>\n",
                stack_parts[part].title, value / instructions, 100 * value / cycles);
    }
}

static void stack_chart(FILE *out, const struct invocations *invocations) {
    size_t n = invocations->count;
    double largest = invocations->mean[CPI][MODE_TOTAL];
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, invocations->list[i].metrics[CPI][MODE_TOTAL]);
    struct axis axis = axis_for(largest);
    double mean_x = PLOT_LEFT + PLOT_WIDTH - MEAN_WIDTH / 2.0;

    chart_begin(out, "stack", "CPI stack of each one, and their mean",
                "One bar each: its cycles per instruction, by what they were spent on. At "
                "the right the mean of all, whose figures are in the table below.",
                axis, invocations, STACK_WIDTH);
    fprintf(out,
            "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n"
            "<path class=\"grid\" d=\"M%d %dv%d\"/>\n<g class=\"stack\">\n",
            mean_x, PLOT_TOP + PLOT_HEIGHT + 18, interval_summary(invocations->run),
            PLOT_LEFT + STACK_WIDTH, PLOT_TOP, PLOT_HEIGHT);
    for (size_t i = 0; i < n; i++)
        stack_bar(out, invocations, &invocations->list[i], axis, plot_x(i, n, STACK_WIDTH),
                  plot_bar(n, STACK_WIDTH));
    stack_bar(out, invocations, NULL, axis, mean_x, 64);
    fputs("</g></svg>\n", out);
}

static void stack_row(FILE *out, const struct invocations *invocations, int part) {
    const metrics_table *mean = &invocations->mean;
    double total = cpi_stack_cycles(invocations, NULL, part, MODE_TOTAL);
    fprintf(out, "<tr><th scope=\"row\"><i class=\"s-%s\"></i>%s</th><td>", stack_parts[part].key,
            stack_parts[part].title);
    report_figure(out, total, 0);
    fputs("</td><td>", out);
    report_figure(out, total / (*mean)[INSTRUCTIONS][MODE_TOTAL], 3);
    fputs("</td><td>", out);
    report_figure(out, 100 * total / (*mean)[CYCLES][MODE_TOTAL], 1);
    for (int mode = MODE_USER; mode <= MODE_KERNEL; mode++) {
        fputs("</td><td>", out);
        report_figure(out, cpi_stack_cycles(invocations, NULL, part, mode), 0);
    }
    fputs("</td></tr>\n", out);
}

void report_stack(FILE *out, const struct invocations *invocations) {
    if (!invocations->stack)
        return;
    fputs("<h2>CPI stack</h2>\n<div class=\"card\">", out);
    stack_legend(out, invocations);
    stack_chart(out, invocations);
    fputs("<table class=\"keyed\">\n<thead><tr><th scope=\"col\"></th><th scope=\"col\">cycles</th>"
          "<th scope=\"col\">CPI</th><th scope=\"col\">%</th><th scope=\"col\">user</th>"
          "<th scope=\"col\">kernel</th></tr></thead>\n<tbody>\n",
          out);
    for (int part = 0; part < STACK_PARTS; part++)
        if (stack_shows(invocations, part))
            stack_row(out, invocations, part);
    fputs("</tbody></table></div>\n", out);
}
