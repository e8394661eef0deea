/* A suite: runs of several functions on one system, each in a run folder of its own below the
 * suite's, side by side in one table. Written as suite.json, suite.csv and report.html. */
#ifndef SLS_RESULTS_SUITE_H
#define SLS_RESULTS_SUITE_H

#include <jansson.h>

#include "results/results.h"

struct suite_entry {
    char *function;
    char *folder; /* of its run, below the suite's: FUNCTION, or FUNCTION.failed */
    json_t *mean; /* of its invocations, as in its invocations.json; NULL: it has failed */
    char *error;  /* why it has */
};

/* Everything stays the caller's. */
struct suite_results {
    const char *system;
    unsigned invocations; /* of each function */
    const struct suite_entry *entries;
    size_t count;
};

/* What follows the name's last dash: the language. */
const char *suite_language(const char *function);

/* CPI and simulated time of one that is whole, in words. The caller frees it. */
char *suite_summary(const struct suite_entry *entry);

/* Print them as a table for people, as suite.json or as suite.csv. */
int suite_results_print(FILE *out, const struct suite_results *suite, enum results_format format,
                        struct error *err);

/* Write suite.json, suite.csv and report.html. */
int suite_results_write(const char *folder, const struct suite_results *suite, struct error *err);

#endif
