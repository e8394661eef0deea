/* The chart of what the client saw, of runs on hardware: each invocation's latency, the mean with
 * its confidence interval, and the outliers in another colour. */
#include <inttypes.h>
#include <math.h>

#include "results/estimate.h"
#include "results/intervals.h"
#include "results/report_parts.h"
#include "results/writers.h"

/* An outlier may be a hundred times as far as the others: those beyond this many medians stand at
 * the top, with their figure in the title. */
#define MOST_MEDIANS 5

static void band(FILE *out, struct axis axis, const struct estimate *estimate) {
    double high = axis_y(axis, estimate->mean_high), low = axis_y(axis, estimate->mean_low);
    fprintf(
        out,
        "<path class=\"a\" fill-opacity=\".18\" d=\"M%d %.2fh%dV%.2fh-%dz\"><title>mean %.2f µs, "
        "%.0f %% confidence interval %.2f to %.2f</title></path>\n",
        PLOT_LEFT, high, PLOT_WIDTH, fmax(low, high + 1), PLOT_WIDTH, estimate->mean,
        100 * ESTIMATE_LEVEL, estimate->mean_low, estimate->mean_high);
}

static void dot(FILE *out, const struct invocations *invocations, size_t i, struct axis axis) {
    const struct invocation *one = &invocations->list[i];
    double latency = one->metrics[LATENCY][MODE_TOTAL];
    fprintf(out,
            "<circle class=\"%c\" cx=\"%.2f\" cy=\"%.2f\" r=\"%s\"><title>%s %" PRIu64
            ": %.2f µs%s</title></circle>\n",
            one->outlier ? 'b' : 'a', plot_x(i, invocations->count, PLOT_WIDTH),
            axis_y(axis, fmin(latency, axis.end)), invocations->count > 40 ? "2" : "4",
            interval_name(invocations->run), one->id, latency, one->outlier ? ", an outlier" : "");
}

void report_latency(FILE *out, const struct invocations *invocations) {
    struct estimate estimate;
    double largest = 0;
    if (!invocations->run->noisy ||
        !invocations_estimate(invocations, LATENCY, MODE_TOTAL, &estimate))
        return;
    for (size_t i = 0; i < invocations->count; i++)
        largest = fmax(largest, invocations->list[i].metrics[LATENCY][MODE_TOTAL]);
    largest = fmax(fmin(largest, MOST_MEDIANS * estimate.median), estimate.mean_high);
    struct axis axis = axis_for(largest);
    fputs("<h2>Latency</h2>\n<div class=\"card\"><div class=\"legend\"><span><i "
          "class=\"a\"></i>µs; the band is the mean's confidence interval</span><span><i "
          "class=\"b\"></i>outlier</span></div>\n",
          out);
    chart_begin(out, "latency", "Latency of each one, in microseconds",
                "One dot each. Those far above all others stand at the top edge.", axis,
                invocations, PLOT_WIDTH);
    band(out, axis, &estimate);
    for (size_t i = 0; i < invocations->count; i++)
        dot(out, invocations, i, axis);
    fputs("</svg></div>\n", out);
}
