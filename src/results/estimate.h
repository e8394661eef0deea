/* What figures that differ from repetition to repetition are worth: confidence intervals by the
 * bootstrap (percentile method: B. Efron, The Annals of Statistics 7(1), 1979), and which of them
 * are outliers. The same figures give the same intervals. */
#ifndef SLS_RESULTS_ESTIMATE_H
#define SLS_RESULTS_ESTIMATE_H

#include <stdbool.h>
#include <stddef.h>

#define ESTIMATE_LEVEL 0.95

struct estimate {
    double mean, mean_low, mean_high; /* at ESTIMATE_LEVEL */
    double median, median_low, median_high;
    unsigned resamples;
};

/* Of one figure or more, all finite. */
struct estimate estimate_of(const double *values, size_t count);

/* Tukey's rule: further than one and a half times the interquartile range from the quartiles. */
void estimate_outliers(const double *values, size_t count, bool *outliers);

#endif
