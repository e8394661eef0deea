/* What the files that show a suite share: its figures, and the means by language. */
#ifndef SLS_RESULTS_SUITE_PARTS_H
#define SLS_RESULTS_SUITE_PARTS_H

#include "results/invocations.h"
#include "results/suite.h"

/* What tables show of a function, user and kernel together. */
enum { SUITE_COLUMNS = 8 };
extern const enum metric suite_columns[SUITE_COLUMNS];

/* How the means by language are made, for people. */
#define SUITE_MEANS                                                                                \
    "Means of functions are arithmetic: each function counts once, as the mean of its "            \
    "invocations."

/* A figure of a function's mean invocation; NAN: it has failed, or has no such figure. */
double suite_figure(const struct suite_entry *entry, enum metric metric, enum mode mode);

/* The functions of one language, or all of them. */
struct suite_group {
    const char *language; /* NULL: all */
    size_t count;         /* that are whole */
};

/* The languages in alphabetical order, then all; those without a whole function are left out. The
 * caller frees the list. */
struct suite_group *suite_groups(const struct suite_results *suite, size_t *count);

/* The arithmetic mean of the functions of the group that have the figure; NAN: none has. */
double suite_mean(const struct suite_results *suite, const struct suite_group *group,
                  enum metric metric, enum mode mode);

void suite_write_table(const struct suite_results *suite, FILE *out);
void suite_write_csv(const struct suite_results *suite, FILE *out);
void suite_write_json(const struct suite_results *suite, FILE *out);
void suite_write_report(const struct suite_results *suite, FILE *out);

#endif
