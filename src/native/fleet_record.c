#include "native/fleet_record.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "load/hdr_log.h"
#include "load/histogram.h"

#define MEGABYTE 1048576.0

/* Room doubles when a count reaches a power of two. */
static void *grow(void *array, size_t count, size_t size) {
    if (count & (count - 1))
        return array;
    array = reallocarray(array, count ? 2 * count : 1, size);
    if (!array)
        abort();
    return array;
}

struct fleet_invocation *fleet_record_invocation(struct fleet_record *record) {
    record->invocations = grow(record->invocations, record->count, sizeof *record->invocations);
    struct fleet_invocation *new = &record->invocations[record->count++];
    *new = (struct fleet_invocation){0};
    return new;
}

struct fleet_instance *fleet_record_instance(struct fleet_record *record) {
    record->instances = grow(record->instances, record->instance_count, sizeof *record->instances);
    struct fleet_instance *new = &record->instances[record->instance_count++];
    *new = (struct fleet_instance){0};
    return new;
}

void fleet_record_free(struct fleet_record *record) {
    free(record->invocations);
    free(record->instances);
}

/* ---- latencies ---- */

enum kind { ALL, WARM, COLD, KINDS };
static const char *const kind_names[KINDS] = {"all", "warm", "cold"};
static const double percents[] = {50, 90, 95, 99, 99.9, 99.99};
enum { PERCENTS = sizeof percents / sizeof *percents };

/* Failed ones have none. The caller frees them. */
static struct histogram *latencies(const struct fleet_record *record) {
    struct histogram *histograms = calloc(KINDS, sizeof *histograms);
    if (!histograms)
        abort();
    for (size_t i = 0; i < record->count; i++) {
        const struct fleet_invocation *one = &record->invocations[i];
        if (one->failed)
            continue;
        histogram_add(&histograms[ALL], one->end - one->due);
        histogram_add(&histograms[one->cold ? COLD : WARM], one->end - one->due);
    }
    return histograms;
}

/* ---- the summary ---- */

struct sums {
    uint64_t cold;
    double seconds, memory, idle_memory; /* MB s */
    double phases[WORKER_PHASES];        /* mean, in ms */
};

static struct sums add_up(const struct fleet_record *record) {
    struct sums sums = {.seconds = (double)record->end / 1e9};
    uint64_t started = 0;
    for (size_t i = 0; i < record->count; i++)
        sums.cold += record->invocations[i].cold;
    for (size_t i = 0; i < record->instance_count; i++) {
        const struct fleet_instance *instance = &record->instances[i];
        sums.memory += instance->memory / MEGABYTE;
        sums.idle_memory += instance->idle_memory / MEGABYTE;
        started += instance->phases[0] != 0;
        for (int k = 0; k < WORKER_PHASES; k++)
            sums.phases[k] += (double)instance->phases[k] / 1e6;
    }
    for (int k = 0; k < WORKER_PHASES; k++)
        sums.phases[k] /= started ? (double)started : 1;
    return sums;
}

static void print_latencies(FILE *out, const char *name, const struct histogram *histogram) {
    if (!histogram->count)
        return;
    fprintf(out, "%-6s %10" PRIu64, name, histogram->count);
    for (int i = 0; i < PERCENTS; i++)
        fprintf(out, " %10.3f", (double)histogram_percentile(histogram, percents[i]) / 1e6);
    fprintf(out, " %10.3f\n", (double)histogram->most / 1e6);
}

static void print_people(const struct fleet_record *record, FILE *out) {
    struct sums sums = add_up(record);
    autofree struct histogram *histograms = latencies(record);
    fprintf(out,
            "%zu invocations of %s in %.2f s: %.2f a second\n"
            "cold starts     %" PRIu64 " of them, %.2f %%; mean: create %.2f ms, start %.2f ms, "
            "listen %.2f ms\n"
            "instances       %zu in all, at most %zu of %" PRIu64
            " at a time; removed after %g s without an invocation\n"
            "memory          %.2f MB s, of which %.1f %% while idle\n"
            "waiting         at most %zu at a time\n\n",
            record->count, record->function, sums.seconds, (double)record->count / sums.seconds,
            sums.cold, 100.0 * (double)sums.cold / (double)record->count, sums.phases[0],
            sums.phases[1], sums.phases[2], record->instance_count, record->most_at_a_time,
            record->limit, (double)record->idle_ns / 1e9, sums.memory,
            sums.memory > 0 ? 100 * sums.idle_memory / sums.memory : 0, record->most_waiting);
    fprintf(out, "%-6s %10s", "ms", "count");
    for (int i = 0; i < PERCENTS; i++) {
        autofree char *name = format_string("p%g", percents[i]);
        fprintf(out, " %10s", name);
    }
    fprintf(out, " %10s\n", "max");
    for (int k = 0; k < KINDS; k++)
        print_latencies(out, kind_names[k], &histograms[k]);
    fputs("latency counts from when an invocation was due, waiting included\n", out);
}

