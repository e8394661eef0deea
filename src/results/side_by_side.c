#include "results/side_by_side.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "results/mean.h"
#include "results/writers.h"

enum { LABEL_WIDTH = 16, VALUE_WIDTH = 14, RATIO_WIDTH = 9 };

/* The rows, for people: the others are in CSV and JSON. */
static const enum metric rows[] = {
    INSTRUCTIONS, CYCLES,      CPI,         L1I_MISSES,       L1D_MISSES,   LLC_MISSES,
    L1I_FILLS,    L1D_FILLS,   L1I_MPKI,    L1D_MPKI,         LLC_MPKI,     BRANCH_MISPREDICTS,
    ITLB_MISSES,  DTLB_MISSES, PAGE_FAULTS, CONTEXT_SWITCHES, MICROSECONDS, LATENCY,
};
enum { ROWS = sizeof rows / sizeof *rows };

struct column {
    const char *folder;
    struct manifest *manifest;
    json_t *mean; /* mean.h */
};

static void close_columns(struct column *columns, size_t count) {
    for (size_t i = 0; i < count; i++) {
        manifest_free(columns[i].manifest);
        json_decref(columns[i].mean);
    }
}

static int open_column(const char *folder, struct column *column, struct error *err) {
    autofree char *about = format_string("%s/run.json", folder);
    *column = (struct column){.folder = folder, .manifest = manifest_read(about, err)};
    if (!column->manifest)
        return -1;
    const char *status = manifest_text(column->manifest, "status");
    if (!status || strcmp(status, "complete") != 0)
        return error_set(err, "%s is not a whole run: its status is %s", folder,
                         status ? status : "unknown");
    column->mean = mean_read(folder, err);
    return column->mean ? 0 : -1;
}

static double figure(const struct column *column, enum metric metric, enum mode mode) {
    return mean_figure(column->mean, metric, mode);
}

static bool has_row(const struct column *columns, size_t count, enum metric metric,
                    enum mode mode) {
    for (size_t i = 0; i < count; i++)
        if (isfinite(figure(&columns[i], metric, mode)))
            return true;
    return false;
}

static const char *text(const struct column *column, const char *key) {
    return manifest_text(column->manifest, key) ?: "?";
}

static const char *subject(const struct column *column) {
    const char *program = manifest_text(column->manifest, "program");
    const char *slash = program ? strrchr(program, '/') : NULL;
    return slash ? slash + 1 : program ? program : text(column, "function");
}

/* ---- for people ---- */

static void head(FILE *out, const struct column *columns, size_t count,
                 const char *(*name)(const struct column *)) {
    fprintf(out, "%-*s", LABEL_WIDTH, "");
    for (size_t i = 0; i < count; i++)
        print_cell(out, i > 1 ? RATIO_WIDTH + VALUE_WIDTH : VALUE_WIDTH, name(&columns[i]));
    fputc('\n', out);
}

static const char *system_of(const struct column *column) {
    return text(column, "system");
}

static const char *engine_of(const struct column *column) {
    return text(column, "engine");
}

static const char *start_of(const struct column *column) {
    return manifest_text(column->manifest, "start") ?: "warm";
}

static const char *flush_of(const struct column *column) {
    return manifest_text(column->manifest, "flush") ?: "";
}

/* Something else than what is usual. */
static bool any_starts_otherwise(const struct column *columns, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(start_of(&columns[i]), "warm") != 0)
            return true;
    return false;
}

static void row(FILE *out, const struct column *columns, size_t count, enum metric metric) {
    double first = figure(&columns[0], metric, MODE_TOTAL);
    fputs(metric_descriptions[metric].heading, out);
    print_cell(out, LABEL_WIDTH - text_width(metric_descriptions[metric].heading), "");
    for (size_t i = 0; i < count; i++) {
        double value = figure(&columns[i], metric, MODE_TOTAL);
        print_metric(out, VALUE_WIDTH, metric, value);
        if (i)
            print_figure(out, RATIO_WIDTH, value / first, 3);
    }
    fputc('\n', out);
}

static void write_people(FILE *out, const struct column *columns, size_t count) {
    fprintf(out, "mean invocation; behind each figure its ratio to the first run's\n\n");
    head(out, columns, count, subject);
    head(out, columns, count, system_of);
    head(out, columns, count, engine_of);
    if (any_starts_otherwise(columns, count)) {
        head(out, columns, count, start_of);
        head(out, columns, count, flush_of);
    }
    print_rule(out);
    for (int i = 0; i < ROWS; i++)
        if (has_row(columns, count, rows[i], MODE_TOTAL))
            row(out, columns, count, rows[i]);
}

/* ---- for programs ---- */

