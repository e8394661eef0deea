/* samples.tsv: what the plugin recorded. Statistics are declared once,
 * in order; each mark of the guest then has the value of every
 * statistic at that instant, cumulative since the simulation began. */
#ifndef SLS_RESULTS_SAMPLES_H
#define SLS_RESULTS_SAMPLES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"

struct statistic {
    const char *name, *unit,
        *description; /* gem5's name, gem5's unit (Count, Cycle, …), a sentence */
};

struct mark {
    unsigned code;         /* m5 operation: 0x5a work begin, 0x5b work end, … */
    uint64_t arguments[2]; /* for work begin and end: the work id, the thread */
    uint64_t *values;      /* one a statistic */
};

struct samples {
    struct statistic *statistics;
    size_t statistic_count;
    struct mark *marks;
    size_t mark_count;
    char *text; /* the file; statistics point into it */
};

/* The whole file, checked: values never fall from one mark to the next. NULL on failure; the error
 * has the file's name and the number of the first bad line. */
struct samples *samples_read(const char *path, struct error *err);
void samples_free(struct samples *samples);

/* Index of a statistic by its full name, or -1. */
ssize_t samples_find(const struct samples *samples, const char *name);

#endif