static json_t *json_latencies(const struct histogram *histogram) {
    json_t *all = json_pack("{s:I, s:f, s:f}", "count", (json_int_t)histogram->count, "mean",
                            histogram_mean(histogram) / 1e3, "max", (double)histogram->most / 1e3);
    for (int i = 0; i < PERCENTS; i++) {
        autofree char *name = format_string("p%g", percents[i]);
        json_object_set_new(all, name,
                            json_real((double)histogram_percentile(histogram, percents[i]) / 1e3));
    }
    return all;
}

static void print_json(const struct fleet_record *record, FILE *out) {
    struct sums sums = add_up(record);
    autofree struct histogram *histograms = latencies(record);
    json_t *latency = json_object();
    for (int k = 0; k < KINDS; k++)
        json_object_set_new(latency, kind_names[k], json_latencies(&histograms[k]));
    json_t *root = json_pack(
        "{s:i, s:s, s:I, s:I, s:I, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:o, s:o}",
        "format", 1, "function", record->function, "invocations", (json_int_t)record->count,
        "failed", (json_int_t)record->failed, "cold_starts", (json_int_t)sums.cold,
        "cold_start_ratio", (double)sums.cold / (double)record->count, "seconds", sums.seconds,
        "throughput_per_second", (double)record->count / sums.seconds, "instances",
        (json_int_t)record->instance_count, "instances_at_most", (json_int_t)record->limit,
        "instances_at_a_time", (json_int_t)record->most_at_a_time, "waiting_at_most",
        (json_int_t)record->most_waiting, "idle_timeout_seconds", (double)record->idle_ns / 1e9,
        "memory_mb_seconds", sums.memory, "idle_memory_mb_seconds", sums.idle_memory, "phases_ms",
        json_pack("{s:f, s:f, s:f}", "create", sums.phases[0], "start", sums.phases[1], "listen",
                  sums.phases[2]),
        "latency_us", latency);
    json_dumpf(root, out, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(12));
    fputc('\n', out);
    json_decref(root);
}

static void print_invocations(const struct fleet_record *record, FILE *out) {
    fputs("invocation,due_ns,waited_ns,latency_ns,start,instance,failed\n", out);
    for (size_t i = 0; i < record->count; i++) {
        const struct fleet_invocation *one = &record->invocations[i];
        fprintf(out, "%zu,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%s,%u,%d\n", i, one->due,
                one->failed ? 0 : one->begin - one->due, one->end - one->due,
                one->cold ? "cold" : "warm", one->instance, one->failed);
    }
}

void fleet_record_print(const struct fleet_record *record, enum results_format format, FILE *out) {
    static void (*const writers[])(const struct fleet_record *,
                                   FILE *) = {[RESULTS_TABLE] = print_people,
                                              [RESULTS_JSON] = print_json,
                                              [RESULTS_CSV] = print_invocations};
    writers[format](record, out);
}

/* ---- files ---- */

static void print_instances(const struct fleet_record *record, FILE *out) {
    fputs("instance,born_ns,create_ns,start_ns,listen_ns,removed_ns,invocations,memory_mb_seconds,"
          "idle_memory_mb_seconds\n",
          out);
    for (size_t i = 0; i < record->instance_count; i++) {
        const struct fleet_instance *one = &record->instances[i];
        fprintf(out, "%zu,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",", i, one->born,
                one->phases[0], one->phases[1], one->phases[2]);
        if (one->removed)
            fprintf(out, "%" PRIu64, one->removed);
        fprintf(out, ",%" PRIu64 ",%.6f,%.6f\n", one->invocations, one->memory / MEGABYTE,
                one->idle_memory / MEGABYTE);
    }
}

static void print_log(const struct fleet_record *record, FILE *out) {
    autofree struct histogram *histograms = latencies(record);
    static const char *const tags[KINDS] = {NULL, "warm", "cold"};
    hdr_log_begin(out, "slsuite", 0);
    for (int k = 0; k < KINDS; k++)
        hdr_log_interval(out, tags[k], 0, (double)record->end / 1e9, &histograms[k], NULL);
}

int fleet_record_write(const struct fleet_record *record, const char *folder,
                       const struct manifest *manifest, struct error *err) {
    static const struct {
        const char *name;
        void (*print)(const struct fleet_record *, FILE *);
    } files[] = {{"fleet.json", print_json},
                 {"invocations.csv", print_invocations},
                 {"instances.csv", print_instances},
                 {"latency.hlog", print_log}};
    struct file_printed file;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        file_print_begin(&file, folder, files[i].name);
        files[i].print(record, file.out);
        if (file_print_end(&file, err) < 0)
            return -1;
    }
    file_print_begin(&file, folder, "report.html");
    fleet_record_report(record, manifest, file.out);
    return file_print_end(&file, err);
}
