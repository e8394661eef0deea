#include "load/arrival.h"

#include <math.h>
#include <string.h>

#include "common/random.h"

static const char *const names[] = {"uniform", "poisson", "bursty", "recorded"};

int arrival_kind(enum arrival_kind *kind, const char *name, struct error *err) {
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) {
            *kind = (enum arrival_kind)i;
            return 0;
        }
    return error_usage(err, "arrival '%s': unknown: uniform, poisson, bursty or recorded", name);
}

const char *arrival_kind_name(enum arrival_kind kind) {
    return names[kind];
}

/* Above 0, up to 1: its logarithm is a number. */
static double draw(struct arrivals *arrivals) {
    uint64_t bits = random_draw(arrivals->process.seed, arrivals->drawn++) >> 11;
    return (double)(bits + 1) * 0x1p-53;
}

static uint64_t to_ns(double seconds) {
    return seconds < 1e10 ? (uint64_t)(seconds * 1e9) : ARRIVAL_NEVER;
}

/* The next of all events of a poisson process with this rate. */
static double next_poisson(struct arrivals *arrivals, double rate) {
    return arrivals->time_s -= log(draw(arrivals)) / rate;
}

static uint64_t next_at_rate(struct arrivals *arrivals) {
    const struct arrival_process *process = &arrivals->process;
    if (process->kind == ARRIVAL_UNIFORM)
        return to_ns((double)arrivals->count++ / process->rate);
    if (process->kind == ARRIVAL_POISSON)
        return to_ns(next_poisson(arrivals, process->rate));
    if (arrivals->left == 0) {
        next_poisson(arrivals, process->rate / process->burst);
        arrivals->left = process->burst;
    }
    arrivals->left--;
    return to_ns(arrivals->time_s);
}

/* The least of `left` times that are drawn evenly from the rest of the minute: so they come in
 * order, without being kept. */
static double next_of(struct arrivals *arrivals, uint64_t left) {
    double rest = arrivals->process.minute_s - arrivals->time_s;
    return arrivals->time_s += rest * (1 - pow(draw(arrivals), 1.0 / (double)left));
}

static double next_in_minute(struct arrivals *arrivals, uint64_t count) {
    const struct arrival_process *process = &arrivals->process;
    uint64_t begun = arrivals->count++;
    if (process->kind == ARRIVAL_UNIFORM)
        return process->minute_s * (double)begun / (double)count;
    if (process->kind == ARRIVAL_POISSON)
        return next_of(arrivals, count - begun);
    if (begun % process->burst == 0)
        next_of(arrivals, (count - begun + process->burst - 1) / process->burst);
    return arrivals->time_s;
}

static uint64_t next_recorded(struct arrivals *arrivals) {
    const struct trace *trace = arrivals->process.trace;
    if (arrivals->count == trace->total)
        return ARRIVAL_NEVER;
    double time_s = (double)trace->times_ns[arrivals->count++] / 1e9;
    return to_ns(time_s * arrivals->process.minute_s / 60);
}

static uint64_t next_in_trace(struct arrivals *arrivals) {
    const struct trace *trace = arrivals->process.trace;
    if (arrivals->process.kind == ARRIVAL_RECORDED)
        return next_recorded(arrivals);
    while (arrivals->minute < trace->minutes &&
           arrivals->count == trace->counts[arrivals->minute]) {
        arrivals->minute++;
        arrivals->count = 0;
        arrivals->time_s = 0;
    }
    if (arrivals->minute == trace->minutes)
        return ARRIVAL_NEVER;
    double begin = arrivals->process.minute_s * (double)arrivals->minute;
    return to_ns(begin + next_in_minute(arrivals, trace->counts[arrivals->minute]));
}

uint64_t arrival_next(struct arrivals *arrivals) {
    return arrivals->process.trace ? next_in_trace(arrivals) : next_at_rate(arrivals);
}

int arrival_follow(struct arrival_process *process, const struct trace *trace, bool asked,
                   struct error *err) {
    process->trace = trace;
    if (!asked)
        process->kind = trace->times_ns ? ARRIVAL_RECORDED : ARRIVAL_UNIFORM;
    return process->kind != ARRIVAL_RECORDED || trace->times_ns
               ? 0
               : error_usage(err,
                             "arrival 'recorded': this trace has counts a minute, and no times: "
                             "uniform, poisson or bursty");
}
