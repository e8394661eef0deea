/* A histogram of high dynamic range (HDR, by Gil Tene): counts of values from 1 ns to an hour, each
 * kept to three significant digits, in 270 kB, whatever the number of values. The layout is
 * HdrHistogram's own, so that its logs hold it as it is (hdr_log.h): up to 2048 a count each ns,
 * then, in each range up to the double, 1024 counts. */
#ifndef SLS_LOAD_HISTOGRAM_H
#define SLS_LOAD_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_DIGITS 3
#define HISTOGRAM_MAX UINT64_C(3600000000000) /* an hour; what is longer counts as an hour */
#define HISTOGRAM_HALF 1024ul /* counts in each range but the first, which has 2048 */
#define HISTOGRAM_COUNTS (33 * HISTOGRAM_HALF) /* 2048 << 31 is the first power above an hour */

/* All zero: empty. */
struct histogram {
    uint64_t count;
    uint64_t least, most; /* exactly; 0 while it is empty */
    double sum;           /* exactly, as far as a double goes */
    uint64_t counts[HISTOGRAM_COUNTS];
};

void histogram_add(struct histogram *histogram, uint64_t value);

/* Add all of the other's. */
void histogram_merge(struct histogram *histogram, const struct histogram *other);

/* The least value that so many per cent of the values do not exceed (nearest rank), to three
 * digits: the upper end of its count, and never above the greatest value. 0: it is empty. */
uint64_t histogram_percentile(const struct histogram *histogram, double percent);

double histogram_mean(const struct histogram *histogram);

void histogram_clear(struct histogram *histogram);

/* The count that a value belongs to. */
size_t histogram_index(uint64_t value);

#endif
