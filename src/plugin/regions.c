#include "plugin/regions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"

struct range {
    uint64_t start, end;
    uint32_t region;
};

struct regions {
    struct range *ranges; /* by start */
    size_t range_count;
    char **names;
    unsigned count;
};

static uint32_t number_of(struct regions *regions, const char *name) {
    for (unsigned i = 0; i < regions->count; i++)
        if (strcmp(regions->names[i], name) == 0)
            return i + 1;
    regions->names = realloc(regions->names, (regions->count + 1) * sizeof *regions->names);
    char *copy = strdup(name);
    if (!regions->names || !copy)
        abort();
    regions->names[regions->count++] = copy;
    return regions->count;
}

static int read_line(struct regions *regions, const char *line) {
    uint64_t start, end;
    int at = 0;
    if (sscanf(line, "%" SCNx64 " %" SCNx64 " %n", &start, &end, &at) < 2 || !at || !line[at] ||
        start >= end)
        return -1;
    regions->ranges =
        realloc(regions->ranges, (regions->range_count + 1) * sizeof *regions->ranges);
    if (!regions->ranges)
        abort();
    regions->ranges[regions->range_count++] =
        (struct range){start, end, number_of(regions, line + at)};
    return 0;
}

static int by_start(const void *a, const void *b) {
    const struct range *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

static int check(struct regions *regions, const char *path, struct error *err) {
    if (regions->range_count)
        qsort(regions->ranges, regions->range_count, sizeof *regions->ranges, by_start);
    for (size_t i = 1; i < regions->range_count; i++)
        if (regions->ranges[i].start < regions->ranges[i - 1].end)
            return error_set(err,
                             "regions: %s: the ranges that start at %" PRIx64 " and %" PRIx64
                             " overlap: each address may belong to one only",
                             path, regions->ranges[i - 1].start, regions->ranges[i].start);
    return 0;
}

struct regions *regions_read(const char *path, struct error *err) {
    autofree char *text = file_read(path, NULL, err);
    if (!text)
        return NULL;
    struct regions *regions = calloc(1, sizeof *regions);
    if (!regions)
        abort();
    unsigned number = 0;
    int result = 0;
    for (char *rest = text, *line; result == 0 && (line = strsep(&rest, "\n"));) {
        number++;
        if (*line && read_line(regions, line) < 0)
            result =
                error_set(err,
                          "regions: %s: line %u is \"%.60s\": START END NAME is needed, START and "
                          "END hexadecimal, START below END",
                          path, number, line);
    }
    if (result == 0 && check(regions, path, err) == 0)
        return regions;
    regions_free(regions);
    return NULL;
}

void regions_free(struct regions *regions) {
    if (!regions)
        return;
    for (unsigned i = 0; i < regions->count; i++)
        free(regions->names[i]);
    free(regions->names);
    free(regions->ranges);
    free(regions);
}

const char *const *regions_names(const struct regions *regions) {
    return (const char *const *)regions->names;
}

unsigned regions_count(const struct regions *regions) {
    return regions->count;
}

uint32_t regions_find(const struct regions *regions, uint64_t address) {
    size_t low = 0, high = regions ? regions->range_count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (address >= regions->ranges[middle].end)
            low = middle + 1;
        else if (address < regions->ranges[middle].start)
            high = middle;
        else
            return regions->ranges[middle].region;
    }
    return 0;
}
