/* What becomes of the invocations. Each writer prints one whole file; the same invocations give the
 * same bytes, whatever the host and the hour. */
#ifndef SLS_RESULTS_WRITERS_H
#define SLS_RESULTS_WRITERS_H

#include <jansson.h>

#include "results/invocations.h"

void write_stats(const struct invocations *invocations, FILE *out); /* gem5's stats.txt */
void write_table(const struct invocations *invocations,
                 FILE *out);                                      /* for a terminal, 100 columns */
void write_csv(const struct invocations *invocations, FILE *out); /* one row an invocation */
void write_json(const struct invocations *invocations, FILE *out);
void write_report(const struct invocations *invocations,
                  FILE *out); /* one self-contained HTML page */

/* Nothing without a CPI stack, and without regions. */
void write_stack_table(const struct invocations *invocations, FILE *out);
void write_regions_table(const struct invocations *invocations, FILE *out);

void write_regions_csv(const struct invocations *invocations, FILE *out);

/* Of a profiled run. */
void write_hot_spots(const struct invocations *invocations, size_t most, FILE *out);
void write_profile_text(const struct invocations *invocations, FILE *out);
void write_folded(const struct invocations *invocations, FILE *out);
void write_callgrind(const struct invocations *invocations, FILE *out);

/* The figure in the unit in which people are told of it. */
double metric_for_people(enum metric metric, double value);

/* A figure for people: 1,234,567 or 2.50, "n/a" where there is none. The caller frees it. */
char *format_metric(double value, int decimals);

/* In characters, not bytes: µ has two. */
int text_width(const char *text);

/* The same, right-aligned in so many columns; of a metric, in its unit; and any text. */
void print_figure(FILE *out, int width, double value, int decimals);
void print_metric(FILE *out, int width, enum metric metric, double value);
void print_cell(FILE *out, int width, const char *text);

/* A line as wide as a table. */
void print_rule(FILE *out);

/* A figure in full: whole counts as integers, others with six decimals, "" where there is none. */
void csv_number(FILE *out, double value, enum metric metric);

/* The same for JSON, null where there is none; and text of any bytes, as JSON takes only UTF-8. */
json_t *json_number(double value, enum metric metric);
json_t *json_text(const char *text);

#endif
