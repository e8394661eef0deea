#include "load/histogram.h"

#include <math.h>
#include <string.h>

#define FIRST_BITS 11 /* 2 * HISTOGRAM_HALF values of 1 ns */

size_t histogram_index(uint64_t value) {
    int bits = 64 - __builtin_clzll(value | (2 * HISTOGRAM_HALF - 1));
    int range = bits - FIRST_BITS; /* counts of 1 << range ns */
    return (size_t)range * HISTOGRAM_HALF + (size_t)(value >> range);
}

/* The greatest value that belongs to it. */
static uint64_t upper_end(size_t index) {
    size_t range = index < 2 * HISTOGRAM_HALF ? 0 : index / HISTOGRAM_HALF - 1;
    return ((uint64_t)(index - range * HISTOGRAM_HALF + 1) << range) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value) {
    if (value > HISTOGRAM_MAX)
        value = HISTOGRAM_MAX;
    histogram->counts[histogram_index(value)]++;
    histogram->sum += (double)value;
    if (histogram->count++ == 0 || value < histogram->least)
        histogram->least = value;
    if (value > histogram->most)
        histogram->most = value;
}

void histogram_merge(struct histogram *histogram, const struct histogram *other) {
    if (other->count == 0)
        return;
    if (histogram->count == 0 || other->least < histogram->least)
        histogram->least = other->least;
    if (other->most > histogram->most)
        histogram->most = other->most;
    for (size_t i = histogram_index(other->least); i <= histogram_index(other->most); i++)
        histogram->counts[i] += other->counts[i];
    histogram->count += other->count;
    histogram->sum += other->sum;
}

uint64_t histogram_percentile(const struct histogram *histogram, double percent) {
    uint64_t rank = (uint64_t)ceil(percent / 100 * (double)histogram->count), below = 0;
    if (histogram->count == 0)
        return 0;
    for (size_t i = histogram_index(histogram->least); i < HISTOGRAM_COUNTS; i++) {
        below += histogram->counts[i];
        if (below >= rank && below > 0) {
            uint64_t end = upper_end(i);
            return end < histogram->most ? end : histogram->most;
        }
    }
    return histogram->most;
}

double histogram_mean(const struct histogram *histogram) {
    return histogram->count ? histogram->sum / (double)histogram->count : 0;
}

void histogram_clear(struct histogram *histogram) {
    memset(histogram, 0, sizeof *histogram);
}
