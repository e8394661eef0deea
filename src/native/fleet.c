#include "native/fleet.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client/clock.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/process.h"
#include "common/progress.h"
#include "engine/record.h"
#include "native/family.h"
#include "native/fleet_record.h"
#include "native/home.h"

#define SECOND UINT64_C(1000000000)
#define LOOK (SECOND / 10) /* between two looks at the memory */
#define NEVER UINT64_MAX

/* One place for an instance. */
struct slot {
    struct worker worker; /* id 0: there is none */
    size_t instance, invocation;
    pid_t process; /* of the container, once it was started */
    bool busy;
    uint64_t idle_since; /* ns since the beginning, as all times here */
};

struct fleet {
    const struct native_options *options;
    const struct fleet_options *how;
    struct native_home home;
    struct caller caller;
    struct trace trace;
    struct arrivals arrivals;
    struct fleet_record record;
    struct slot slots[FLEET_MOST];
    pid_t leaving[FLEET_MOST]; /* processes that remove their instances */
    size_t leaving_count;
    uint64_t begin, now, next_due, end_due; /* arrivals end; NEVER: by themselves */
    uint64_t next_look, last_look;
    size_t next_waiting; /* the first invocation that no instance has yet */
    struct progress *progress;
};

/* ---- instances ---- */

static size_t live(const struct fleet *fleet) {
    size_t count = 0;
    for (size_t i = 0; i < fleet->how->instances; i++)
        count += fleet->slots[i].worker.id != 0;
    return count;
}

/* Of the idle ones that which was busy last: the others may then grow old. */
static struct slot *pick_idle(struct fleet *fleet) {
    struct slot *best = NULL;
    for (size_t i = 0; i < fleet->how->instances; i++) {
        struct slot *slot = &fleet->slots[i];
        if (slot->worker.id && !slot->busy && (!best || slot->idle_since > best->idle_since))
            best = slot;
    }
    return best;
}

static struct slot *start_new(struct fleet *fleet, struct error *err) {
    struct slot *slot = fleet->slots;
    while (slot < fleet->slots + fleet->how->instances && slot->worker.id)
        slot++;
    if (slot == fleet->slots + fleet->how->instances)
        return NULL;
    struct fleet_instance *instance = fleet_record_instance(&fleet->record);
    *slot = (struct slot){.instance = fleet->record.instance_count - 1};
    instance->born = fleet->now;
    /* Number 0 was the rehearsal's. */
    if (worker_begin(&slot->worker, &fleet->home.instances, &fleet->caller,
                     (unsigned)slot->instance + 1, err) < 0) {
        slot->worker.id = 0;
        return NULL;
    }
    if (live(fleet) > fleet->record.most_at_a_time)
        fleet->record.most_at_a_time = live(fleet);
    return slot;
}

/* Those that have left; all of them, if `wait`. */
static void reap(struct fleet *fleet, bool wait) {
    size_t kept = 0;
    for (size_t i = 0; i < fleet->leaving_count; i++)
        if (!worker_has_ended(fleet->leaving[i], wait))
            fleet->leaving[kept++] = fleet->leaving[i];
    fleet->leaving_count = kept;
}

/* Its place is free at once: to remove a container takes as long as to create one. */
static void remove_instance(struct fleet *fleet, struct slot *slot) {
    reap(fleet, fleet->leaving_count == FLEET_MOST);
    worker_retire(&slot->worker);
    fleet->leaving[fleet->leaving_count++] = slot->worker.id;
    fleet->record.instances[slot->instance].removed = fleet->now;
    slot->worker.id = 0;
}

static void remove_old(struct fleet *fleet) {
    for (size_t i = 0; i < fleet->how->instances; i++) {
        struct slot *slot = &fleet->slots[i];
        if (slot->worker.id && !slot->busy &&
            fleet->now - slot->idle_since >= fleet->record.idle_ns)
            remove_instance(fleet, slot);
    }
}

/* ---- invocations ---- */

static void fill(struct fleet *fleet) {
    unsigned limit = fleet->options->run->invocations;
    while (fleet->next_due <= fleet->now && fleet->next_due != NEVER) {
        fleet_record_invocation(&fleet->record)->due = fleet->next_due;
        fleet->next_due = arrival_next(&fleet->arrivals);
        if (fleet->next_due >= fleet->end_due || (limit && fleet->record.count == limit))
            fleet->next_due = NEVER;
    }
    size_t waiting = fleet->record.count - fleet->next_waiting;
    if (waiting > fleet->record.most_waiting)
        fleet->record.most_waiting = waiting;
}

static int dispatch(struct fleet *fleet, struct error *err) {
    while (fleet->next_waiting < fleet->record.count) {
        struct slot *slot = pick_idle(fleet);
        bool cold = !slot;
        if (cold && !(slot = start_new(fleet, err)))
            return err->status ? -1 : 0;
        const struct worker_order order = {.number = fleet->next_waiting};
        struct fleet_invocation *one = &fleet->record.invocations[fleet->next_waiting];
        one->cold = cold;
        one->instance = (unsigned)slot->instance;
        slot->busy = true;
        slot->invocation = fleet->next_waiting++;
        if (send(slot->worker.socket, &order, sizeof order, MSG_NOSIGNAL) < 0)
            return error_errno(err, "cannot reach the process of instance %zu", slot->instance);
    }
    return 0;
}

