/* What the files that make report.html share: text,
 * figures, the frame of a chart; and its sections. */
#ifndef SLS_RESULTS_REPORT_PARTS_H
#define SLS_RESULTS_REPORT_PARTS_H

#include "results/invocations.h"

/* Text from anywhere: escaped, without control characters. */
void report_text(FILE *out, const char *string);

/* A figure for people. */
void report_figure(FILE *out, double value, int decimals);

/* Open the page, up to its heading: SUBJECT on SYSTEM. */
void report_begin(FILE *out, const char *subject, const char *system);

/* ---- report_chart.c: a plot of 900 × 200 in a picture of 980 × 250 ---- */

enum { PLOT_LEFT = 64, PLOT_TOP = 10, PLOT_WIDTH = 900, PLOT_HEIGHT = 200 };

enum { AXIS_LABEL = 32 };

/* A value axis from 0: steps of 1, 2 or 5 times a power of ten. */
struct axis {
    double step, end;
    void (*name)(double value, char label[AXIS_LABEL]); /* NULL: in thousands or millions */
};

struct axis axis_for(double largest);
double axis_y(struct axis axis, double value);

/* The middle of the i-th of n in the plot's first `width`. */
double plot_x(size_t i, size_t n, double width);

/* A bar's width among n in the plot's first `width`. */
double plot_bar(size_t n, double width);

/* Open the picture: grid, both axes, the invocations' numbers below the plot's first `width`. */
void chart_begin(FILE *out, const char *id, const char *title, const char *description,
                 struct axis axis, const struct invocations *invocations, double width);

/* The same with time, in seconds, along the plot's whole width. */
void time_chart_begin(FILE *out, const char *id, const char *title, const char *description,
                      struct axis axis, double seconds);

/* What ran, in which versions, where: the page's end. */
void report_provenance(FILE *out, const struct manifest *manifest);

/* ---- the sections; those that the run has nothing for are empty ---- */

void report_latency(FILE *out, const struct invocations *invocations);
void report_cycles_chart(FILE *out, const struct invocations *invocations);
void report_mpki_chart(FILE *out, const struct invocations *invocations);
void report_stack(FILE *out, const struct invocations *invocations);
void report_regions(FILE *out, const struct invocations *invocations);
void report_hot_spots(FILE *out, const struct invocations *invocations);

#endif
