#include "native/native.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/process.h"
#include "common/progress.h"
#include "engine/machine.h"
#include "engine/record.h"
#include "image/host.h"
#include "native/counters.h"
#include "native/instance.h"
#include "native/measure.h"
#include "native/pin.h"
#include "native/thrash.h"

#define RUNTIME_AUTO "auto"
#define SERVICES_SECONDS 120 /* until all of them listen */

struct native {
    const struct native_options *options;
    struct function function;
    struct host_cpus cpus;
    unsigned warm_ups;
    struct guard guard;
    char *log; /* in the guard's folder */
    struct listeners listeners;
    struct process services; /* the command that runs them all */
    struct instance_home home;
    struct instance instance;
    struct measurement measurement;
};

int native_check_runtime(const char *name, struct error *err) {
    if (strcmp(name, RUNTIME_AUTO) == 0)
        return 0;
    for (size_t i = 0; native_runtimes[i]; i++)
        if (strcmp(name, native_runtimes[i]) == 0)
            return 0;
    return error_usage(err, "on this computer no runtime is named %s: there are " NATIVE_RUNTIMES,
                       name);
}

/* ---- what the function needs ---- */

/* They end when we do; that they listen, a file tells that the innermost script makes. */
static int start_services(struct native *native, json_t *command, struct error *err) {
    autofree char *ready = format_string("%s/ready", native->guard.folder);
    autofree char *cpu = format_string("%u", native->cpus.client);
    json_t *all = json_pack("[s, s, s]", "taskset", "-c", cpu);
    json_t *check =
        json_pack("[s, s, s, s, s]", "sh", "-c", ": >\"$1\"; exec sleep infinity", "sh", ready);
    json_array_extend(all, command);
    json_array_extend(all, check);
    autofree const char **words = host_words(all);
    const struct process_options options = {.log = native->log};
    int result = process_start(words, &options, &native->services, err);
    for (int waited = 0; result == 0 && !file_exists(ready); waited++)
        if (process_wait(&native->services, 1, 100) == 0) {
            autofree char *line = file_last_line(native->log, 0);
            result = error_set(err, "the services of %s: %s", native->function.name, line);
        } else if (waited > SERVICES_SECONDS * 10)
            result = error_set(err, "the services of %s do not listen after %d s",
                               native->function.name, SERVICES_SECONDS);
    json_decref(check);
    json_decref(all);
    return result;
}

static int lay_out(struct native *native, struct error *err) {
    json_t *services = json_array();
    int result = guard_open(&native->guard, err);
    if (result == 0) {
        native->log = format_string("%s/log", native->guard.folder);
        result = listeners_find(&native->function, (unsigned)atoi(function_port(&native->function)),
                                &native->listeners, err);
    }
    if (result == 0)
        result = host_lay_out(&native->function, &native->listeners, native->guard.folder, services,
                              err);
    if (result == 0 && json_array_size(services))
        result = start_services(native, services, err);
    json_decref(services);
    return result;
}

static int launch(struct native *native, const char *runtime, struct error *err) {
    native->home = (struct instance_home){
        .function = &native->function,
        .guard = &native->guard,
        .listeners = &native->listeners,
        .runtime = runtime,
        .log = native->log,
        .cpu = native->cpus.function,
    };
    if (instance_prepare(&native->home, err) == 0 &&
        instance_create(&native->home, 0, &native->instance, err) == 0 &&
        instance_start(&native->instance, err) == 0 && instance_wait(&native->instance, err) == 0)
        return 0;
    instance_remove(&native->instance);
    return -1;
}

/* The one that was asked for, or the first that can: some want control groups of version 2, some a
 * daemon, some root. */
static int launch_by_any(struct native *native, struct error *err) {
    const char *wanted = native->options->runtime;
    bool any = strcmp(wanted, RUNTIME_AUTO) == 0;
    struct error first = {0};
    for (size_t i = 0; native_runtimes[i]; i++) {
        const char *runtime = native_runtimes[i];
        struct error why = {0};
        if (any ? strcmp(runtime, "none") != 0 && !process_exists(runtime)
                : strcmp(runtime, wanted) != 0)
            continue;
        if (launch(native, runtime, &why) == 0)
            return 0;
        if (!first.status)
            first = why;
        if (process_interrupted())
            break;
        if (any)
            progress_note("%s: %s: trying another runtime", runtime, why.text);
    }
    return error_set(err, "%s on this computer: %s", native->function.name, first.text);
}

static int prepare(struct native *native, struct error *err) {
    const struct sim_options *run = native->options->run;
    if (host_choose_cpus(native->options->cpu, native->options->client_cpu, &native->cpus, err) < 0)
        return -1;
    const char *runtime = native->options->runtime;
    if (strcmp(runtime, RUNTIME_AUTO) != 0 && strcmp(runtime, "none") != 0 &&
        !process_exists(runtime))
        return error_set(err, "there is no %s on this computer: install it, or leave --runtime out",
                         runtime);
    if (function_prepare(run->function, &native->function, err) < 0)
        return -1;
    native->warm_ups = sim_warm_ups(run, &native->function);
    return pin_to(native->cpus.client, err);
}

/* ---- the run ---- */

