/* stats.txt in gem5 v24's format: one block an invocation, each line
 *
 *     NAME (40 columns)  VALUE (12)  2 empty (10 each, for distributions)  # DESCRIPTION (UNIT)
 *
 * What depends on the host (hostSeconds, hostInstRate, …) is left out,
 * so that files of equal runs are equal. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "results/writers.h"

static void line(FILE *out, const char *name, const char *value, const char *description,
                 const char *unit) {
    fprintf(out, "%-40s %12s %10s %10s # %s (%s)\n", name, value, "", "", description, unit);
}

static void count_line(FILE *out, const char *name, uint64_t value, const char *description,
                       const char *unit) {
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, value);
    line(out, name, text, description, unit);
}

/* Six decimals, none for whole numbers; 0/0 has no sign. */
static void ratio_line(FILE *out, const char *name, double value, const char *description,
                       const char *unit) {
    char text[350] = "nan";
    if (!isnan(value))
        snprintf(text, sizeof text, "%.*f", value == rint(value) ? 0 : 6, value);
    line(out, name, text, description, unit);
}

/* Where there are both PREFIX + above + SUFFIX and PREFIX + below + SUFFIX, print their ratio under
 * the name PREFIX + ratio + SUFFIX. `index` is a statistic; nothing happens unless its name
 * contains `above`. */
static void derive(FILE *out, const struct invocation *one, const struct samples *samples,
                   size_t index, const char *above, const char *below, const char *ratio,
                   const char *description, const char *unit) {
    const char *name = samples->statistics[index].name, *found = strstr(name, above);
    if (!found)
        return;
    int prefix = found - name;
    const char *suffix = found + strlen(above);
    char other[256];
    snprintf(other, sizeof other, "%.*s%s%s", prefix, name, below, suffix);
    ssize_t divisor = samples_find(samples, other);
    if (divisor < 0)
        return;
    snprintf(other, sizeof other, "%.*s%s%s", prefix, name, ratio, suffix);
    ratio_line(out, other,
               (double)invocation_value(one, index) / (double)invocation_value(one, divisor),
               description, unit);
}

static void write_block(const struct invocation *one, const struct invocations *invocations,
                        FILE *out) {
    const struct samples *samples = invocations->run->samples;
    size_t time = invocations->time;
    uint64_t ticks = invocation_value(one, time) * invocations->ticks;

    fputs("\n---------- Begin Simulation Statistics ----------\n", out);
    ratio_line(out, "simSeconds", (double)ticks / TICKS_PER_SECOND,
               "Number of seconds simulated: the measured core's busy time", "Second");
    count_line(out, "simTicks", ticks, "Number of ticks simulated: the measured core's busy time",
               "Tick");
    count_line(out, "finalTick", one->end->values[time] * invocations->ticks,
               "Number of ticks from beginning of simulation (never reset)", "Tick");
    count_line(out, "simFreq", TICKS_PER_SECOND, "The number of ticks per simulated second",
               "(Tick/Second)");
    for (size_t i = 0; i < samples->statistic_count; i++) {
        const struct statistic *statistic = &samples->statistics[i];
        count_line(out, statistic->name, invocation_value(one, i), statistic->description,
                   statistic->unit);
    }
    for (size_t i = 0; i < samples->statistic_count; i++) {
        derive(out, one, samples, i, ".numCycles", ".commitStats0.numInsts", ".cpi",
               "CPI: cycles per instruction (core level)", "(Cycle/Count)");
        derive(out, one, samples, i, ".commitStats0.numInsts", ".numCycles", ".ipc",
               "IPC: instructions per cycle (core level)", "(Count/Cycle)");
        derive(out, one, samples, i, ".overallMisses::", ".overallAccesses::", ".overallMissRate::",
               "miss rate for overall accesses", "Ratio");
    }
    fputs("\n---------- End Simulation Statistics   ----------\n", out);
}

void write_stats(const struct invocations *invocations, FILE *out) {
    for (size_t i = 0; i < invocations->count; i++)
        write_block(&invocations->list[i], invocations, out);
}