static void write_comma(FILE *out, const struct column *columns, size_t count) {
    fputs("run,function,system,engine", out);
    for (int metric = 0; metric < METRICS; metric++)
        for (int mode = 0; mode < MODES; mode++)
            if (has_row(columns, count, metric, mode))
                fprintf(out, ",%s_%s,%s_%s_ratio", metric_descriptions[metric].key,
                        mode_names[mode], metric_descriptions[metric].key, mode_names[mode]);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "\n%s,%s,%s,%s", columns[i].folder, subject(&columns[i]),
                text(&columns[i], "system"), text(&columns[i], "engine"));
        for (int metric = 0; metric < METRICS; metric++)
            for (int mode = 0; mode < MODES; mode++) {
                double value = figure(&columns[i], metric, mode);
                double ratio = value / figure(&columns[0], metric, mode);
                if (!has_row(columns, count, metric, mode))
                    continue;
                fputc(',', out);
                csv_number(out, value, metric);
                if (isfinite(ratio))
                    fprintf(out, ",%.6f", ratio);
                else
                    fputc(',', out);
            }
    }
    fputc('\n', out);
}

static json_t *json_column(const struct column *columns, size_t index) {
    const struct column *column = &columns[index];
    json_t *ratios = json_object();
    for (int metric = 0; metric < METRICS; metric++)
        for (int mode = 0; mode < MODES; mode++) {
            double ratio = figure(column, metric, mode) / figure(&columns[0], metric, mode);
            if (!isfinite(ratio))
                continue;
            json_t *modes = json_object_get(ratios, metric_descriptions[metric].key);
            if (!modes)
                json_object_set_new(ratios, metric_descriptions[metric].key, modes = json_object());
            json_object_set_new(modes, mode_names[mode], json_real(ratio));
        }
    return json_pack("{s:o, s:o, s:o, s:o, s:O, s:o}", "folder", json_text(column->folder),
                     "function", json_text(subject(column)), "system",
                     json_text(text(column, "system")), "engine", json_text(text(column, "engine")),
                     "mean", column->mean, "ratio", ratios);
}

static void write_object(FILE *out, const struct column *columns, size_t count) {
    json_t *runs = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(runs, json_column(columns, i));
    json_t *root = json_pack("{s:i, s:o}", "format", 1, "runs", runs);
    json_dumpf(root, out, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(12));
    fputc('\n', out);
    json_decref(root);
}

/* Of hardware sometimes only user mode can be counted. */
static enum mode common_mode(const struct column *a, const struct column *b) {
    bool total = isfinite(figure(a, INSTRUCTIONS, MODE_TOTAL)) &&
                 isfinite(figure(b, INSTRUCTIONS, MODE_TOTAL));
    return total ? MODE_TOTAL : MODE_USER;
}

/* Of a run on hardware that could not count them. Owned by its manifest. */
static const char *why_none(const struct column *column) {
    return manifest_text(column->manifest, "counters.missing") ?: "";
}

/* Whether they did the same work. What is said goes to standard error where programs read. */
static bool check_work(FILE *out, const struct column *columns, size_t count, double tolerance) {
    bool agree = true;
    for (size_t i = 1; i < count; i++) {
        enum mode mode = common_mode(&columns[0], &columns[i]);
        double ratio =
            figure(&columns[i], INSTRUCTIONS, mode) / figure(&columns[0], INSTRUCTIONS, mode);
        if (strcmp(subject(&columns[i]), subject(&columns[0])) != 0)
            fprintf(out, "%s is of %s, %s of %s\n", columns[i].folder, subject(&columns[i]),
                    columns[0].folder, subject(&columns[0]));
        if (fabs(ratio - 1) <= tolerance)
            continue;
        agree = false;
        if (!isfinite(ratio)) {
            const char *why = why_none(&columns[i]), *other = why_none(&columns[0]);
            fprintf(out, "%s and %s: their instructions cannot be compared: %s\n",
                    columns[i].folder, columns[0].folder,
                    *why     ? why
                    : *other ? other
                             : "one has none");
            continue;
        }
        fprintf(out,
                "%s executed %.1f %% %s %sinstructions than %s: more than the %.3g %% that are "
                "tolerated\n",
                columns[i].folder, fabs(ratio - 1) * 100, ratio > 1 ? "more" : "fewer",
                mode == MODE_USER ? "user " : "", columns[0].folder, tolerance * 100);
    }
    return agree;
}

int results_side_by_side(const struct side_by_side_options *options, FILE *out, bool *agree,
                         struct error *err) {
    static void (*const writers[])(FILE *, const struct column *, size_t) = {
        [RESULTS_TABLE] = write_people, [RESULTS_CSV] = write_comma, [RESULTS_JSON] = write_object};
    struct column columns[SIDE_BY_SIDE_MOST] = {0};
    size_t count = options->count;
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = open_column(options->folders[i], &columns[i], err);
    if (result == 0) {
        writers[options->format](out, columns, count);
        bool people = options->format == RESULTS_TABLE;
        if (people)
            fputc('\n', out);
        *agree = check_work(people ? out : stderr, columns, count, options->tolerance);
        if (people && *agree)
            fprintf(out, "instructions agree within %.3g %%\n", options->tolerance * 100);
    }
    close_columns(columns, count);
    return result;
}
