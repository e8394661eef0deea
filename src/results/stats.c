/* stats.txt in gem5 v24's format: one block an invocation, each line
 *
 *     NAME (40 columns)  VALUE (12)  2 empty (10 each, for distributions)  # DESCRIPTION (UNIT)
 *
 * What depends on the host (hostSeconds, hostInstRate, …) is left out,
 * so that files of equal runs are equal. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "results/stats_lines.h"
#include "results/writers.h"

static void line(FILE *out, const char *name, const char *value, const char *description,
                 const char *unit) {
    fprintf(out, "%-40s %12s %10s %10s # %s (%s)\n", name, value, "", "", description, unit);
}

void stats_count(FILE *out, const char *name, uint64_t value, const char *description,
                 const char *unit) {
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, value);
    line(out, name, text, description, unit);
}

void stats_ratio(FILE *out, const char *name, double value, int precision, const char *description,
                 const char *unit) {
    char text[350] = "nan"; /* 0/0 has no sign */
    bool whole = value == rint(value) && precision < 0;
    if (!isnan(value))
        snprintf(text, sizeof text, "%.*f", whole ? 0 : 6, value);
    line(out, name, text, description, unit);
}

static void write_block(const struct invocation *one, const struct invocations *invocations,
                        FILE *out) {
    const struct samples *samples = invocations->run->samples;
    size_t time = invocations->time;
    uint64_t ticks = invocation_value(one, time) * invocations->ticks;

    fputs("\n---------- Begin Simulation Statistics ----------\n", out);
    stats_ratio(out, "simSeconds", (double)ticks / TICKS_PER_SECOND, -1,
                "Number of seconds simulated: the measured core's busy time", "Second");
    stats_count(out, "simTicks", ticks, "Number of ticks simulated: the measured core's busy time",
                "Tick");
    stats_count(out, "finalTick", one->end->values[time] * invocations->ticks,
                "Number of ticks from beginning of simulation (never reset)", "Tick");
    stats_count(out, "simFreq", TICKS_PER_SECOND, "The number of ticks per simulated second",
                "(Tick/Second)");
    for (size_t i = 0; i < samples->statistic_count; i++) {
        const struct statistic *statistic = &samples->statistics[i];
        if (stats_is_known(samples, statistic->name))
            stats_count(out, statistic->name, invocation_value(one, i), statistic->description,
                        statistic->unit);
    }
    stats_gem5_names(out, one, samples);
    fputs("\n---------- End Simulation Statistics   ----------\n", out);
}

void write_stats(const struct invocations *invocations, FILE *out) {
    for (size_t i = 0; i < invocations->count; i++)
        write_block(&invocations->list[i], invocations, out);
}
