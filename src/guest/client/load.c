#include "client/load.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "client/clock.h"
#include "client/inputs.h"
#include "client/pool.h"
#include "client/report.h"
#include "client/schedule.h"
#include "client/tally.h"

#define SECOND UINT64_C(1000000000)
#define TICK (SECOND / 10)    /* how exactly timeouts and ends are kept */
#define PATIENCE (2 * SECOND) /* for calls under way, when somebody ends the run early */
#define EVENTS 64             /* that are served before the next calls are sent */

struct load {
    const struct options *options;
    struct tally tally;
    struct inputs inputs;
    struct report *report;
    struct grpc_target *target;
    struct pool pool;
    struct flight *idle; /* calls that are not under way */
    long under_way;

    struct schedule schedule;
    uint64_t now_ns, last_done_ns, last_answer_ns;
    uint64_t next_tick_ns, armed_ns;
    bool starved; /* a call could begin, but no connection takes it */
    bool gave_up, interrupted;
    int epoll, timer, signals;
};

/* A call's place, used again and again. */
struct flight {
    struct grpc_call call; /* first: it is found by it */
    struct load *load;
    struct slot *slot;
    struct flight *next; /* idle */
    uint64_t due_ns;
    long input;
};

/* --- calls ---------------------------------------------------------------------------------- */

/* What the tally counts it as: GRPC_ANSWERED, or a kind of failure, and why (may be NULL). */
static int judge_call(struct load *load, const struct flight *flight, enum grpc_failure failure,
                      struct error *why) {
    const struct grpc_call *call = &flight->call;
    if (failure == GRPC_ANSWERED)
        return inputs_check(&load->inputs, flight->input, &call->reply, why) == 0 ? GRPC_ANSWERED
                                                                                  : TALLY_WRONG;
    grpc_call_why(call, failure, why);
    if (failure != GRPC_STATUS)
        return (int)failure;
    bool known = call->grpc_status < TALLY_STATUSES - 1;
    return TALLY_STATUS + (known ? call->grpc_status : TALLY_STATUSES - 1);
}

static void on_done(struct grpc_call *call, enum grpc_failure failure) {
    struct flight *flight = (struct flight *)call;
    struct load *load = flight->load;
    struct tally *tally = &load->tally;
    uint64_t now = now_ns(), latency = now - flight->due_ns;
    int kind = judge_call(load, flight, failure, tally->failed ? NULL : &tally->first);
    if (kind == GRPC_ANSWERED)
        tally_answer(tally, latency);
    else
        tally_failure(tally, kind, latency);
    pool_call_done(&load->pool, flight->slot, failure == GRPC_ANSWERED);
    load->under_way--;
    load->last_done_ns = now;
    if (failure == GRPC_ANSWERED)
        load->last_answer_ns = now;
    flight->next = load->idle;
    load->idle = flight;
}

static struct flight *flight_take(struct load *load) {
    struct flight *flight = load->idle;
    if (flight) {
        load->idle = flight->next;
        return flight;
    }
    if ((flight = calloc(1, sizeof *flight))) {
        flight->call.done = on_done;
        flight->load = load;
    }
    return flight;
}

static void send_call(struct load *load, struct slot *slot, uint64_t due_ns) {
    struct flight *flight = flight_take(load);
    if (!flight) {
        tally_failure(&load->tally, TALLY_UNSENT, 0);
        return;
    }
    flight->slot = slot;
    flight->due_ns = due_ns;
    flight->input = (long)(load->tally.sent++ % (uint64_t)load->inputs.count);
    flight->call.request = &load->inputs.requests[flight->input];
    flight->call.deadline_ns = due_ns + (uint64_t)load->options->timeout_s * SECOND;
    if (pool_submit(&load->pool, slot, &flight->call) == 0) {
        load->under_way++;
        return;
    }
    flight->next = load->idle;
    load->idle = flight;
    tally_failure(&load->tally, GRPC_CLOSED, 0);
}

/* --- when calls begin ----------------------------------------------------------------------- */

