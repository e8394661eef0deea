#include "results/estimate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/random.h"

/* The more figures, the fewer resamples: a bound on the time, which is some tenths of a second. */
#define MOST_RESAMPLES 2000
#define LEAST_RESAMPLES 200
#define MOST_DRAWS 2e7

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double *sorted_copy(const double *values, size_t count) {
    double *copy = malloc(count * sizeof *copy);
    if (!copy)
        abort();
    memcpy(copy, values, count * sizeof *copy);
    qsort(copy, count, sizeof *copy, compare);
    return copy;
}

/* Between two of them where it falls between two (R's type 7). */
static double quantile(const double *sorted, size_t count, double q) {
    double place = q * (double)(count - 1);
    size_t below = (size_t)place;
    double rest = place - (double)below;
    return below + 1 < count ? sorted[below] + rest * (sorted[below + 1] - sorted[below])
                             : sorted[count - 1];
}

/* The median of a resample: counts[i] is how often the i-th smallest figure is in it. */
static double median_of(const double *sorted, const uint32_t *counts, size_t count) {
    size_t lower = (count - 1) / 2, upper = count / 2, seen = 0, i = 0;
    while ((seen += counts[i]) <= lower)
        i++;
    double low = sorted[i];
    while (seen <= upper)
        seen += counts[++i];
    return (low + sorted[i]) / 2;
}

struct estimate estimate_of(const double *values, size_t count) {
    double wanted = MOST_DRAWS / (double)count;
    unsigned resamples = wanted > MOST_RESAMPLES    ? MOST_RESAMPLES
                         : wanted < LEAST_RESAMPLES ? LEAST_RESAMPLES
                                                    : (unsigned)wanted;
    autofree double *sorted = sorted_copy(values, count);
    autofree double *means = malloc(resamples * sizeof *means);
    autofree double *medians = malloc(resamples * sizeof *medians);
    autofree uint32_t *counts = malloc(count * sizeof *counts);
    struct estimate estimate = {.median = quantile(sorted, count, 0.5), .resamples = resamples};
    uint64_t drawn = 0;
    if (!means || !medians || !counts)
        abort();
    for (size_t i = 0; i < count; i++)
        estimate.mean += sorted[i] / (double)count;
    for (unsigned k = 0; k < resamples; k++) {
        double sum = 0;
        memset(counts, 0, count * sizeof *counts);
        for (size_t i = 0; i < count; i++) {
            size_t which = (size_t)((unsigned __int128)random_draw(1, drawn++) * count >> 64);
            counts[which]++;
            sum += sorted[which];
        }
        means[k] = sum / (double)count;
        medians[k] = median_of(sorted, counts, count);
    }
    qsort(means, resamples, sizeof *means, compare);
    qsort(medians, resamples, sizeof *medians, compare);
    estimate.mean_low = quantile(means, resamples, (1 - ESTIMATE_LEVEL) / 2);
    estimate.mean_high = quantile(means, resamples, (1 + ESTIMATE_LEVEL) / 2);
    estimate.median_low = quantile(medians, resamples, (1 - ESTIMATE_LEVEL) / 2);
    estimate.median_high = quantile(medians, resamples, (1 + ESTIMATE_LEVEL) / 2);
    return estimate;
}

void estimate_outliers(const double *values, size_t count, bool *outliers) {
    autofree double *sorted = sorted_copy(values, count);
    double low = quantile(sorted, count, 0.25), high = quantile(sorted, count, 0.75);
    double far = 1.5 * (high - low);
    for (size_t i = 0; i < count; i++)
        outliers[i] = values[i] < low - far || values[i] > high + far;
}
