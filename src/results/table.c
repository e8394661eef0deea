/* The invocations for people (a table of 100 columns),
 * for spreadsheets (CSV) and for programs (JSON). */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "results/cpi_stack.h"
#include "results/estimate.h"
#include "results/intervals.h"
#include "results/writers.h"

/* The terminal's tables: at most this many; the mean is always of all. */
enum { TABLE_INVOCATIONS = 10, TABLE_HOT_SPOTS = 20 };

enum { COLUMNS = 7 };
struct column {
    enum metric metric;
    int width;         /* 0: there are no more */
    bool milliseconds; /* of microseconds */
};
static const struct column of_models[COLUMNS] = {{INSTRUCTIONS, 14}, {CYCLES, 14},   {CPI, 8},
                                                 {L1I_MPKI, 11},     {L1D_MPKI, 11}, {LLC_MPKI, 11},
                                                 {MICROSECONDS, 12}};
/* A cold start is thousands of times as long, and its time is in milliseconds. */
static const struct column of_phases[COLUMNS] = {
    {INSTRUCTIONS, 16},      {CYCLES, 17}, {CPI, 8}, {L1I_MPKI, 10}, {L1D_MPKI, 10}, {LLC_MPKI, 10},
    {MICROSECONDS, 10, true}};
static const struct column of_hardware[COLUMNS] = {
    {LATENCY, 13},     {MICROSECONDS, 12}, {INSTRUCTIONS, 14},    {CPI, 8},
    {BRANCH_MPKI, 10}, {PAGE_FAULTS, 13},  {CONTEXT_SWITCHES, 11}};
static const struct column of_cold_starts[COLUMNS] = {
    {COLD_CREATE, 14}, {COLD_START, 14}, {COLD_LISTEN, 14}, {COLD_REPLY, 14}, {LATENCY, 18, true}};

static const struct column *columns_of(const struct invocations *invocations) {
    const struct run_results *run = invocations->run;
    return run->intervals == RESULTS_PHASES            ? of_phases
           : !run->noisy                               ? of_models
           : invocations_show(invocations, COLD_REPLY) ? of_cold_starts
                                                       : of_hardware;
}

int text_width(const char *text) {
    int characters = 0;
    for (const char *c = text; *c; c++)
        characters += (*c & 0xc0) != 0x80;
    return characters;
}

void print_cell(FILE *out, int width, const char *text) {
    int characters = text_width(text);
    fprintf(out, "%*s%s", width > characters ? width - characters : 0, "", text);
}

