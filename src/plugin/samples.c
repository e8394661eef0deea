#include "plugin/samples.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static FILE *file;
static int events_fd = -1;
static uint64_t *values;
static char *line; /* of values */

enum { MOST_DIGITS = 20 };

int samples_open(const char *path, int events, const struct model *model) {
    size_t count = model_statistic_count(model);
    file = fopen(path, "we");
    values = calloc(count, sizeof *values);
    line = malloc(count * (1 + MOST_DIGITS) + 1);
    events_fd = events;
    if (!file || !values || !line)
        return -1;
    fputs("# slsuite samples 1\n", file);
    for (size_t i = 0; i < count; i++) {
        const struct model_statistic *statistic = model_statistic(model, i);
        fprintf(file, "stat\t%s\t%s\t%s\n", statistic->name, statistic->unit,
                statistic->description);
    }
    return fflush(file);
}

/* A tab and the number. Returns where they end. (A mark has hundreds of numbers: by fprintf() they
 * took a twentieth of the model's time.) */
static char *put_number(char *place, uint64_t number) {
    char digits[MOST_DIGITS], *first = digits + sizeof digits;
    do
        *--first = (char)('0' + number % 10);
    while (number /= 10);
    *place++ = '\t';
    return mempcpy(place, first, (size_t)(digits + sizeof digits - first));
}

void samples_mark(struct model *model, uint16_t operation, uint64_t argument0, uint64_t argument1) {
    model_read_statistics(model, values);
    fprintf(file, "mark\t%x\t%" PRIu64 "\t%" PRIu64, operation, argument0, argument1);
    char *end = line;
    for (size_t i = 0; i < model_statistic_count(model); i++)
        end = put_number(end, values[i]);
    *end++ = '\n';
    fwrite(line, 1, (size_t)(end - line), file);
    fflush(file);
    if (events_fd >= 0)
        dprintf(events_fd, "mark %x %" PRIu64 "\n", operation, argument0);
}