static void take_failure(struct fleet *fleet, struct slot *slot, const char *why) {
    struct fleet_invocation *one = &fleet->record.invocations[slot->invocation];
    if (!fleet->record.failed++)
        snprintf(fleet->record.why, sizeof fleet->record.why, "%s", why);
    one->failed = true;
    one->end = fleet->now;
    remove_instance(fleet, slot);
}

static void take_report(struct fleet *fleet, struct slot *slot) {
    struct worker_report report;
    if (recv(slot->worker.socket, &report, sizeof report, 0) != (ssize_t)sizeof report) {
        if (slot->busy)
            take_failure(fleet, slot, "its process has ended");
        else
            remove_instance(fleet, slot);
        return;
    }
    struct fleet_instance *instance = &fleet->record.instances[slot->instance];
    struct fleet_invocation *one = &fleet->record.invocations[slot->invocation];
    if (report.kind == WORKER_STARTED) {
        slot->process = report.process;
        memcpy(instance->phases, report.phases_ns, sizeof instance->phases);
        return;
    }
    if (report.kind == WORKER_FAILED) {
        take_failure(fleet, slot, report.why);
        return;
    }
    one->begin = report.begin_ns - fleet->begin;
    one->end = report.end_ns - fleet->begin;
    instance->invocations++;
    slot->busy = false;
    slot->idle_since = fleet->now;
}

/* ---- time ---- */

static void look_at_memory(struct fleet *fleet) {
    double seconds = (double)(fleet->now - fleet->last_look) / 1e9;
    if (fleet->now < fleet->next_look)
        return;
    for (size_t i = 0; i < fleet->how->instances; i++) {
        struct slot *slot = &fleet->slots[i];
        if (!slot->worker.id || !slot->process)
            continue;
        struct fleet_instance *instance = &fleet->record.instances[slot->instance];
        double used = (double)family_memory(slot->process) * seconds;
        instance->memory += used;
        instance->idle_memory += slot->busy ? 0 : used;
    }
    fleet->last_look = fleet->now;
    fleet->next_look = fleet->now + LOOK;
    progress_update(fleet->progress,
                    fleet->end_due != NEVER ? (double)fleet->now / (double)fleet->end_due : -1,
                    NULL);
}

static uint64_t next_wake(const struct fleet *fleet) {
    uint64_t wake = fleet->next_look < fleet->next_due ? fleet->next_look : fleet->next_due;
    for (size_t i = 0; i < fleet->how->instances; i++) {
        const struct slot *slot = &fleet->slots[i];
        uint64_t old = slot->idle_since + fleet->record.idle_ns;
        if (slot->worker.id && !slot->busy && old < wake)
            wake = old;
    }
    return wake;
}

static int wait_and_take(struct fleet *fleet, struct error *err) {
    struct pollfd wait[FLEET_MOST];
    uint64_t wake = next_wake(fleet), now = now_ns() - fleet->begin;
    uint64_t rest = wake > now ? wake - now : 0;
    const struct timespec timeout = {(time_t)(rest / SECOND), (long)(rest % SECOND)};
    for (size_t i = 0; i < fleet->how->instances; i++)
        wait[i] = (struct pollfd){
            .fd = fleet->slots[i].worker.id ? fleet->slots[i].worker.socket : -1, .events = POLLIN};
    if (ppoll(wait, fleet->how->instances, &timeout, NULL) < 0 && errno != EINTR)
        return error_errno(err, "cannot wait for the instances");
    fleet->now = now_ns() - fleet->begin;
    for (size_t i = 0; i < fleet->how->instances; i++)
        if (wait[i].fd >= 0 && wait[i].revents)
            take_report(fleet, &fleet->slots[i]);
    return process_interrupted() ? error_set(err, "interrupted") : 0;
}

static bool is_over(const struct fleet *fleet) {
    bool busy = false;
    for (size_t i = 0; i < fleet->how->instances; i++)
        busy |= fleet->slots[i].worker.id && fleet->slots[i].busy;
    return fleet->next_due == NEVER && fleet->next_waiting == fleet->record.count && !busy;
}

