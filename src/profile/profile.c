#include "profile/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"

#define HEADER "# slsuite profile 1"
#define REMEDY "the run is not whole: run it again"

/* A line of the file, and what it belongs to. */
struct entry {
    struct code_place place;
    struct profile_line line;
};

struct reader {
    const char *path;
    const struct code_map *map;
    struct entry *entries;
    size_t count;
    unsigned line;
    struct error *err;
};

static int bad(const struct reader *reader, const char *why) {
    return error_set(reader->err, "reading %s: line %u: %s: " REMEDY, reader->path, reader->line,
                     why);
}

static bool parse_number(const char *text, int base, uint64_t *number) {
    char *end;
    errno = 0;
    *number = text ? strtoull(text, &end, base) : 0;
    return text && *text && *text != '-' && *text != '+' && *text != ' ' && !*end && !errno;
}

static int read_entry(struct reader *reader, char *line) {
    struct entry *entry = &reader->entries[reader->count];
    const char *mode = strsep(&line, "\t");
    if (strcmp(mode, "user") != 0 && strcmp(mode, "kernel") != 0)
        return bad(reader, "neither user nor kernel");
    if (!parse_number(line ? strsep(&line, "\t") : NULL, 16, &entry->line.address))
        return bad(reader, "no hexadecimal address");
    for (int event = 0; event < PROFILE_EVENTS; event++)
        if (!parse_number(line ? strsep(&line, "\t") : NULL, 10, &entry->line.counts[event]))
            return bad(reader, "six counts are needed, all numbers");
    if (line)
        return bad(reader, "more than six counts");
    entry->place = code_map_find(reader->map, entry->line.address);
    reader->count++;
    return 0;
}

static int read_lines(struct reader *reader, char *text, size_t size) {
    if (strlen(text) != size)
        return error_set(reader->err, "reading %s: it has a NUL byte: " REMEDY, reader->path);
    size_t lines = 0;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    reader->entries = calloc(lines + 1, sizeof *reader->entries);
    if (!reader->entries)
        abort();
    for (char *line = text; *line;) {
        char *end = strchr(line, '\n');
        reader->line++;
        if (!end)
            return bad(reader, "the last line is not whole");
        *end = '\0';
        if (reader->line == 1 && strcmp(line, HEADER) != 0)
            return bad(reader, "not \"" HEADER "\"");
        if (reader->line > 1 && read_entry(reader, line) < 0)
            return -1;
        line = end + 1;
    }
    if (reader->line == 0)
        return error_set(reader->err, "reading %s: it is empty: " REMEDY, reader->path);
    return 0;
}

/* ---- by symbol ---- */

static int compare_symbols(const struct code_place *x, const struct code_place *y) {
    int order = strcmp(x->region, y->region);
    if (order == 0)
        order = !x->symbol - !y->symbol;
    if (order == 0 && x->symbol && x->start != y->start) /* all that is unknown is one symbol */
        order = x->start < y->start ? -1 : 1;
    return order;
}

static int by_symbol(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    int order = compare_symbols(&x->place, &y->place);
    return order ? order
                 : (x->line.address > y->line.address) - (x->line.address < y->line.address);
}

static void add(uint64_t *sums, const uint64_t *counts) {
    for (int event = 0; event < PROFILE_EVENTS; event++)
        sums[event] += counts[event];
}

static void sum_up(struct profile *profile, const struct entry *entries, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct entry *one = &entries[i], *before = i ? one - 1 : NULL;
        bool same = before && compare_symbols(&one->place, &before->place) == 0;
        if (!same)
            profile->symbols[profile->symbol_count++] = (struct profile_symbol){
                .region = one->place.region,
                .name = one->place.symbol ? one->place.symbol : "[unknown]",
                .start = one->place.start,
                .first_line = profile->line_count,
            };
        struct profile_symbol *symbol = &profile->symbols[profile->symbol_count - 1];
        if (same && before->line.address == one->line.address) {
            add(profile->lines[profile->line_count - 1].counts, one->line.counts);
        } else {
            profile->lines[profile->line_count++] = one->line;
            symbol->line_count++;
        }
        add(symbol->counts, one->line.counts);
        add(profile->totals, one->line.counts);
    }
}

static int by_cycles(const void *a, const void *b) {
    const struct profile_symbol *x = a, *y = b;
    uint64_t cycles = x->counts[PROFILE_CYCLES], other = y->counts[PROFILE_CYCLES];
    if (cycles != other)
        return cycles > other ? -1 : 1;
    return (x->start > y->start) - (x->start < y->start);
}

struct profile *profile_read(const char *path, const struct code_map *map, struct error *err) {
    size_t size;
    autofree char *text = file_read(path, &size, err);
    struct reader reader = {path, map, NULL, 0, 0, err};
    struct profile *profile = NULL;
    if (text && read_lines(&reader, text, size) == 0) {
        profile = calloc(1, sizeof *profile);
        if (!profile)
            abort();
        profile->symbols = calloc(reader.count + 1, sizeof *profile->symbols);
        profile->lines = calloc(reader.count + 1, sizeof *profile->lines);
        if (!profile->symbols || !profile->lines)
            abort();
        if (reader.count) /* else entries is NULL, which qsort must not get */
            qsort(reader.entries, reader.count, sizeof *reader.entries, by_symbol);
        sum_up(profile, reader.entries, reader.count);
        qsort(profile->symbols, profile->symbol_count, sizeof *profile->symbols, by_cycles);
    }
    free(reader.entries);
    return profile;
}

void profile_free(struct profile *profile) {
    if (!profile)
        return;
    free(profile->symbols);
    free(profile->lines);
    free(profile);
}
