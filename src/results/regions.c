#include "results/regions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "results/intervals.h"

static const char *const events[REGION_EVENTS] = {
    [REGION_CYCLES] = "numCycles",        [REGION_INSTRUCTIONS] = "numInsts",
    [REGION_L1I_MISSES] = "icacheMisses", [REGION_L1D_MISSES] = "dcacheMisses",
    [REGION_LLC_MISSES] = "llcMisses",
};

/* The region of a statistic SYSTEM.cpuN.regions.NAME.numCycles, where NAME may have dots itself.
 * The caller frees it; NULL: the statistic is another one. */
static char *region_name(const char *statistic, const char *prefix) {
    static const char suffix[] = ".numCycles";
    size_t length = strlen(statistic), before = strlen(prefix), behind = sizeof suffix - 1;
    if (length <= before + behind || strncmp(statistic, prefix, before) != 0 ||
        strcmp(statistic + length - behind, suffix) != 0)
        return NULL;
    return format_string("%.*s", (int)(length - before - behind), statistic + before);
}

static int find_events(const struct invocations *invocations, const char *prefix,
                       struct region *region, struct error *err) {
    for (int event = 0; event < REGION_EVENTS; event++) {
        autofree char *name = format_string("%s%s.%s", prefix, region->name, events[event]);
        ssize_t index = samples_find(invocations->run->samples, name);
        if (index < 0)
            return error_set(err, "taking the measurements: the region %s has no %s", region->name,
                             events[event]);
        region->statistics[event] = (size_t)index;
        double sum = 0;
        for (size_t i = 0; i < invocations->count; i++)
            sum += (double)invocation_value(&invocations->list[i], (size_t)index);
        region->mean[event] = sum / (double)invocations->sharers;
    }
    return 0;
}

static int check_sums(const struct invocations *invocations, const struct regions *regions,
                      struct error *err) {
    for (size_t i = 0; i < invocations->count; i++) {
        const struct invocation *one = &invocations->list[i];
        uint64_t sum = 0, cycles = invocation_value(one, invocations->time);
        for (size_t r = 0; r < regions->count; r++)
            sum += invocation_value(one, regions->list[r].statistics[REGION_CYCLES]);
        if (sum > cycles)
            return error_set(err,
                             "taking the measurements: %s %" PRIu64 ": the regions have %" PRIu64
                             " cycles and the core only %" PRIu64 ": the timing model is wrong",
                             interval_name(invocations->run), one->id, sum, cycles);
    }
    return 0;
}

static int by_cycles(const void *a, const void *b) {
    const struct region *x = a, *y = b;
    double difference = y->mean[REGION_CYCLES] - x->mean[REGION_CYCLES];
    return difference ? (difference > 0) - (difference < 0) : strcmp(x->name, y->name);
}

int regions_find(const struct invocations *invocations, struct regions *regions,
                 struct error *err) {
    const struct samples *samples = invocations->run->samples;
    autofree char *prefix = format_string("system.cpu%u.regions.", invocations->run->measured_core);
    regions->list = calloc(samples->statistic_count + 1, sizeof *regions->list);
    if (!regions->list)
        abort();
    for (size_t i = 0; i < samples->statistic_count; i++) {
        char *name = region_name(samples->statistics[i].name, prefix);
        if (!name)
            continue;
        struct region *region = &regions->list[regions->count++];
        region->name = name;
        if (find_events(invocations, prefix, region, err) < 0)
            return -1;
    }
    qsort(regions->list, regions->count, sizeof *regions->list, by_cycles);
    return check_sums(invocations, regions, err);
}

void regions_free(struct regions *regions) {
    for (size_t i = 0; i < regions->count; i++)
        free(regions->list[i].name);
    free(regions->list);
    *regions = (struct regions){0};
}
