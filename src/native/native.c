#include "native/native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/clock.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "engine/record.h"
#include "native/caller.h"
#include "native/cold.h"
#include "native/counters.h"
#include "native/home.h"
#include "native/measure.h"
#include "native/thrash.h"

struct native {
    const struct native_options *options;
    struct native_home home;
    unsigned warm_ups;
    struct instance instance;
    struct measurement measurement;
    struct cold cold;
};

int native_check_runtime(const char *name, struct error *err) {
    if (strcmp(name, NATIVE_RUNTIME_ANY) == 0)
        return 0;
    for (size_t i = 0; native_runtimes[i]; i++)
        if (strcmp(name, native_runtimes[i]) == 0)
            return 0;
    return error_usage(err, "on this computer no runtime is named %s: there are " NATIVE_RUNTIMES,
                       name);
}

/* The caller's. */
static json_t *client_command(const struct native *native) {
    autofree char *cpu = format_string("%u", native->home.cpus.client);
    autofree char *address = format_string("127.0.0.1:%u", native->instance.port);
    autofree char *warm_ups = format_string("%u", native->warm_ups);
    const struct sim_options *run = native->home.options->run;
    json_t *command = json_pack("[s, s, s]", "taskset", "-c", cpu);
    json_t *client = caller_words(run, &native->home.function, address, run->invocations);
    json_t *marks = json_pack("[s, s, s, s, s, s]", "-warm", warm_ups, "-settle", SIM_SETTLE_US,
                              "-m5ops", "-channel");
    json_array_extend(command, client);
    json_array_extend(command, marks);
    json_decref(client);
    json_decref(marks);
    return command;
}

/* What could not be counted, or only in turns. */
static void describe_counters(const struct counters *counters, bool shared,
                              struct manifest *manifest) {
    autofree char *missing = counters_missing(counters);
    manifest_set_text(manifest, "counters.of", counters_scope(counters));
    if (missing)
        manifest_set_text(manifest, "counters.missing", missing);
    if (shared)
        manifest_set_text(manifest, "counters.multiplexed",
                          "more counters than the processor has: they took turns, and are scaled");
}

static int measure(struct native *native, const char *folder, struct manifest *manifest,
                   struct error *err) {
    const struct native_home *home = &native->home;
    const struct native_options *options = native->options;
    autofree char *samples = format_string("%s/samples.tsv", folder);
    struct counters *counters = counters_open(native->instance.process, home->cpus.function);
    struct thrash *thrash = NULL;
    json_t *client = client_command(native);
    bool shared = false;
    native->measurement = (struct measurement){
        .counters = counters,
        .client = client,
        .log = home->log,
        .invocations = options->run->invocations,
        .timeout_seconds = options->run->timeout_seconds,
    };
    int result = 0;
    if (options->run->start == START_LUKEWARM) {
        thrash = thrash_new(home->cpus.function, home->cpus.client, err);
        native->measurement.before = thrash_run;
        native->measurement.context = thrash;
        result = thrash ? 0 : -1;
    }
    if (result == 0)
        result = measure_run(&native->measurement, err);
    if (result == 0 && !instance_runs(&native->instance))
        result = error_set(err, "%s ended before the run did", home->function.name);
    if (result == 0)
        result = measure_write(&native->measurement, home->cpus.function, samples, &shared, err);
    describe_counters(counters, shared, manifest);
    if (thrash)
        thrash_free(thrash);
    counters_close(counters);
    json_decref(client);
    return result;
}

static int execute_started(struct native *native, const char *folder, struct manifest *manifest,
                           struct run_results *results, struct error *err) {
    int result = measure(native, folder, manifest, err);
    results->replies = native->measurement.said.replies;
    results->reply_count = native->measurement.said.reply_count;
    return result;
}

static int execute_cold(struct native *native, const char *folder, struct manifest *manifest,
                        struct run_results *results, struct error *err) {
    autofree char *samples = format_string("%s/samples.tsv", folder);
    instance_remove(&native->instance); /* it was the rehearsal */
    int result = cold_measure(&native->home, &native->cold, samples, manifest, err);
    results->replies = native->cold.replies;
    results->reply_count = native->cold.count;
    return result;
}

static int describe(void *context, struct manifest *manifest, struct error *err) {
    const struct native *native = context;
    sim_describe_request(native->options->run, &native->home.function, native->warm_ups, manifest);
    return 0;
}

static double seconds_since(uint64_t begun) {
    return (double)(now_ns() - begun) / 1e9;
}

static int execute(void *context, const char *folder, struct manifest *manifest,
                   struct run_results *results, struct error *err) {
    struct native *native = context;
    bool cold = native->options->run->start == START_COLD;
    uint64_t begun = now_ns();
    int result = native_home_settle(&native->home, &native->instance, err);
    manifest_set_seconds(manifest, "seconds.start", seconds_since(begun));
    begun = now_ns();
    if (result == 0)
        result = (cold ? execute_cold : execute_started)(native, folder, manifest, results, err);
    manifest_set_seconds(manifest, "seconds.measure", seconds_since(begun));
    native_home_describe(&native->home, manifest);
    instance_remove(&native->instance);
    if (native_home_keep_log(&native->home, folder, result == 0 ? err : NULL) < 0)
        result = -1;
    return result;
}

int native_run(const struct native_options *options, FILE *out, enum results_format format,
               char **folder, struct error *err) {
    struct native native = {.options = options, .instance = {.own = {.handle = -1}}};
    uint64_t begun = now_ns();
    int result = native_home_open(&native.home, options, err);
    if (result == 0) {
        const struct function *function = &native.home.function;
        native.warm_ups =
            options->run->start == START_COLD ? 0 : sim_warm_ups(options->run, function);
        const struct record record = {
            .engine = ENGINE_NATIVE,
            .name = function->name,
            .out = options->run->out,
            .command = options->run->command,
            .system = NATIVE_SYSTEM,
            .clock_hz = host_clock(native.home.cpus.function),
            .prepare_seconds = seconds_since(begun),
            .core = native.home.cpus.function,
            .measured = RESULTS_INVOCATIONS,
            .noisy = true,
            .describe = describe,
            .execute = execute,
            .context = &native,
        };
        result = record_run(&record, out, format, folder, err);
    }
    measure_free(&native.measurement);
    cold_free(&native.cold);
    native_home_close(&native.home);
    return result;
}
