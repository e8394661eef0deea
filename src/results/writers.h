/* What becomes of the invocations. Each writer prints one whole file; the same invocations give the
 * same bytes, whatever the host and the hour. */
#ifndef SLS_RESULTS_WRITERS_H
#define SLS_RESULTS_WRITERS_H

#include "results/invocations.h"

void write_stats(const struct invocations *invocations, FILE *out); /* gem5's stats.txt */
void write_table(const struct invocations *invocations,
                 FILE *out);                                      /* for a terminal, 100 columns */
void write_csv(const struct invocations *invocations, FILE *out); /* one row an invocation */
void write_json(const struct invocations *invocations, FILE *out);
void write_report(const struct invocations *invocations,
                  FILE *out); /* one self-contained HTML page */

/* A figure for people: 1,234,567 or 2.50, "n/a" where there is none. The caller frees it. */
char *format_metric(double value, int decimals);

#endif
