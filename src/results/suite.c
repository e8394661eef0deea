#include "results/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "results/mean.h"
#include "results/suite_parts.h"
#include "results/writers.h"

const enum metric suite_columns[SUITE_COLUMNS] = {
    INSTRUCTIONS, CPI, L1I_MPKI, L1D_MPKI, LLC_MPKI, CODE_FOOTPRINT, DATA_FOOTPRINT, MICROSECONDS};

const char *suite_language(const char *function) {
    const char *dash = strrchr(function, '-');
    return dash ? dash + 1 : function;
}

double suite_figure(const struct suite_entry *entry, enum metric metric, enum mode mode) {
    return mean_figure(entry->mean, metric, mode);
}

char *suite_summary(const struct suite_entry *entry) {
    autofree char *cpi = format_metric(suite_figure(entry, CPI, MODE_TOTAL), 3);
    autofree char *time = format_metric(suite_figure(entry, MICROSECONDS, MODE_TOTAL), 2);
    return format_string("CPI %7s %14s µs", cpi, time);
}

/* Whether it is whole, and one of them. */
static bool counts(const struct suite_entry *entry, const char *language) {
    return entry->mean && (!language || strcmp(suite_language(entry->function), language) == 0);
}

static int by_language(const void *a, const void *b) {
    return strcmp(((const struct suite_group *)a)->language,
                  ((const struct suite_group *)b)->language);
}

static struct suite_group *find_group(struct suite_group *groups, size_t count,
                                      const char *language) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(groups[i].language, language) == 0)
            return &groups[i];
    return NULL;
}

struct suite_group *suite_groups(const struct suite_results *suite, size_t *count) {
    struct suite_group *groups = calloc(suite->count + 1, sizeof *groups), all = {0};
    size_t languages = 0;
    if (!groups)
        abort();
    for (size_t i = 0; i < suite->count; i++) {
        const char *language = suite_language(suite->entries[i].function);
        if (!counts(&suite->entries[i], NULL))
            continue;
        struct suite_group *group = find_group(groups, languages, language);
        if (!group) {
            group = &groups[languages++];
            group->language = language;
        }
        group->count++;
        all.count++;
    }
    qsort(groups, languages, sizeof *groups, by_language);
    groups[languages] = all;
    *count = all.count ? languages + 1 : 0;
    return groups;
}

double suite_mean(const struct suite_results *suite, const struct suite_group *group,
                  enum metric metric, enum mode mode) {
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < suite->count; i++) {
        double figure = suite_figure(&suite->entries[i], metric, mode);
        if (!counts(&suite->entries[i], group->language) || !isfinite(figure))
            continue;
        sum += figure;
        count++;
    }
    return sum / (double)count;
}

typedef void writer(const struct suite_results *suite, FILE *out);

int suite_results_print(FILE *out, const struct suite_results *suite, enum results_format format,
                        struct error *err) {
    static writer *const writers[] = {[RESULTS_TABLE] = suite_write_table,
                                      [RESULTS_JSON] = suite_write_json,
                                      [RESULTS_CSV] = suite_write_csv};
    writers[format](suite, out);
    if (fflush(out) != 0 || ferror(out))
        return error_errno(err, "printing the results");
    return 0;
}

static int write_file(const char *folder, const char *name, writer *write,
                      const struct suite_results *suite, struct error *err) {
    struct file_printed file;
    file_print_begin(&file, folder, name);
    write(suite, file.out);
    return file_print_end(&file, err);
}

int suite_results_write(const char *folder, const struct suite_results *suite, struct error *err) {
    return -(write_file(folder, "suite.json", suite_write_json, suite, err) ||
             write_file(folder, "suite.csv", suite_write_csv, suite, err) ||
             write_file(folder, "report.html", suite_write_report, suite, err));
}
