#include "client/schedule.h"

#include <stdlib.h>

int schedule_prepare(struct schedule *schedule, const struct options *options, struct error *err) {
    const struct load_options *o = &options->load;
    uint64_t calls = (uint64_t)options->invocations, total;
    schedule->open_loop = o->rate > 0 || o->trace;
    schedule->limit = calls ? calls : UINT64_MAX;
    if (!schedule->open_loop)
        return 0;
    if (o->trace && trace_read(&schedule->trace, o->trace, o->trace_function, err) != 0)
        return -1;
    total = schedule->trace.total;
    if (o->trace && total == 0)
        return error_set(err, "%s: the function %.16s… was never invoked: take another", o->trace,
                         schedule->trace.function);
    if (o->trace && total < schedule->limit)
        schedule->limit = total;
    schedule->arrivals.process = (struct arrival_process){
        .kind = o->arrival,
        .burst = (uint32_t)o->burst,
        .seed = (uint64_t)options->generator.seed,
        .rate = o->rate,
        .minute_s = o->minute_s,
    };
    if (o->trace &&
        arrival_follow(&schedule->arrivals.process, &schedule->trace, o->arrival_name, err) != 0)
        return -1;
    schedule->queue = malloc(QUEUE_MAX * sizeof *schedule->queue);
    return schedule->queue ? 0 : error_errno(err, "memory for the queue");
}

static void find_next(struct schedule *schedule) {
    uint64_t next = arrival_next(&schedule->arrivals);
    schedule->next_due_ns = next == ARRIVAL_NEVER ? next : schedule->begin_ns + next;
}

void schedule_begin(struct schedule *schedule, double duration_s, uint64_t now_ns) {
    schedule->begin_ns = now_ns;
    schedule->end_ns = duration_s > 0 ? now_ns + (uint64_t)(duration_s * 1e9) : UINT64_MAX;
    if (schedule->open_loop)
        find_next(schedule);
}

bool schedule_is_exhausted(const struct schedule *schedule, uint64_t now_ns) {
    return schedule->stopped || schedule->issued >= schedule->limit ||
           (schedule->open_loop ? schedule->next_due_ns : now_ns) >= schedule->end_ns;
}

uint64_t schedule_fill(struct schedule *schedule, uint64_t now_ns) {
    uint64_t lost = 0;
    while (schedule_next(schedule, now_ns) <= now_ns) {
        schedule->issued++;
        if (schedule->waiting == QUEUE_MAX)
            lost++;
        else
            schedule->queue[(schedule->first + schedule->waiting++) % QUEUE_MAX] =
                schedule->next_due_ns;
        find_next(schedule);
    }
    return lost;
}

bool schedule_has_one(const struct schedule *schedule, uint64_t now_ns) {
    return schedule->open_loop ? schedule->waiting > 0 : !schedule_is_exhausted(schedule, now_ns);
}

static uint64_t take_first(struct schedule *schedule) {
    uint64_t due_ns = schedule->queue[schedule->first];
    schedule->first = (schedule->first + 1) % QUEUE_MAX;
    schedule->waiting--;
    return due_ns;
}

uint64_t schedule_take(struct schedule *schedule, uint64_t now_ns) {
    if (schedule->open_loop)
        return take_first(schedule);
    schedule->issued++;
    return now_ns;
}

bool schedule_drop(struct schedule *schedule, uint64_t wait_ns, uint64_t now_ns, uint64_t *due_ns) {
    if (schedule->waiting == 0 || schedule->queue[schedule->first] + wait_ns > now_ns)
        return false;
    *due_ns = take_first(schedule);
    return true;
}

uint64_t schedule_next(const struct schedule *schedule, uint64_t now_ns) {
    bool none = !schedule->open_loop || schedule_is_exhausted(schedule, now_ns);
    return none ? UINT64_MAX : schedule->next_due_ns;
}

void schedule_stop(struct schedule *schedule) {
    schedule->stopped = true;
    schedule->issued -= schedule->waiting;
    schedule->waiting = 0;
}

void schedule_free(struct schedule *schedule) {
    free(schedule->queue);
    trace_free(&schedule->trace);
}
