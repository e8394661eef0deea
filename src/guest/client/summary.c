#include "client/summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    double percent;
} percentiles[] = {{"p50", 50}, {"p90", 90},     {"p95", 95},
                   {"p99", 99}, {"p99.9", 99.9}, {"p99.99", 99.99}};
#define PERCENTILES (sizeof percentiles / sizeof *percentiles)

static double us(uint64_t ns) {
    return (double)ns / 1e3;
}

static double per_second(const struct tally *tally) {
    return tally->seconds > 0 ? (double)tally->answered / tally->seconds : 0;
}

static bool is_open(const struct options *options) {
    return options->load.rate > 0 || options->load.trace;
}

static double mean_late_us(const struct tally *tally) {
    return tally->sent ? tally->late_sum_ns / (double)tally->sent / 1e3 : 0;
}

static void print_load(const struct options *options, const struct schedule *schedule) {
    const struct load_options *o = &options->load;
    const char *kind = arrival_kind_name(schedule->arrivals.process.kind);
    if (o->trace)
        printf("open loop: %s, function %.16s…, a minute in %g s, %s", o->trace,
               schedule->trace.function, o->minute_s, kind);
    else if (o->rate > 0)
        printf("open loop: %g/s due, %s", o->rate, kind);
    else
        printf("closed loop: %ld at a time", o->concurrency);
    if (o->fresh)
        printf(", a connection for each call\n");
    else
        printf(", on %ld connection%s\n", o->connections, o->connections == 1 ? "" : "s");
}

static void print_text(const struct options *options, const struct tally *tally,
                       const struct schedule *schedule) {
    const struct histogram *h = &tally->whole;
    char name[64];
    printf("%" PRIu64 " invocations of %s in %.3f s: %.1f/s answered\n",
           tally->answered + tally->failed, options->method, tally->seconds, per_second(tally));
    print_load(options, schedule);
    printf("latency in us%s: mean %.3f, min %.3f",
           is_open(options) ? ", from when they were due" : "", histogram_mean(h) / 1e3,
           us(h->least));
    for (size_t i = 0; i < PERCENTILES; i++)
        printf(", %s %.3f", percentiles[i].name,
               us(histogram_percentile(h, percentiles[i].percent)));
    printf(", max %.3f\n", us(h->most));
    if (is_open(options))
        printf("sent after they were due, in us: mean %.3f, max %.3f; at most %" PRIu64
               " waited to be sent\n",
               mean_late_us(tally), us(tally->late_most_ns), tally->queue_most);
    printf("answered %" PRIu64 ", failed %" PRIu64, tally->answered, tally->failed);
    for (int kind = 0, listed = 0; kind < TALLY_KINDS; kind++)
        if (tally->kinds[kind])
            printf("%s%" PRIu64 " %s", listed++ ? ", " : ": ", tally->kinds[kind],
                   tally_kind_name(kind, name, sizeof name));
    printf("\n");
}

/* Quotes and backslashes may be in a file's name, and in a method. */
static void print_string(const char *text) {
    putchar('"');
    for (; *text; text++)
        if ((unsigned char)*text < ' ')
            printf("\\u%04x", (unsigned)*text);
        else
            printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    putchar('"');
}

static void print_json_load(const struct options *options, const struct schedule *schedule) {
    const struct load_options *o = &options->load;
    printf("\"loop\": \"%s\", \"concurrency\": %ld, \"connections\": ",
           is_open(options) ? "open" : "closed", o->concurrency);
    if (o->fresh)
        printf("\"new\"");
    else
        printf("%ld", o->connections);
    if (is_open(options))
        printf(", \"arrival\": \"%s\"", arrival_kind_name(schedule->arrivals.process.kind));
    if (o->rate > 0)
        printf(", \"rate\": %.6g", o->rate);
    if (o->trace) {
        printf(", \"trace\": ");
        print_string(o->trace);
        printf(", \"function\": ");
        print_string(schedule->trace.function);
    }
}

static void print_json(const struct options *options, const struct tally *tally,
                       const struct schedule *schedule) {
    const struct histogram *h = &tally->whole;
    char name[64];
    printf("{\"method\": ");
    print_string(options->method);
    printf(", ");
    print_json_load(options, schedule);
    printf(",\n \"seconds\": %.6f, \"invocations\": %" PRIu64 ", \"answered\": %" PRIu64
           ", \"failed\": %" PRIu64 ", \"per_second\": %.3f,\n \"failures\": {",
           tally->seconds, tally->answered + tally->failed, tally->answered, tally->failed,
           per_second(tally));
    for (int kind = 0, listed = 0; kind < TALLY_KINDS; kind++)
        if (tally->kinds[kind])
            printf("%s\"%s\": %" PRIu64, listed++ ? ", " : "",
                   tally_kind_name(kind, name, sizeof name), tally->kinds[kind]);
    printf("},\n \"latency_us\": {\"count\": %" PRIu64 ", \"mean\": %.3f, \"min\": %.3f", h->count,
           histogram_mean(h) / 1e3, us(h->least));
    for (size_t i = 0; i < PERCENTILES; i++)
        printf(", \"%s\": %.3f", percentiles[i].name,
               us(histogram_percentile(h, percentiles[i].percent)));
    printf(", \"max\": %.3f}", us(h->most));
    if (is_open(options))
        printf(",\n \"late_us\": {\"mean\": %.3f, \"max\": %.3f}, \"queue_max\": %" PRIu64,
               mean_late_us(tally), us(tally->late_most_ns), tally->queue_most);
    printf("}\n");
}

/* A method has no commas; failures are one number here. */
static void print_csv(const struct options *options, const struct tally *tally) {
    const struct histogram *h = &tally->whole;
    printf("method,loop,concurrency,connections,seconds,invocations,answered,failed,per_second,"
           "mean_us,min_us");
    for (size_t i = 0; i < PERCENTILES; i++)
        printf(",%s_us", percentiles[i].name);
    printf(",max_us,late_mean_us,late_max_us,queue_max\n\"%s\",%s,%ld,", options->method,
           is_open(options) ? "open" : "closed", options->load.concurrency);
    if (options->load.fresh)
        printf("new");
    else
        printf("%ld", options->load.connections);
    printf(",%.6f,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.3f,%.3f,%.3f", tally->seconds,
           tally->answered + tally->failed, tally->answered, tally->failed, per_second(tally),
           histogram_mean(h) / 1e3, us(h->least));
    for (size_t i = 0; i < PERCENTILES; i++)
        printf(",%.3f", us(histogram_percentile(h, percentiles[i].percent)));
    printf(",%.3f,%.3f,%.3f,%" PRIu64 "\n", us(h->most), mean_late_us(tally),
           us(tally->late_most_ns), tally->queue_most);
}

void summary_print(const struct options *options, const struct tally *tally,
                   const struct schedule *schedule) {
    if (options->load.format == REPORT_JSON)
        print_json(options, tally, schedule);
    else if (options->load.format == REPORT_CSV)
        print_csv(options, tally);
    else
        print_text(options, tally, schedule);
}
