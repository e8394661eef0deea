#include "plugin/profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/mark.h"

enum count { INSTRUCTIONS, CYCLES, L1I_MISSES, L1D_MISSES, LLC_MISSES, MISPREDICTS, COUNTS };

struct line {
    uint64_t address;
    enum model_mode mode;
    bool used;
    uint64_t counts[COUNTS];
};

struct profile {
    const char *path;
    unsigned core, marks;
    bool measures;
    struct line *lines;      /* an open hash */
    size_t capacity, filled; /* a power of two; at most half of it */
};

struct profile *profile_new(const char *path, unsigned core, unsigned marks) {
    struct profile *profile = calloc(1, sizeof *profile);
    if (!profile)
        return NULL;
    *profile = (struct profile){.path = path, .core = core, .marks = marks, .capacity = 4096};
    profile->lines = calloc(profile->capacity, sizeof *profile->lines);
    if (profile->lines)
        return profile;
    free(profile);
    return NULL;
}

void profile_free(struct profile *profile) {
    if (!profile)
        return;
    free(profile->lines);
    free(profile);
}

bool profile_measures(const struct profile *profile, unsigned core) {
    return profile->measures && profile->core == core;
}

static struct line *find(struct line *lines, size_t capacity, uint64_t address,
                         enum model_mode mode) {
    for (size_t at = address * UINT64_C(0x9e3779b97f4a7c15) >> 32;; at++) {
        struct line *line = &lines[at & (capacity - 1)];
        if (!line->used || (line->address == address && line->mode == mode))
            return line;
    }
}

static void grow(struct profile *profile) {
    size_t capacity = 2 * profile->capacity;
    struct line *lines = calloc(capacity, sizeof *lines);
    if (!lines)
        abort();
    for (size_t i = 0; i < profile->capacity; i++)
        if (profile->lines[i].used)
            *find(lines, capacity, profile->lines[i].address, profile->lines[i].mode) =
                profile->lines[i];
    free(profile->lines);
    profile->lines = lines;
    profile->capacity = capacity;
}

static struct line *line_of(struct profile *profile, const struct segment *segment) {
    struct line *line = find(profile->lines, profile->capacity, segment->address, segment->mode);
    if (line->used)
        return line;
    if (2 * (profile->filled + 1) > profile->capacity) {
        grow(profile);
        line = find(profile->lines, profile->capacity, segment->address, segment->mode);
    }
    profile->filled++;
    *line = (struct line){.address = segment->address, .mode = segment->mode, .used = true};
    return line;
}

/* Cumulative. */
static void read_counts(const struct model *model, unsigned core, uint64_t counts[COUNTS]) {
    uint64_t misses[4];
    model_misses(model, core, misses);
    counts[INSTRUCTIONS] = 0;
    counts[CYCLES] =
        model_cycles(model, core, MODEL_USER) + model_cycles(model, core, MODEL_KERNEL);
    memcpy(&counts[L1I_MISSES], misses, sizeof misses);
}

void profile_run(struct profile *profile, struct model *model, unsigned core,
                 const struct step *step) {
    uint64_t before[COUNTS], after[COUNTS];
    read_counts(model, core, before);
    model_run(model, core, step);
    read_counts(model, core, after);
    if (step->end > step->first)
        after[INSTRUCTIONS] += step->end - step->first;
    struct line *line = line_of(profile, step->segment);
    for (unsigned i = 0; i < COUNTS; i++)
        line->counts[i] += after[i] - before[i];
}

static int by_mode_and_address(const void *a, const void *b) {
    const struct line *x = a, *y = b;
    if (x->mode != y->mode)
        return x->mode < y->mode ? -1 : 1;
    return (x->address > y->address) - (x->address < y->address);
}

static bool is_zero(const struct line *line) {
    for (unsigned i = 0; i < COUNTS; i++)
        if (line->counts[i])
            return false;
    return true;
}

static int write_out(struct profile *profile, struct error *err) {
    autofree struct line *lines = malloc((profile->filled + 1) * sizeof *lines);
    autofree char *text = NULL;
    size_t size = 0, count = 0;
    FILE *out = open_memstream(&text, &size);
    if (!lines || !out)
        abort();
    for (size_t i = 0; i < profile->capacity; i++)
        if (profile->lines[i].used && !is_zero(&profile->lines[i]))
            lines[count++] = profile->lines[i];
    qsort(lines, count, sizeof *lines, by_mode_and_address);
    fputs("# slsuite profile 1\n", out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s\t%" PRIx64, lines[i].mode == MODEL_USER ? "user" : "kernel",
                lines[i].address);
        for (unsigned j = 0; j < COUNTS; j++)
            fprintf(out, "\t%" PRIu64, lines[i].counts[j]);
        fputc('\n', out);
    }
    fclose(out);
    return file_write(profile->path, text, size, err);
}

int profile_mark(struct profile *profile, uint16_t operation, struct error *err) {
    if (operation == M5_WORK_BEGIN || operation == M5_RESET_STATS)
        profile->measures = true;
    if (operation != M5_WORK_END && operation != M5_DUMP_STATS)
        return 0;
    profile->measures = false;
    if (!profile->marks || --profile->marks)
        return 0;
    return write_out(profile, err);
}