char *format_metric(double value, int decimals) {
    if (!isfinite(value))
        return format_string("n/a");
    char *digits = format_string("%.*f", decimals, value);
    char *point = strchrnul(digits, '.');
    size_t whole = point - digits;
    char *text = calloc(1, strlen(digits) + whole / 3 + 1), *to = text;
    if (!text)
        abort();
    for (size_t i = 0; i < whole; i++) {
        if (i && (whole - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    strcpy(to, point);
    free(digits);
    return text;
}

void print_figure(FILE *out, int width, double value, int decimals) {
    autofree char *text = format_metric(value, decimals);
    print_cell(out, width, text);
}

double metric_for_people(enum metric metric, double value) {
    int unit = metric_descriptions[metric].unit;
    return unit ? value / unit : value;
}

void print_metric(FILE *out, int width, enum metric metric, double value) {
    print_figure(out, width, metric_for_people(metric, value),
                 metric_descriptions[metric].decimals);
}

void print_rule(FILE *out) {
    for (int i = 0; i < 100; i++)
        fputs("─", out);
    fputc('\n', out);
}

static void group(FILE *out, const struct invocations *invocations, const char *label,
                  const metrics_table metrics) {
    const struct column *columns = columns_of(invocations);
    for (int mode = 0; mode < MODES; mode++) {
        if (!invocations_have_mode(invocations, mode))
            continue;
        fprintf(out, "%10s %-8s", label, mode_names[mode]);
        label = "";
        for (int i = 0; i < COLUMNS && columns[i].width; i++) {
            double value = metrics[columns[i].metric][mode];
            print_metric(out, columns[i].width, columns[i].metric,
                         columns[i].milliseconds ? value / 1000 : value);
        }
        fputc('\n', out);
    }
}

/* Of the mean invocation: "code 181.4 (user 49.9, kernel 131.5)". */
static void write_footprint_of(const struct invocations *invocations, const char *what,
                               enum metric metric, FILE *out) {
    fprintf(out, "%s ", what);
    print_metric(out, 0, metric, invocations->mean[metric][MODE_TOTAL]);
    fputs(" kB (user ", out);
    print_metric(out, 0, metric, invocations->mean[metric][MODE_USER]);
    fputs(", kernel ", out);
    print_metric(out, 0, metric, invocations->mean[metric][MODE_KERNEL]);
    fputc(')', out);
}

static void write_footprint(const struct invocations *invocations, FILE *out) {
    if (!invocations_show(invocations, CODE_FOOTPRINT))
        return;
    fprintf(out, "\n%s footprint: ", interval_summary(invocations->run));
    write_footprint_of(invocations, "code", CODE_FOOTPRINT, out);
    write_footprint_of(invocations, ", data", DATA_FOOTPRINT, out);
    fputc('\n', out);
}

/* "latency µs      mean 84.10 (82.03 … 86.91)   median …". */
static void write_estimate(const struct invocations *invocations, enum metric metric, FILE *out) {
    struct estimate estimate;
    bool cold = invocations_show(invocations, COLD_REPLY); /* all of it is the latency */
    if ((cold && metric == MICROSECONDS) ||
        !invocations_estimate(invocations, metric, MODE_TOTAL, &estimate))
        return;
    const double figures[] = {estimate.mean,   estimate.mean_low,   estimate.mean_high,
                              estimate.median, estimate.median_low, estimate.median_high};
    fputs(metric_descriptions[metric].heading, out);
    print_cell(out, 16 - text_width(metric_descriptions[metric].heading), "");
    for (int i = 0; i < 6; i++) {
        static const char *const before[] = {"mean ", " (", " … ", ")   median ", " (", " … "};
        fputs(before[i], out);
        print_metric(out, 0, metric, figures[i]);
    }
    fputs(")\n", out);
}

/* What measuring on hardware wants said: how sure the figures are, and what was not to be had. */
static void write_doubts(const struct invocations *invocations, FILE *out) {
    const struct manifest *manifest = invocations->run->manifest;
    static const enum metric told[] = {COLD_CREATE, COLD_START,   COLD_LISTEN,  COLD_REPLY,
                                       LATENCY,     MICROSECONDS, INSTRUCTIONS, CYCLES};
    static const char *const notes[] = {"page_cache", "counters.missing", "counters.multiplexed"};
    size_t outliers = 0;
    if (!invocations->run->noisy)
        return;
    fprintf(out, "\nin brackets the %.0f %% confidence interval (bootstrap)\n",
            100 * ESTIMATE_LEVEL);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        write_estimate(invocations, told[i], out);
    for (size_t i = 0; i < invocations->count; i++)
        outliers += invocations->list[i].outlier;
    if (outliers)
        fprintf(out,
                "* %zu of %zu are outliers: their latency is more than 1.5 interquartile ranges "
                "off\n",
                outliers, invocations->count);
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        if (manifest_text(manifest, notes[i]))
            fprintf(out, "%s%s\n", i ? "" : "page cache: ", manifest_text(manifest, notes[i]));
}

void write_table(const struct invocations *invocations, FILE *out) {
    const struct column *columns = columns_of(invocations);
    size_t shown = invocations->count > TABLE_INVOCATIONS ? TABLE_INVOCATIONS : invocations->count;
    const struct run_results *run = invocations->run;
    fprintf(out, "%-19s", interval_name(run));
    for (int i = 0; i < COLUMNS && columns[i].width; i++)
        print_cell(out, columns[i].width,
                   columns[i].milliseconds ? "ms" : metric_descriptions[columns[i].metric].heading);
    fputc('\n', out);
    print_rule(out);
    for (size_t i = 0; i < shown; i++) {
        char name[INTERVAL_LABEL], label[INTERVAL_LABEL + 2];
        interval_label(run, invocations->list[i].id, name);
        snprintf(label, sizeof label, "%s%s", invocations->list[i].outlier ? "* " : "", name);
        group(out, invocations, label, invocations->list[i].metrics);
    }
    if (shown < invocations->count)
        fprintf(out, "%10s %zu more: see invocations.csv, or --format csv\n", "…",
                invocations->count - shown);
    print_rule(out);
    group(out, invocations, interval_summary(run), invocations->mean);
    write_doubts(invocations, out);
    write_footprint(invocations, out);
    write_stack_table(invocations, out);
    write_regions_table(invocations, out);
    if (run->profile) {
        fputc('\n', out);
        write_hot_spots(invocations, TABLE_HOT_SPOTS, out);
    }
}

/* The mean of counts need not be whole. */
static bool is_whole(double value, enum metric metric) {
    return metric_descriptions[metric].counted && value == rint(value);
}

void csv_number(FILE *out, double value, enum metric metric) {
    if (isfinite(value))
        fprintf(out, "%.*f", is_whole(value, metric) ? 0 : 6, value);
}

static void csv_text(FILE *out, const char *text) {
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

/* Optional columns: those that the run has something for. */
static bool has_column(const struct invocations *invocations, int metric, int mode) {
    return metric < FIRST_OPTIONAL || invocations->available[metric][mode];
}

static bool has_part(const struct invocations *invocations, int part) {
    return invocations->stack && invocations->stack->present[part];
}

static void csv_header(const struct invocations *invocations, FILE *out) {
    fprintf(out, "invocation,%slatency_ns",
            invocations->run->intervals == RESULTS_PHASES ? "phase," : "");
    for (int metric = 0; metric < METRICS; metric++)
        for (int mode = 0; mode < MODES; mode++)
            if (has_column(invocations, metric, mode))
                fprintf(out, ",%s_%s", metric_descriptions[metric].key, mode_names[mode]);
    for (int part = 0; part < STACK_PARTS; part++)
        for (int mode = 0; mode < MODES; mode++)
            if (has_part(invocations, part))
                fprintf(out, ",stack_%s_%s", stack_parts[part].key, mode_names[mode]);
    fputs(invocations->run->noisy ? ",outlier,reply\n" : ",reply\n", out);
}

void write_csv(const struct invocations *invocations, FILE *out) {
    csv_header(invocations, out);

    for (size_t i = 0; i < invocations->count; i++) {
        const struct invocation *one = &invocations->list[i];
        fprintf(out, "%" PRIu64 ",", one->id);
        if (invocations->run->intervals == RESULTS_PHASES)
            fprintf(out, "%s,", invocations->run->phases[one->id]);
        if (one->reply)
            fprintf(out, "%" PRIu64, one->reply->latency_ns);
        for (int metric = 0; metric < METRICS; metric++)
            for (int mode = 0; mode < MODES; mode++) {
                if (!has_column(invocations, metric, mode))
                    continue;
                fputc(',', out);
                csv_number(out, one->metrics[metric][mode], metric);
            }
        for (int part = 0; part < STACK_PARTS; part++)
            for (int mode = 0; mode < MODES; mode++)
                if (has_part(invocations, part))
                    fprintf(out, ",%.0f", cpi_stack_cycles(invocations, one, part, mode));
        if (invocations->run->noisy)
            fprintf(out, ",%d", one->outlier);
        fputc(',', out);
        if (one->reply)
            csv_text(out, one->reply->text);
        fputc('\n', out);
    }
}

json_t *json_number(double value, enum metric metric) {
    if (!isfinite(value))
        return json_null();
    return is_whole(value, metric) ? json_integer((json_int_t)value) : json_real(value);
}

/* The figures of one invocation, or the means (NULL). */
static json_t *json_stack(const struct invocations *invocations, const struct invocation *one) {
    json_t *parts = json_object();
    for (int part = 0; part < STACK_PARTS; part++) {
        json_t *modes = json_object();
        for (int mode = 0; has_part(invocations, part) && mode < MODES; mode++)
            json_object_set_new(
                modes, mode_names[mode],
                json_number(cpi_stack_cycles(invocations, one, part, mode), CYCLES));
        if (has_part(invocations, part))
            json_object_set(parts, stack_parts[part].key, modes);
        json_decref(modes);
    }
    return parts;
}

static json_t *json_metrics(const struct invocations *invocations, const struct invocation *one) {
    const metrics_table *table = one ? &one->metrics : &invocations->mean;
    json_t *all = json_object();
    for (int metric = 0; metric < METRICS; metric++) {
        if (!invocations_show(invocations, metric))
            continue;
        json_t *modes = json_object();
        for (int mode = 0; mode < MODES; mode++)
            json_object_set_new(modes, mode_names[mode],
                                json_number((*table)[metric][mode], metric));
        json_object_set_new(all, metric_descriptions[metric].key, modes);
    }
    if (invocations->stack)
        json_object_set_new(all, "cpi_stack", json_stack(invocations, one));
    return all;
}

json_t *json_text(const char *text) {
    json_t *value = json_string(text);
    if (value)
        return value;
    autofree char *ascii = format_string("%s", text);
    for (char *c = ascii; *c; c++)
        if (*c & 0x80)
            *c = '?';
    return json_string(ascii);
}

/* Of each figure that every invocation has. */
static json_t *json_confidence(const struct invocations *invocations) {
    json_t *all = json_pack("{s:f, s:s}", "level", ESTIMATE_LEVEL, "method", "bootstrap");
    for (int metric = 0; metric < METRICS; metric++) {
        json_t *modes = json_object();
        for (int mode = 0; mode < MODES; mode++) {
            struct estimate e;
            if (!invocations_estimate(invocations, metric, mode, &e))
                continue;
            json_object_set_new(modes, mode_names[mode],
                                json_pack("{s:f, s:[f, f], s:f, s:[f, f], s:i}", "mean", e.mean,
                                          "mean_interval", e.mean_low, e.mean_high, "median",
                                          e.median, "median_interval", e.median_low, e.median_high,
                                          "resamples", (int)e.resamples));
        }
        if (json_object_size(modes))
            json_object_set(all, metric_descriptions[metric].key, modes);
        json_decref(modes);
    }
    return all;
}

void write_json(const struct invocations *invocations, FILE *out) {
    const struct run_results *run = invocations->run;
    json_t *list = json_array();
    for (size_t i = 0; i < invocations->count; i++) {
        const struct invocation *one = &invocations->list[i];
        json_t *object = json_metrics(invocations, one);
        json_object_set_new(object, "invocation", json_integer(one->id));
        if (run->noisy)
            json_object_set_new(object, "outlier", json_boolean(one->outlier));
        if (run->intervals == RESULTS_PHASES)
            json_object_set_new(object, "phase", json_string(run->phases[one->id]));
        json_object_set_new(object, "latency_ns",
                            one->reply ? json_integer(one->reply->latency_ns) : json_null());
        json_object_set_new(object, "reply",
                            one->reply ? json_text(one->reply->text) : json_null());
        json_array_append_new(list, object);
    }
    json_t *root = json_pack("{s:i, s:I, s:i, s:o, s:o}", "format", 1, "clock_hz",
                             (json_int_t)run->clock_hz, "measured_core", run->measured_core,
                             "invocations", list, "mean", json_metrics(invocations, NULL));
    if (run->noisy)
        json_object_set_new(root, "confidence", json_confidence(invocations));
    json_dumpf(root, out, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(12));
    fputc('\n', out);
    json_decref(root);
}
