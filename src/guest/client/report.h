/* What a load run tells: while it runs, a line a second (on a terminal always the same line); at
 * its end the summary as text, JSON or CSV; and an HdrHistogram log, if one is asked for. */
#ifndef SLS_GUEST_CLIENT_REPORT_H
#define SLS_GUEST_CLIENT_REPORT_H

#include "client/options.h"
#include "client/schedule.h"
#include "client/tally.h"

struct report;

/* Opens the log. `schedule` has been prepared; `calls` how many there will be at most, 0:
 * that is not known. NULL: no memory, or the log cannot be written. */
struct report *report_begin(const struct options *options, const struct schedule *schedule,
                            uint64_t calls, struct error *err);

/* So much time has passed: when a second is full it is told, logged, and merged into the whole. */
void report_tick(struct report *report, struct tally *tally, uint64_t elapsed_ns);

/* The rest of the last second, then, if `print`, the summary on standard output. Frees the report.
 * -1: something could not be written. */
int report_end(struct report *report, struct tally *tally, bool print, struct error *err);

#endif