/* Who has waited in the queue for as long as for a reply is answered no more. */
static void expire_queue(struct load *load) {
    uint64_t timeout = (uint64_t)load->options->timeout_s * SECOND, due;
    while (schedule_drop(&load->schedule, timeout, load->now_ns, &due)) {
        if (load->tally.failed == 0)
            error_set(&load->tally.first, "not sent within %ld s", load->options->timeout_s);
        tally_failure(&load->tally, GRPC_TIMEOUT, load->now_ns - due);
        load->last_done_ns = load->now_ns;
    }
}

static void dispatch(struct load *load) {
    struct schedule *schedule = &load->schedule;
    load->starved = false;
    for (uint64_t lost = schedule_fill(schedule, load->now_ns); lost > 0; lost--)
        tally_failure(&load->tally, TALLY_UNSENT, 0);
    while (load->under_way < load->options->load.concurrency &&
           schedule_has_one(schedule, load->now_ns)) {
        struct slot *slot = pool_pick(&load->pool, load->now_ns);
        if (!slot) {
            load->starved = true;
            break;
        }
        uint64_t due = schedule_take(schedule, load->now_ns);
        tally_lateness(&load->tally, load->now_ns - due);
        send_call(load, slot, due);
    }
    if (schedule->waiting > load->tally.queue_most)
        load->tally.queue_most = schedule->waiting;
}

/* --- time ----------------------------------------------------------------------------------- */

/* A closed loop with so many calls to go would knock at a dead server's door for days. */
static void give_up_on_dead_server(struct load *load) {
    uint64_t timeout = (uint64_t)load->options->timeout_s * SECOND;
    const struct schedule *schedule = &load->schedule;
    if (schedule->open_loop || schedule->end_ns != UINT64_MAX || schedule->stopped ||
        load->pool.fruitless == 0 || load->now_ns - load->last_answer_ns < timeout)
        return;
    load->gave_up = true;
    schedule_stop(&load->schedule);
}

static void tick(struct load *load) {
    if (load->now_ns < load->next_tick_ns)
        return;
    load->next_tick_ns += ((load->now_ns - load->next_tick_ns) / TICK + 1) * TICK;
    pool_expire(&load->pool, load->now_ns);
    expire_queue(load);
    give_up_on_dead_server(load);
    report_tick(load->report, &load->tally, load->now_ns - load->schedule.begin_ns);
}

/* The next moment at which there is something to do that no descriptor tells of. */
static uint64_t next_wake(const struct load *load) {
    uint64_t wake = load->next_tick_ns, due = schedule_next(&load->schedule, load->now_ns);
    if (due < wake)
        wake = due;
    if (load->starved && pool_reopens(&load->pool) < wake)
        wake = pool_reopens(&load->pool);
    return wake;
}

/* epoll's timeout: milliseconds are too coarse,
 * so that a timer tells the time, set only when it changes. */
static int arm(struct load *load) {
    uint64_t wake = next_wake(load);
    if (wake <= load->now_ns)
        return 0;
    if (wake != load->armed_ns) {
        struct itimerspec at = {.it_value = {(time_t)(wake / SECOND), (long)(wake % SECOND)}};
        timerfd_settime(load->timer, TFD_TIMER_ABSTIME, &at, NULL);
        load->armed_ns = wake;
    }
    return -1;
}

/* --- the loop ------------------------------------------------------------------------------- */

