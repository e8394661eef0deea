/* A suite for people (a table of 100 columns), for spreadsheets (CSV) and for programs (JSON). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "results/suite_parts.h"
#include "results/writers.h"

enum { NAME_WIDTH = 25 };
static const int widths[SUITE_COLUMNS] = {13, 7, 9, 9, 9, 9, 8, 11};

static void figures(FILE *out, const double values[SUITE_COLUMNS]) {
    for (int i = 0; i < SUITE_COLUMNS; i++)
        print_metric(out, widths[i], suite_columns[i], values[i]);
    fputc('\n', out);
}

static void function_row(FILE *out, const struct suite_entry *entry) {
    double values[SUITE_COLUMNS];
    fprintf(out, "%-*s", NAME_WIDTH, entry->function);
    if (!entry->mean) {
        fprintf(out, "     failed: see %s\n", entry->folder);
        return;
    }
    for (int i = 0; i < SUITE_COLUMNS; i++)
        values[i] = suite_figure(entry, suite_columns[i], MODE_TOTAL);
    figures(out, values);
}

static void group_row(FILE *out, const struct suite_results *suite,
                      const struct suite_group *group) {
    double values[SUITE_COLUMNS];
    autofree char *title =
        format_string("mean of %zu %s%s", group->count, group->language ? "in " : "function",
                      group->language     ? group->language
                      : group->count == 1 ? ""
                                          : "s");
    fprintf(out, "%-*s", NAME_WIDTH, title);
    for (int i = 0; i < SUITE_COLUMNS; i++)
        values[i] = suite_mean(suite, group, suite_columns[i], MODE_TOTAL);
    figures(out, values);
}

void suite_write_table(const struct suite_results *suite, FILE *out) {
    size_t count;
    autofree struct suite_group *groups = suite_groups(suite, &count);
    fprintf(out, "%-*s", NAME_WIDTH, "function");
    for (int i = 0; i < SUITE_COLUMNS; i++)
        print_cell(out, widths[i], metric_descriptions[suite_columns[i]].heading);
    fputc('\n', out);
    print_rule(out);
    for (size_t i = 0; i < suite->count; i++)
        function_row(out, &suite->entries[i]);
    print_rule(out);
    for (size_t i = 0; i < count; i++)
        group_row(out, suite, &groups[i]);
    fputs("\n" SUITE_MEANS "\n", out);
}

/* ---- CSV ---- */

/* Columns of systems that have such things: those that any function has a figure for. */
static bool has_column(const struct suite_results *suite, int metric, int mode) {
    for (size_t i = 0; i < suite->count; i++)
        if (isfinite(suite_figure(&suite->entries[i], metric, mode)))
            return true;
    return metric < FIRST_OPTIONAL;
}

/* One row a function; a failed one has no figures. */
void suite_write_csv(const struct suite_results *suite, FILE *out) {
    fputs("function,language,status", out);
    for (int metric = 0; metric < METRICS; metric++)
        for (int mode = 0; mode < MODES; mode++)
            if (has_column(suite, metric, mode))
                fprintf(out, ",%s_%s", metric_descriptions[metric].key, mode_names[mode]);
    for (size_t i = 0; i < suite->count; i++) {
        const struct suite_entry *entry = &suite->entries[i];
        fprintf(out, "\n%s,%s,%s", entry->function, suite_language(entry->function),
                entry->mean ? "complete" : "failed");
        for (int metric = 0; metric < METRICS; metric++)
            for (int mode = 0; mode < MODES; mode++) {
                if (!has_column(suite, metric, mode))
                    continue;
                fputc(',', out);
                csv_number(out, suite_figure(entry, metric, mode), metric);
            }
    }
    fputc('\n', out);
}

/* ---- JSON ---- */

static json_t *json_entry(const struct suite_entry *entry) {
    json_t *object =
        json_pack("{s:o, s:o, s:o, s:s}", "function", json_text(entry->function), "language",
                  json_text(suite_language(entry->function)), "folder", json_text(entry->folder),
                  "status", entry->mean ? "complete" : "failed");
    if (entry->mean)
        json_object_set(object, "mean", entry->mean);
    else
        json_object_set_new(object, "error", json_text(entry->error));
    return object;
}

static json_t *json_group(const struct suite_results *suite, const struct suite_group *group) {
    json_t *mean = json_object();
    for (int metric = 0; metric < METRICS; metric++) {
        json_t *modes = json_object();
        for (int mode = 0; mode < MODES; mode++)
            json_object_set_new(modes, mode_names[mode],
                                json_number(suite_mean(suite, group, metric, mode), metric));
        if (has_column(suite, metric, MODE_TOTAL))
            json_object_set(mean, metric_descriptions[metric].key, modes);
        json_decref(modes);
    }
    return json_pack("{s:o, s:I, s:o}", "language",
                     group->language ? json_text(group->language) : json_null(), "functions",
                     (json_int_t)group->count, "mean", mean);
}

void suite_write_json(const struct suite_results *suite, FILE *out) {
    json_t *functions = json_array(), *means = json_array();
    size_t count;
    autofree struct suite_group *groups = suite_groups(suite, &count);
    for (size_t i = 0; i < suite->count; i++)
        json_array_append_new(functions, json_entry(&suite->entries[i]));
    for (size_t i = 0; i < count; i++)
        json_array_append_new(means, json_group(suite, &groups[i]));
    json_t *root = json_pack(
        "{s:i, s:o, s:I, s:o, s:o}", "format", 1, "system", json_text(suite->system), "invocations",
        (json_int_t)suite->invocations, "functions", functions, "means", means);
    json_dumpf(root, out, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(12));
    fputc('\n', out);
    json_decref(root);
}
