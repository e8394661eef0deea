/* report.html of a fleet: how many instances there were, and when, and what latency each invocation
 * had; one time axis for both. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "native/fleet_record.h"
#include "results/report_parts.h"

#define MOST_DOTS 20000 /* more would make a page that no browser likes */

static double x_of(const struct fleet_record *record, uint64_t time) {
    return PLOT_LEFT + PLOT_WIDTH * (double)time / (double)record->end;
}

/* ---- instances ---- */

struct change {
    uint64_t time;
    int by;
};

static int by_time(const void *a, const void *b) {
    const struct change *x = a, *y = b;
    return (x->time > y->time) - (x->time < y->time);
}

static void instances_chart(const struct fleet_record *record, FILE *out) {
    struct axis axis = axis_for((double)record->most_at_a_time);
    struct change *changes = calloc(2 * record->instance_count + 1, sizeof *changes);
    size_t count = 0;
    int alive = 0;
    if (!changes)
        abort();
    for (size_t i = 0; i < record->instance_count; i++) {
        const struct fleet_instance *one = &record->instances[i];
        changes[count++] = (struct change){one->born, 1};
        if (one->removed)
            changes[count++] = (struct change){one->removed, -1};
    }
    qsort(changes, count, sizeof *changes, by_time);
    fputs("<h2>Instances</h2>\n<div class=\"card\">\n", out);
    time_chart_begin(out, "instances", "Instances at a time",
                     "A step up where one starts, down where one is removed.", axis,
                     (double)record->end / 1e9);
    fprintf(out, "<path class=\"a\" d=\"M%d %.1f", PLOT_LEFT, axis_y(axis, 0));
    for (size_t i = 0; i < count; i++)
        fprintf(out, "H%.2fV%.2f", x_of(record, changes[i].time),
                axis_y(axis, alive += changes[i].by));
    fprintf(out, "H%dV%.1fz\"/>\n</svg></div>\n", PLOT_LEFT + PLOT_WIDTH, axis_y(axis, 0));
    free(changes);
}

/* ---- latencies: a logarithmic axis, as a cold start takes a thousand times as long ---- */

static double decades_of(uint64_t ns) {
    return fmax(0, log10((double)ns / 1e3)); /* from 1 µs */
}

static void powers_of_ten(double decades, char label[AXIS_LABEL]) {
    static const char *const units[] = {"µs", "ms", "s"};
    int unit = decades < 3 ? 0 : decades < 6 ? 1 : 2;
    snprintf(label, AXIS_LABEL, "%g %s", pow(10, decades - 3 * unit), units[unit]);
}

static void latency_chart(const struct fleet_record *record, FILE *out) {
    double most = 1;
    size_t every = record->count / MOST_DOTS + 1;
    for (size_t i = 0; i < record->count; i++)
        most = fmax(most, decades_of(record->invocations[i].end - record->invocations[i].due));
    struct axis axis = {1, ceil(most), powers_of_ten};
    fputs("<h2>Latency</h2>\n<div class=\"card\"><div class=\"legend\"><span><i "
          "class=\"a\"></i>warm</span><span><i class=\"b\"></i>cold</span></div>\n",
          out);
    time_chart_begin(out, "latency", "Latency of each invocation",
                     "One dot each, at the time when it was due; powers of ten of a microsecond.",
                     axis, (double)record->end / 1e9);
    for (size_t i = 0; i < record->count; i++) {
        const struct fleet_invocation *one = &record->invocations[i];
        if (one->failed || (!one->cold && i % every))
            continue;
        fprintf(out,
                "<circle class=\"%c\" cx=\"%.1f\" cy=\"%.1f\" r=\"%s\"><title>%zu: %.3f ms"
                "</title></circle>\n",
                one->cold ? 'b' : 'a', x_of(record, one->due),
                axis_y(axis, decades_of(one->end - one->due)), one->cold ? "4" : "2", i,
                (double)(one->end - one->due) / 1e6);
    }
    fputs("</svg></div>\n", out);
}

void fleet_record_report(const struct fleet_record *record, const struct manifest *manifest,
                         FILE *out) {
    report_begin(out, record->function, "native");
    fputs("<div class=\"card\"><pre>", out);
    fleet_record_print(record, RESULTS_TABLE, out);
    fputs("</pre></div>\n", out);
    instances_chart(record, out);
    latency_chart(record, out);
    report_provenance(out, manifest);
    fputs("</body>\n</html>\n", out);
}
