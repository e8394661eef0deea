#include "plugin/samples.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static FILE *file;
static int events_fd = -1;
static uint64_t *values;

int samples_open(const char *path, int events, const struct model *model) {
    size_t count = model_statistic_count(model);
    file = fopen(path, "we");
    values = calloc(count, sizeof *values);
    events_fd = events;
    if (!file || !values)
        return -1;
    fputs("# slsuite samples 1\n", file);
    for (size_t i = 0; i < count; i++) {
        const struct model_statistic *statistic = model_statistic(model, i);
        fprintf(file, "stat\t%s\t%s\t%s\n", statistic->name, statistic->unit,
                statistic->description);
    }
    return fflush(file);
}

void samples_mark(struct model *model, uint16_t operation, uint64_t argument0, uint64_t argument1) {
    model_read_statistics(model, values);
    fprintf(file, "mark\t%x\t%" PRIu64 "\t%" PRIu64, operation, argument0, argument1);
    for (size_t i = 0; i < model_statistic_count(model); i++)
        fprintf(file, "\t%" PRIu64, values[i]);
    fputc('\n', file);
    fflush(file);
    if (events_fd >= 0)
        dprintf(events_fd, "mark %x %" PRIu64 "\n", operation, argument0);
}