static int replay(struct fleet *fleet, struct error *err) {
    double seconds = fleet->how->duration_seconds;
    double trace_seconds = (double)fleet->trace.minutes * fleet->how->arrivals.minute_s;
    double length =
        fleet->how->trace && (!seconds || trace_seconds < seconds) ? trace_seconds : seconds;
    int result = 0;
    fleet->begin = now_ns();
    fleet->next_due = arrival_next(&fleet->arrivals);
    fleet->end_due = length > 0 ? (uint64_t)(length * 1e9) : NEVER;
    if (fleet->next_due >= fleet->end_due)
        fleet->next_due = NEVER;
    fleet->progress = progress_begin("fleet", "invocations as they arrive", length);
    while (result == 0 && !is_over(fleet)) {
        result = wait_and_take(fleet, err);
        fill(fleet);
        remove_old(fleet);
        if (result == 0)
            result = dispatch(fleet, err);
        look_at_memory(fleet);
    }
    fleet->record.end = fleet->now;
    progress_end(fleet->progress, result == 0);
    for (size_t i = 0; i < fleet->how->instances; i++)
        if (fleet->slots[i].worker.id) {
            remove_instance(fleet, &fleet->slots[i]);
            fleet->record.instances[fleet->slots[i].instance].removed = 0; /* it was there */
        }
    reap(fleet, true);
    return result;
}

/* ---- the run ---- */

static int describe(void *context, struct manifest *manifest, struct error *err) {
    const struct fleet *fleet = context;
    const struct fleet_options *how = fleet->how;
    sim_describe_request(fleet->options->run, &fleet->home.function, 0, manifest);
    manifest_set_integer(manifest, "instances", how->instances);
    manifest_set_seconds(manifest, "idle_timeout", how->idle_seconds);
    manifest_set_text(manifest, "arrival", arrival_kind_name(fleet->arrivals.process.kind));
    if (how->trace) {
        manifest_set_text(manifest, "trace", how->trace);
        manifest_set_text(manifest, "trace_function", fleet->trace.function);
    } else
        manifest_set_seconds(manifest, "rate", how->arrivals.rate);
    return 0;
}

static int produce(void *context, const char *folder, struct manifest *manifest, FILE *out,
                   enum results_format format, struct error *err) {
    struct fleet *fleet = context;
    struct instance first;
    int result = native_home_settle(&fleet->home, &first, err);
    instance_remove(&first); /* a rehearsal: the runtime works, and its programs have been read */
    if (result == 0)
        result = replay(fleet, err);
    native_home_describe(&fleet->home, manifest);
    if (native_home_keep_log(&fleet->home, folder, result == 0 ? err : NULL) < 0 || result < 0)
        return -1;
    if (!fleet->record.count)
        return error_set(err, "no invocation arrived: a longer --duration, or a higher --rate");
    if (!fleet->record.failed)
        manifest_set_text(manifest, "status", "complete");
    if (fleet_record_write(&fleet->record, folder, manifest, err) < 0)
        return -1;
    fleet_record_print(&fleet->record, format, out);
    if (fleet->record.failed)
        return error_set(err, "%lu of %zu invocations failed; the first: %s",
                         (unsigned long)fleet->record.failed, fleet->record.count,
                         fleet->record.why);
    autofree char *about = format_string("%s/run.json", folder);
    return manifest_write(manifest, about, err);
}

static int prepare(struct fleet *fleet, struct error *err) {
    const struct fleet_options *how = fleet->how;
    fleet->arrivals.process = how->arrivals;
    if (how->trace && trace_read(&fleet->trace, how->trace, how->trace_function, err) < 0)
        return -1;
    if (how->trace &&
        arrival_follow(&fleet->arrivals.process, &fleet->trace, how->arrival_given, err) < 0)
        return -1;
    if (native_home_open(&fleet->home, fleet->options, err) < 0 ||
        caller_prepare(&fleet->caller, fleet->options->run, &fleet->home.function, 0, err) < 0)
        return -1;
    const struct function *function = &fleet->home.function;
    if (how->instances > 1 &&
        !listener_can_move(json_object_get(function->yaml, "entrypoint"), function_port(function)))
        return error_usage(err,
                           "--instances %u: %s listens on a port of its own only: one at a "
                           "time",
                           how->instances, function->name);
    fleet->record.function = function->name;
    fleet->record.limit = how->instances;
    fleet->record.idle_ns = (uint64_t)(how->idle_seconds * 1e9);
    return 0;
}

int fleet_run(const struct native_options *options, const struct fleet_options *how, FILE *out,
              enum results_format format, char **folder, struct error *err) {
    struct fleet *fleet = calloc(1, sizeof *fleet);
    if (!fleet)
        abort();
    *fleet = (struct fleet){.options = options, .how = how, .home = {.guard = {.life = -1}}};
    int result = prepare(fleet, err);
    if (result == 0) {
        const struct record record = {
            .engine = ENGINE_NATIVE,
            .name = fleet->home.function.name,
            .out = options->run->out,
            .command = options->run->command,
            .system = NATIVE_SYSTEM,
            .clock_hz = host_clock(fleet->home.cpus.function),
            .core = fleet->home.cpus.function,
            .describe = describe,
            .produce = produce,
            .context = fleet,
        };
        result = record_run(&record, out, format, folder, err);
    }
    caller_free(&fleet->caller);
    native_home_close(&fleet->home);
    fleet_record_free(&fleet->record);
    trace_free(&fleet->trace);
    free(fleet);
    return result;
}
