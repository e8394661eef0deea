/* What every chart of report.html is made of. */
#include <inttypes.h>
#include <math.h>

#include "common/cleanup.h"
#include "results/intervals.h"
#include "results/report_parts.h"
#include "results/writers.h"

void report_text(FILE *out, const char *string) {
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

void report_figure(FILE *out, double value, int decimals) {
    autofree char *formatted = format_metric(value, decimals);
    fputs(formatted, out);
}

struct axis axis_for(double largest) {
    if (!(largest > 0))
        return (struct axis){.step = 1, .end = 1};
    double power = pow(10, floor(log10(largest / 4))), step = power;
    for (int i = 0; step * 4 < largest && i < 3; i++)
        step = power * (const int[]){2, 5, 10}[i];
    return (struct axis){.step = step, .end = step * ceil(largest / step)};
}

double axis_y(struct axis axis, double value) {
    return PLOT_TOP + PLOT_HEIGHT - value / axis.end * PLOT_HEIGHT;
}

double plot_x(size_t i, size_t n, double width) {
    return PLOT_LEFT + width * ((double)i + 0.5) / (double)n;
}

double plot_bar(size_t n, double width) {
    return fmin(width / (double)n * (n > 100 ? 0.9 : 0.66), 64);
}

static void name_value(struct axis axis, double value, char label[AXIS_LABEL]) {
    const char *unit = axis.end >= 2e6 ? "M" : axis.end >= 2e3 ? "k" : "";
    double shown = value / (axis.end >= 2e6 ? 1e6 : axis.end >= 2e3 ? 1e3 : 1);
    if (axis.name)
        axis.name(value, label);
    else
        snprintf(label, AXIS_LABEL, "%g%s", shown, value > 0 ? unit : "");
}

/* The picture, its title, and the lines of the value axis. */
static void frame_begin(FILE *out, const char *id, const char *title, const char *description,
                        struct axis axis) {
    fprintf(out,
            "<svg viewBox=\"0 0 980 250\" role=\"img\" aria-labelledby=\"%s-title %s-desc\">\n"
            "<title id=\"%s-title\">%s</title><desc id=\"%s-desc\">%s</desc>\n",
            id, id, id, title, id, description);
    for (double value = 0; value <= axis.end * 1.001; value += axis.step) {
        char label[AXIS_LABEL];
        name_value(axis, value, label);
        fprintf(out,
                "<path class=\"grid\" d=\"M%d %.1fh%d\"/><text x=\"%d\" y=\"%.1f\" "
                "text-anchor=\"end\">%s</text>\n",
                PLOT_LEFT, axis_y(axis, value), PLOT_WIDTH, PLOT_LEFT - 8, axis_y(axis, value) + 4,
                label);
    }
}

void time_chart_begin(FILE *out, const char *id, const char *title, const char *description,
                      struct axis axis, double seconds) {
    frame_begin(out, id, title, description, axis);
    struct axis time = axis_for(seconds);
    for (double at = 0; at <= seconds; at += time.step)
        fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n",
                PLOT_LEFT + PLOT_WIDTH * at / seconds, PLOT_TOP + PLOT_HEIGHT + 18, at);
    fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">s</text>\n",
            PLOT_LEFT + PLOT_WIDTH / 2.0, PLOT_TOP + PLOT_HEIGHT + 36);
}

void chart_begin(FILE *out, const char *id, const char *title, const char *description,
                 struct axis axis, const struct invocations *invocations, double width) {
    frame_begin(out, id, title, description, axis);
    size_t n = invocations->count, every = (n + 19) / 20;
    for (size_t i = 0; i < n; i += every) {
        char label[INTERVAL_LABEL];
        interval_label(invocations->run, invocations->list[i].id, label);
        fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
                plot_x(i, n, width), PLOT_TOP + PLOT_HEIGHT + 18, label);
    }
    fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
            PLOT_LEFT + width / 2, PLOT_TOP + PLOT_HEIGHT + 36, interval_name(invocations->run));
}
