/* The invocations for people (a table of 100 columns), for spreadsheets (CSV) and for programs
 * (JSON). */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "results/cpi_stack.h"
#include "results/intervals.h"
#include "results/writers.h"

/* The terminal's tables: at most this many; the mean is always of all. */
enum { TABLE_INVOCATIONS = 10, TABLE_HOT_SPOTS = 20 };

static const struct {
    enum metric metric;
    int width;
} columns[] = {{INSTRUCTIONS, 14}, {CYCLES, 14},   {CPI, 8},          {L1I_MPKI, 11},
               {L1D_MPKI, 11},     {LLC_MPKI, 11}, {MICROSECONDS, 12}};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* By characters, not bytes: µ has two. */
void print_cell(FILE *out, int width, const char *text) {
    int characters = 0;
    for (const char *c = text; *c; c++)
        characters += (*c & 0xc0) != 0x80;
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

/* An engine that does not tell user and kernel apart has the total only. */
static void group(FILE *out, const struct invocations *invocations, const char *label,
                  const metrics_table metrics) {
    for (int mode = 0; mode < MODES; mode++) {
        if (mode != MODE_TOTAL && !invocations->available[INSTRUCTIONS][mode])
            continue;
        fprintf(out, "%10s %-8s", label, mode_names[mode]);
        label = "";
        for (int i = 0; i < COLUMNS; i++)
            print_metric(out, columns[i].width, columns[i].metric,
                         metrics[columns[i].metric][mode]);
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
    write_footprint_of(invocations, "\nmean footprint: code", CODE_FOOTPRINT, out);
    write_footprint_of(invocations, ", data", DATA_FOOTPRINT, out);
    fputc('\n', out);
}

void write_table(const struct invocations *invocations, FILE *out) {
    size_t shown = invocations->count > TABLE_INVOCATIONS ? TABLE_INVOCATIONS : invocations->count;
    fprintf(out, "%-19s", interval_name(invocations->run));
    for (int i = 0; i < COLUMNS; i++)
        print_cell(out, columns[i].width, metric_descriptions[columns[i].metric].heading);
    fputc('\n', out);
    print_rule(out);
    for (size_t i = 0; i < shown; i++) {
        char label[40];
        snprintf(label, sizeof label, "%s%" PRIu64,
                 invocations->run->intervals == RESULTS_REGIONS ? "region " : "",
                 invocations->list[i].id);
        group(out, invocations, label, invocations->list[i].metrics);
    }
    if (shown < invocations->count)
        fprintf(out, "%10s %zu more: see invocations.csv, or --format csv\n", "…",
                invocations->count - shown);
    print_rule(out);
    group(out, invocations, "mean", invocations->mean);
    write_footprint(invocations, out);
    write_stack_table(invocations, out);
    write_regions_table(invocations, out);
    if (invocations->run->profile) {
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
    fputs("invocation,latency_ns", out);
    for (int metric = 0; metric < METRICS; metric++)
        for (int mode = 0; mode < MODES; mode++)
            if (has_column(invocations, metric, mode))
                fprintf(out, ",%s_%s", metric_descriptions[metric].key, mode_names[mode]);
    for (int part = 0; part < STACK_PARTS; part++)
        for (int mode = 0; mode < MODES; mode++)
            if (has_part(invocations, part))
                fprintf(out, ",stack_%s_%s", stack_parts[part].key, mode_names[mode]);
    fputs(",reply\n", out);
}

void write_csv(const struct invocations *invocations, FILE *out) {
    csv_header(invocations, out);

    for (size_t i = 0; i < invocations->count; i++) {
        const struct invocation *one = &invocations->list[i];
        fprintf(out, "%" PRIu64 ",", one->id);
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

void write_json(const struct invocations *invocations, FILE *out) {
    const struct run_results *run = invocations->run;
    json_t *list = json_array();
    for (size_t i = 0; i < invocations->count; i++) {
        const struct invocation *one = &invocations->list[i];
        json_t *object = json_metrics(invocations, one);
        json_object_set_new(object, "invocation", json_integer(one->id));
        json_object_set_new(object, "latency_ns",
                            one->reply ? json_integer(one->reply->latency_ns) : json_null());
        json_object_set_new(object, "reply",
                            one->reply ? json_text(one->reply->text) : json_null());
        json_array_append_new(list, object);
    }
    json_t *root = json_pack("{s:i, s:I, s:i, s:o, s:o}", "format", 1, "clock_hz",
                             (json_int_t)run->clock_hz, "measured_core", run->measured_core,
                             "invocations", list, "mean", json_metrics(invocations, NULL));
    json_dumpf(root, out, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(12));
    fputc('\n', out);
    json_decref(root);
}
