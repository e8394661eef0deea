#include "native/home.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/process.h"
#include "common/progress.h"
#include "image/host.h"
#include "native/pin.h"

#define SERVICES_SECONDS 120 /* until all of them listen */

/* They end when we do; that they listen, a file tells that the innermost script makes. */
static int start_services(struct native_home *home, json_t *command, struct error *err) {
    autofree char *ready = format_string("%s/ready", home->guard.folder);
    autofree char *cpu = format_string("%u", home->cpus.client);
    json_t *all = json_pack("[s, s, s]", "taskset", "-c", cpu);
    json_t *check =
        json_pack("[s, s, s, s, s]", "sh", "-c", ": >\"$1\"; exec sleep infinity", "sh", ready);
    json_array_extend(all, command);
    json_array_extend(all, check);
    autofree const char **words = host_words(all);
    const struct process_options options = {.log = home->log};
    int result = process_start(words, &options, &home->services, err);
    for (int waited = 0; result == 0 && !file_exists(ready); waited++)
        if (process_wait(&home->services, 1, 100) == 0) {
            autofree char *line = file_last_line(home->log, 0);
            result = error_set(err, "the services of %s: %s", home->function.name, line);
        } else if (waited > SERVICES_SECONDS * 10)
            result = error_set(err, "the services of %s do not listen after %d s",
                               home->function.name, SERVICES_SECONDS);
    json_decref(check);
    json_decref(all);
    return result;
}

static int lay_out(struct native_home *home, struct error *err) {
    json_t *services = json_array();
    int result = guard_open(&home->guard, err);
    if (result == 0) {
        home->log = format_string("%s/log", home->guard.folder);
        result = listeners_find(&home->function, (unsigned)atoi(function_port(&home->function)),
                                &home->listeners, err);
    }
    if (result == 0)
        result = host_lay_out(&home->function, &home->listeners, home->guard.folder, services, err);
    if (result == 0 && json_array_size(services))
        result = start_services(home, services, err);
    json_decref(services);
    return result;
}

static int launch(struct native_home *home, const char *runtime, struct instance *instance,
                  struct error *err) {
    home->instances = (struct instance_home){
        .function = &home->function,
        .guard = &home->guard,
        .listeners = &home->listeners,
        .runtime = runtime,
        .log = home->log,
        .cpu = home->cpus.function,
        .owner = getpid(),
    };
    if (instance_prepare(&home->instances, err) == 0 &&
        instance_create(&home->instances, 0, instance, err) == 0 &&
        instance_start(instance, err) == 0 && instance_wait(instance, err) == 0)
        return 0;
    instance_remove(instance);
    return -1;
}

/* The one that was asked for, or the first that can: some want control groups of version 2, some a
 * daemon, some root. */
static int launch_by_any(struct native_home *home, struct instance *first, struct error *err) {
    const char *wanted = home->options->runtime;
    bool any = strcmp(wanted, NATIVE_RUNTIME_ANY) == 0;
    struct error earliest = {0};
    for (size_t i = 0; native_runtimes[i]; i++) {
        const char *runtime = native_runtimes[i];
        struct error why = {0};
        if (any ? strcmp(runtime, "none") != 0 && !process_exists(runtime)
                : strcmp(runtime, wanted) != 0)
            continue;
        if (launch(home, runtime, first, &why) == 0)
            return 0;
        if (!earliest.status)
            earliest = why;
        if (process_interrupted())
            break;
        if (any)
            progress_note("%s: %s: trying another runtime", runtime, why.text);
    }
    error_set(err, "%s on this computer: %s", home->function.name, earliest.text);
    if (strstr(earliest.text, "unshare failed"))
        error_hint(err, "you may have no name spaces of your own: slsuite doctor tells what helps");
    return -1;
}

int native_home_settle(struct native_home *home, struct instance *first, struct error *err) {
    *first = (struct instance){.own = {.handle = -1}};
    return lay_out(home, err) < 0 ? -1 : launch_by_any(home, first, err);
}

int native_home_open(struct native_home *home, const struct native_options *options,
                     struct error *err) {
    const struct sim_options *run = options->run;
    *home =
        (struct native_home){.options = options, .guard = {.life = -1}, .services = {.handle = -1}};
    if (host_choose_cpus(home->options->cpu, home->options->client_cpu, &home->cpus, err) < 0)
        return -1;
    const char *runtime = home->options->runtime;
    if (strcmp(runtime, NATIVE_RUNTIME_ANY) != 0 && strcmp(runtime, "none") != 0 &&
        !process_exists(runtime))
        return error_set(err, "there is no %s on this computer: install it, or leave --runtime out",
                         runtime);
    if (function_prepare(run->function, &home->function, err) < 0)
        return -1;
    home->before = host_times(home->cpus.function);
    return pin_to(home->cpus.client, err);
}

void native_home_describe(const struct native_home *home, struct manifest *manifest) {
    struct host_fact facts[HOST_FACTS];
    host_facts(&home->cpus, &home->before, facts);
    for (int i = 0; i < HOST_FACTS; i++) {
        autofree char *key = format_string("host.conditions.%s", facts[i].key);
        manifest_set_text(manifest, key, facts[i].text);
    }
    manifest_set_integer(manifest, "host.function_cpu", home->cpus.function);
    manifest_set_integer(manifest, "host.client_cpu", home->cpus.client);
    if (home->instances.runtime)
        manifest_set_text(manifest, "runtime", home->instances.runtime);
}

int native_home_keep_log(const struct native_home *home, const char *folder, struct error *err) {
    autofree char *console = format_string("%s/console.log", folder);
    return home->log && file_exists(home->log) ? file_copy(home->log, console, err) : 0;
}

void native_home_close(struct native_home *home) {
    if (home->services.id) {
        kill(-home->services.id, SIGTERM);
        process_reap(&home->services);
    }
    listeners_free(&home->listeners);
    free(home->log);
    if (home->guard.folder)
        guard_close(&home->guard);
    function_free(&home->function);
}
