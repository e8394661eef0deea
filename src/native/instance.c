#include "native/instance.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "image/host.h"
#include "image/oci.h"

#define PATIENCE_SECONDS 60
#define LOOK_NS 200000 /* between two looks whether it listens */
#define RUNTIME_SECONDS 120

const char *const native_runtimes[] = {"crun", "runc", "podman", "docker", "none", NULL};

/* How a kind of runtime does it; what has nothing to do is NULL. */
struct instance_ways {
    int (*prepare)(const struct instance_home *home, struct error *err);
    int (*create)(struct instance *instance, struct error *err);
    int (*start)(struct instance *instance, struct error *err);
    void (*explain)(struct instance *instance); /* what the container said, into the log */
    void (*remove)(struct instance *instance);
};

static int run(const struct instance *instance, const char *const words[], struct error *err) {
    const struct process_options options = {.log = instance->home->log,
                                            .timeout_seconds = RUNTIME_SECONDS};
    return process_run(words, &options, err);
}

/* ---- crun, runc: our own bundle, on this processor because who creates it is ---- */

static char *state_folder(const struct instance *instance) {
    return format_string("%s/state", instance->home->guard->folder);
}

static int create_by_oci(struct instance *instance, struct error *err) {
    autofree char *state = state_folder(instance), *cpu = format_string("%u", instance->home->cpu);
    autofree char *pid_file = format_string("%s/pid", instance->bundle);
    const char *const words[] = {
        "taskset", "-c",           cpu,        instance->home->runtime, "--root",
        state,     "create",       "--bundle", instance->bundle,        "--pid-file",
        pid_file,  instance->name, NULL};
    if (run(instance, words, err) < 0)
        return -1;
    autofree char *text = file_read(pid_file, NULL, err);
    instance->process = text ? atoi(text) : 0;
    return text ? 0 : -1;
}

static int start_by_oci(struct instance *instance, struct error *err) {
    autofree char *state = state_folder(instance);
    const char *const words[] = {instance->home->runtime, "--root", state, "start",
                                 instance->name,          NULL};
    return run(instance, words, err);
}

static void remove_by_oci(struct instance *instance) {
    autofree char *state = state_folder(instance);
    const char *const words[] = {instance->home->runtime, "--root", state, "delete", "--force",
                                 instance->name,          NULL};
    run(instance, words, NULL);
}

/* ---- docker, podman: as one would by hand ---- */

static char *image_name(const struct instance_home *home) {
    return format_string("slsuite-%s-%d", home->function->name, home->owner);
}

static int load_image(const struct instance_home *home, struct error *err) {
    autofree char *archive = format_string("%s/image.tar", home->guard->folder);
    autofree char *name = image_name(home);
    const char *const words[] = {home->runtime, "load", "--quiet", "--input", archive, NULL};
    const struct process_options options = {.log = home->log, .timeout_seconds = RUNTIME_SECONDS};
    int result = oci_export(home->function->layout, archive, name, err);
    if (result == 0)
        result = guard_note_image(home->guard, name, home->runtime, err);
    if (result == 0)
        result = process_run(words, &options, err);
    unlink(archive);
    return result;
}

static int create_by_engine(struct instance *instance, struct error *err) {
    const struct instance_home *home = instance->home;
    autofree char *image = image_name(home), *cpu = format_string("%u", home->cpu);
    json_t *command = json_array(), *arguments = json_object_get(instance->how, "args"), *value;
    size_t index;
    const char *const begin[] = {home->runtime,   "create",    "--name",
                                 instance->name,  "--network", "host",
                                 "--cpuset-cpus", cpu,         "--entrypoint"};
    for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
        json_array_append_new(command, json_string(begin[i]));
    json_array_append(command, json_array_get(arguments, 0));
    json_array_foreach(json_object_get(instance->how, "env"), index, value) {
        json_array_append_new(command, json_string("--env"));
        json_array_append(command, value);
    }
    json_array_append_new(command, json_string(image));
    json_array_foreach(arguments, index, value) if (index) json_array_append(command, value);
    autofree const char **words = host_words(command);
    int result = run(instance, words, err);
    json_decref(command);
    return result;
}

static int start_by_engine(struct instance *instance, struct error *err) {
    const char *runtime = instance->home->runtime;
    const char *const start[] = {runtime, "start", instance->name, NULL};
    const char *const ask[] = {runtime,          "inspect",      "--format",
                               "{{.State.Pid}}", instance->name, NULL};
    autofree char *pid = run(instance, start, err) < 0 ? NULL : process_output(ask, NULL, err);
    instance->process = pid ? atoi(pid) : 0;
    return pid ? 0 : -1;
}

static void explain_by_engine(struct instance *instance) {
    const char *const words[] = {instance->home->runtime, "logs", instance->name, NULL};
    run(instance, words, NULL);
}

static void remove_by_engine(struct instance *instance) {
    const char *const words[] = {instance->home->runtime, "rm", "--force", instance->name, NULL};
    run(instance, words, NULL);
}

/* ---- none: our child, under a changed root ---- */