/* The first signal ends the run; another one, the client. */
static void interrupt(struct load *load) {
    sigset_t set;
    struct signalfd_siginfo info;
    if (read(load->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    load->interrupted = true;
    schedule_stop(&load->schedule);
    load->schedule.end_ns = load->now_ns + PATIENCE;
}

static bool is_over(const struct load *load) {
    const struct schedule *schedule = &load->schedule;
    if (load->interrupted && load->now_ns >= schedule->end_ns)
        return true;
    return schedule_is_exhausted(schedule, load->now_ns) && schedule->waiting == 0 &&
           load->under_way == 0;
}

static int turn(struct load *load, struct error *err) {
    struct epoll_event events[EVENTS];
    int n = epoll_wait(load->epoll, events, EVENTS, arm(load));
    if (n < 0 && errno != EINTR)
        return error_errno(err, "wait for the server");
    load->now_ns = now_ns();
    for (int i = 0; i < n; i++) {
        void *pointer = events[i].data.ptr;
        if (pointer == &load->signals)
            interrupt(load);
        else if (pointer == &load->timer)
            load->armed_ns = 0; /* setting it again also takes its message away */
        else
            pool_serve(&load->pool, pointer, events[i].events);
    }
    tick(load);
    pool_reap(&load->pool, load->now_ns);
    dispatch(load);
    pool_flush(&load->pool, load->now_ns);
    return 0;
}

static int run(struct load *load, struct error *err) {
    load->now_ns = load->last_answer_ns = load->last_done_ns = now_ns();
    load->next_tick_ns = load->now_ns + TICK;
    schedule_begin(&load->schedule, load->options->load.duration_s, load->now_ns);
    int outcome = 0;
    dispatch(load);
    pool_flush(&load->pool, load->now_ns);
    while (outcome == 0 && !is_over(load))
        outcome = turn(load, err);
    load->tally.seconds = (double)(load->last_done_ns - load->schedule.begin_ns) / 1e9;
    return outcome;
}

/* --- beginning and end ---------------------------------------------------------------------- */

static int watch(struct load *load, int fd, void *pointer) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = pointer};
    return epoll_ctl(load->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int open_descriptors(struct load *load, struct error *err) {
    sigset_t stop_signals;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGINT);
    sigaddset(&stop_signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop_signals, NULL);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    load->signals = signalfd(-1, &stop_signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (load->epoll < 0 || load->timer < 0 || load->signals < 0 ||
        watch(load, load->timer, &load->timer) != 0 ||
        watch(load, load->signals, &load->signals) != 0)
        return error_errno(err, "prepare to wait");
    return 0;
}

static int prepare(struct load *load, struct error *err) {
    const struct options *options = load->options;
    const struct load_options *o = &options->load;
    long room = o->fresh ? 1 : (o->concurrency + o->connections - 1) / o->connections;
    if (schedule_prepare(&load->schedule, options, err) != 0 ||
        inputs_prepare(&load->inputs, options, err) != 0 || open_descriptors(load, err) != 0)
        return -1;
    load->target =
        grpc_target_new(options->address, options->method, (int)options->timeout_s * 1000, err);
    if (!load->target ||
        pool_open(&load->pool, load->target, load->epoll, o->connections, room, o->fresh, err) != 0)
        return -1;
    uint64_t limit = load->schedule.limit;
    load->report = report_begin(options, &load->schedule, limit == UINT64_MAX ? 0 : limit, err);
    return load->report ? 0 : -1;
}

static void release(struct load *load) {
    int fds[] = {load->epoll, load->timer, load->signals};
    pool_close(&load->pool);
    grpc_target_free(load->target);
    inputs_free(&load->inputs);
    for (struct flight *flight; (flight = load->idle);) {
        load->idle = flight->next;
        grpc_call_free(&flight->call);
        free(flight);
    }
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    schedule_free(&load->schedule);
    free(load);
}

static int judge(const struct load *load, struct error *err) {
    const struct tally *tally = &load->tally;
    if (tally->failed)
        tally_why(tally, err);
    if (load->gave_up)
        error_hint(err, "gave up after %ld s without a reply", load->options->timeout_s);
    if (load->interrupted && !tally->failed)
        error_set(err, "ended early, by a signal, after %llu calls",
                  (unsigned long long)tally->answered);
    return err->status ? -1 : 0;
}

int load_run(const struct options *options, struct error *err) {
    struct load *load = calloc(1, sizeof *load);
    if (!load)
        return error_errno(err, "memory for a load run");
    load->options = options;
    load->epoll = load->timer = load->signals = -1;
    int outcome = prepare(load, err);
    if (outcome == 0)
        outcome = run(load, err);
    if (load->report && report_end(load->report, &load->tally, outcome == 0, err) != 0)
        outcome = -1;
    if (outcome == 0)
        outcome = judge(load, err); /* before calls that are still under way are dropped */
    release(load);
    return outcome;
}