/* The caller's. */
static json_t *client_command(const struct native *native) {
    const struct sim_options *run = native->options->run;
    autofree char *cpu = format_string("%u", native->cpus.client);
    autofree char *client = format_string("%s/client/client", paths_guest());
    autofree char *address = format_string("127.0.0.1:%u", native->instance.port);
    autofree char *count = format_string("%u", run->invocations);
    autofree char *warm_ups = format_string("%u", native->warm_ups);
    json_t *command = json_pack("[s*]", "taskset");
    const char *const words[] = {"-c", cpu,     client,   "-addr",  address,
                                 "-n", count,   "-wait",  "10",     "-timeout",
                                 "60", "-warm", warm_ups, "-m5ops", "-channel"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        json_array_append_new(command, json_string(words[i]));
    json_array_extend(command, json_object_get(native->function.yaml, "client"));
    if (run->input) {
        json_array_append_new(command, json_string("-input"));
        json_array_append_new(command, json_string(run->input));
    }
    if (run->generator) {
        json_array_append_new(command, json_string("-generator"));
        json_array_append_new(command, json_string(run->generator));
    }
    return command;
}

static void describe_host(const struct native *native, const struct host_times *before,
                          struct manifest *manifest) {
    struct host_fact facts[HOST_FACTS];
    host_facts(&native->cpus, before, facts);
    for (int i = 0; i < HOST_FACTS; i++) {
        autofree char *key = format_string("host.conditions.%s", facts[i].key);
        manifest_set_text(manifest, key, facts[i].text);
    }
    manifest_set_integer(manifest, "host.function_cpu", native->cpus.function);
    manifest_set_integer(manifest, "host.client_cpu", native->cpus.client);
}

static int measure(struct native *native, const char *folder, struct manifest *manifest,
                   struct error *err) {
    const struct native_options *options = native->options;
    autofree char *samples = format_string("%s/samples.tsv", folder);
    struct counters *counters = counters_open(native->instance.process, native->cpus.function);
    struct thrash *thrash = NULL;
    json_t *client = client_command(native);
    bool shared = false;
    native->measurement = (struct measurement){
        .counters = counters,
        .client = client,
        .log = native->log,
        .invocations = options->run->invocations,
        .timeout_seconds = options->run->timeout_seconds,
    };
    int result = 0;
    if (options->lukewarm) {
        thrash = thrash_new(native->cpus.function, native->cpus.client, err);
        native->measurement.before = thrash_run;
        native->measurement.context = thrash;
        result = thrash ? 0 : -1;
    }
    if (result == 0)
        result = measure_run(&native->measurement, err);
    if (result == 0 && !instance_runs(&native->instance))
        result = error_set(err, "%s ended before the run did", native->function.name);
    if (result == 0)
        result = measure_write(&native->measurement, native->cpus.function, samples, &shared, err);
    autofree char *missing = counters_missing(counters);
    manifest_set_text(manifest, "counters.of", counters_scope(counters));
    if (missing)
        manifest_set_text(manifest, "counters.missing", missing);
    if (shared)
        manifest_set_text(manifest, "counters.multiplexed",
                          "more counters than the processor has: they took turns, and are scaled");
    if (thrash)
        thrash_free(thrash);
    counters_close(counters);
    json_decref(client);
    return result;
}

static int describe(void *context, struct manifest *manifest, struct error *err) {
    const struct native *native = context;
    sim_describe_request(native->options->run, &native->function, native->warm_ups, manifest);
    manifest_set_text(manifest, "start", native->options->lukewarm ? "lukewarm" : "warm");
    return 0;
}

static int execute(void *context, const char *folder, struct manifest *manifest,
                   struct run_results *results, struct error *err) {
    struct native *native = context;
    struct host_times before = host_times(native->cpus.function);
    autofree char *console = format_string("%s/console.log", folder);
    double begun = machine_now();
    int result = lay_out(native, err);
    if (result == 0)
        result = launch_by_any(native, err);
    if (result == 0) {
        manifest_set_text(manifest, "runtime", native->home.runtime);
        manifest_set_seconds(manifest, "seconds.start", machine_now() - begun);
        begun = machine_now();
        result = measure(native, folder, manifest, err);
        manifest_set_seconds(manifest, "seconds.measure", machine_now() - begun);
    }
    describe_host(native, &before, manifest);
    instance_remove(&native->instance);
    if (native->log && file_exists(native->log) &&
        file_copy(native->log, console, result == 0 ? err : NULL) < 0)
        result = -1;
    results->replies = native->measurement.said.replies;
    results->reply_count = native->measurement.said.reply_count;
    return result;
}

static void clear_away(struct native *native) {
    measure_free(&native->measurement);
    if (native->services.id) {
        kill(-native->services.id, SIGTERM);
        process_reap(&native->services);
    }
    listeners_free(&native->listeners);
    free(native->log);
    if (native->guard.folder)
        guard_close(&native->guard);
    function_free(&native->function);
}

int native_run(const struct native_options *options, FILE *out, enum results_format format,
               char **folder, struct error *err) {
    struct native native = {.options = options,
                            .guard = {.life = -1},
                            .services = {.handle = -1},
                            .instance = {.own = {.handle = -1}}};
    double begun = machine_now();
    int result = prepare(&native, err);
    if (result == 0) {
        const struct record record = {
            .engine = ENGINE_NATIVE,
            .name = native.function.name,
            .out = options->run->out,
            .command = options->run->command,
            .system = NATIVE_SYSTEM,
            .clock_hz = host_clock(native.cpus.function),
            .prepare_seconds = machine_now() - begun,
            .core = native.cpus.function,
            .measured = RESULTS_INVOCATIONS,
            .noisy = true,
            .describe = describe,
            .execute = execute,
            .context = &native,
        };
        result = record_run(&record, out, format, folder, err);
    }
    clear_away(&native);
    return result;
}