static int start_by_ourselves(struct instance *instance, struct error *err) {
    autofree char *cpu = format_string("%u", instance->home->cpu);
    const struct process_options options = {.log = instance->home->log};
    json_t *command = json_pack("[s, s, s]", "taskset", "-c", cpu);
    host_add_root_command(command, instance->bundle, instance->how);
    autofree const char **words = host_words(command);
    int result = process_start(words, &options, &instance->own, err);
    instance->process = instance->own.id;
    json_decref(command);
    return result;
}

static void remove_by_ourselves(struct instance *instance) {
    if (!instance->own.id)
        return;
    kill(-instance->own.id, SIGKILL);
    process_reap(&instance->own);
}

/* ---- all of them ---- */

bool instance_runtime_has_store(const char *runtime) {
    return strcmp(runtime, "docker") == 0 || strcmp(runtime, "podman") == 0;
}

static const struct instance_ways *ways(const char *runtime) {
    static const struct instance_ways oci = {NULL, create_by_oci, start_by_oci, NULL,
                                             remove_by_oci};
    static const struct instance_ways engine = {load_image, create_by_engine, start_by_engine,
                                                explain_by_engine, remove_by_engine};
    static const struct instance_ways none = {NULL, NULL, start_by_ourselves, NULL,
                                              remove_by_ourselves};
    return strcmp(runtime, "none") == 0          ? &none
           : instance_runtime_has_store(runtime) ? &engine
                                                 : &oci;
}

int instance_prepare(const struct instance_home *home, struct error *err) {
    const struct instance_ways *how = ways(home->runtime);
    return how->prepare ? how->prepare(home, err) : 0;
}

static int write_bundle(struct instance *instance, unsigned number, struct error *err) {
    const struct instance_home *home = instance->home;
    const struct function *function = home->function;
    snprintf(instance->name, sizeof instance->name, "slsuite-%d-%u", getpid(), number);
    instance->bundle = format_string("%s/instance-%u", home->guard->folder, number);
    return listener_choose_port(json_object_get(function->yaml, "entrypoint"),
                                function_port(function), &instance->port, err) < 0
               ? -1
               : host_write_bundle(function, home->listeners, home->guard->folder, instance->port,
                                   instance->bundle, &instance->how, err);
}

int instance_create(const struct instance_home *home, unsigned number, struct instance *instance,
                    struct error *err) {
    const struct instance_ways *how = ways(home->runtime);
    *instance = (struct instance){.home = home, .own = {.handle = -1}};
    if (write_bundle(instance, number, err) < 0 ||
        guard_note_instance(home->guard, instance->name, home->runtime, err) < 0)
        return -1;
    return how->create ? how->create(instance, err) : 0;
}

int instance_start(struct instance *instance, struct error *err) {
    return ways(instance->home->runtime)->start(instance, err);
}

/* A process that has ended and was not reaped yet has no parts left. */
bool instance_runs(const struct instance *instance) {
    autofree char *path = format_string("/proc/%d/stat", instance->process);
    autofree char *text = instance->process > 0 ? file_read(path, NULL, NULL) : NULL;
    const char *state = text ? strrchr(text, ')') : NULL;
    return state && state[1] && state[2] != 'Z' && state[2] != 'X';
}

/* A line "N: ADDRESS:PORT ADDRESS:PORT 0A …" of the table: 0A is LISTEN. */
static bool listens_in(pid_t process, const char *table, unsigned port) {
    autofree char *path = format_string("/proc/%d/net/%s", process, table);
    autofree char *text = file_read(path, NULL, NULL);
    char wanted[16];
    snprintf(wanted, sizeof wanted, ":%04X ", port);
    for (char *place = text; place && (place = strstr(place, wanted)); place += strlen(wanted)) {
        const char *state = strchr(place + strlen(wanted), ' ');
        if (state && strncmp(state, " 0A ", 4) == 0)
            return true;
    }
    return false;
}

static int not_listening(struct instance *instance, const char *how, struct error *err) {
    const struct instance_ways *kind = ways(instance->home->runtime);
    if (kind->explain)
        kind->explain(instance);
    autofree char *line = file_last_line(instance->home->log, 0);
    return error_set(err, "%s %s%s%s", instance->home->function->name, how, *line ? ": " : "",
                     line);
}

int instance_wait(struct instance *instance, struct error *err) {
    const struct timespec pause = {.tv_nsec = LOOK_NS};
    time_t begun = time(NULL);
    while (!listens_in(instance->process, "tcp", instance->port) &&
           !listens_in(instance->process, "tcp6", instance->port)) {
        if (!instance_runs(instance))
            return not_listening(instance, "ended before it listened", err);
        if (time(NULL) - begun > PATIENCE_SECONDS)
            return not_listening(instance, "does not listen after a minute", err);
        if (process_interrupted())
            return error_set(err, "interrupted");
        nanosleep(&pause, NULL);
    }
    return 0;
}

void instance_remove(struct instance *instance) {
    if (instance->home) {
        ways(instance->home->runtime)->remove(instance);
        guard_forget_instance(instance->home->guard, instance->name);
    }
    if (instance->bundle)
        folder_remove(instance->bundle, NULL);
    free(instance->bundle);
    json_decref(instance->how);
    *instance = (struct instance){.own = {.handle = -1}};
}
