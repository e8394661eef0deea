#include "profile/code_map.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "profile/code_map_parts.h"

/* Room for one more; sizes double. */
static void *grow(void *array, size_t count, size_t size) {
    if (count & (count - 1))
        return array;
    array = realloc(array, (count ? 2 * count : 1) * size);
    if (!array)
        abort();
    return array;
}

static char *copy(const char *text) {
    char *new = strdup(text);
    if (!new)
        abort();
    return new;
}

/* ---- regions ---- */

static void insert_range(struct code_map *map, size_t at, uint64_t start, uint64_t end,
                         const char *region) {
    map->ranges = grow(map->ranges, map->range_count, sizeof *map->ranges);
    memmove(map->ranges + at + 1, map->ranges + at, (map->range_count - at) * sizeof *map->ranges);
    map->ranges[at] = (struct range){start, end, copy(region)};
    map->range_count++;
}

void code_map_claim(struct code_map *map, uint64_t start, uint64_t end, const char *region) {
    size_t at = 0;
    while (start < end) {
        while (at < map->range_count && map->ranges[at].end <= start)
            at++;
        uint64_t free_end = at < map->range_count ? map->ranges[at].start : UINT64_MAX;
        uint64_t until = free_end < end ? free_end : end;
        if (until > start)
            insert_range(map, at, start, until, region);
        if (at >= map->range_count)
            return;
        start = map->ranges[at].end > until ? map->ranges[at].end : until;
    }
}

char *code_map_regions(const struct code_map *map) {
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    for (size_t i = 0; i < map->range_count; i++) {
        uint64_t start = map->ranges[i].start;
        while (i + 1 < map->range_count &&
               strcmp(map->ranges[i].region, map->ranges[i + 1].region) == 0)
            i++;
        fprintf(out, "%" PRIx64 " %" PRIx64 " %s\n", start, map->ranges[i].end,
                map->ranges[i].region);
    }
    if (fclose(out) != 0)
        abort();
    return text;
}

/* A file's last name, with nothing in it that a
 * statistic's name cannot have. The caller frees it. */
static char *region_of(const char *path) {
    const char *slash = strrchr(path, '/');
    char *name = copy(slash ? slash + 1 : path);
    for (char *c = name; *c; c++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-@", *c))
            *c = '_';
    return name;
}

/* ---- /proc/PID/maps ---- */

static size_t find_file(struct code_map *map, const char *path) {
    for (size_t i = 0; i < map->file_count; i++)
        if (strcmp(map->files[i], path) == 0)
            return i;
    map->files = grow(map->files, map->file_count, sizeof *map->files);
    map->files[map->file_count] = copy(path);
    return map->file_count++;
}

/* START-END PERMISSIONS OFFSET DEVICE INODE PATH */
static int read_mapping(struct code_map *map, char *line) {
    static const char deleted[] = " (deleted)";
    uint64_t start, end, offset;
    char permissions[5];
    int path_at = 0;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s %n", &start, &end,
               permissions, &offset, &path_at) < 4 ||
        !path_at || start >= end || strlen(permissions) != 4)
        return -1;
    if (permissions[2] != 'x')
        return 0;
    char *path = line + path_at, *suffix = strstr(path, deleted);
    if (suffix && !suffix[sizeof deleted - 1])
        *suffix = '\0';
    if (path[0] == '/') {
        autofree char *region = region_of(path);
        code_map_claim(map, start, end, region);
        map->mappings = grow(map->mappings, map->mapping_count, sizeof *map->mappings);
        map->mappings[map->mapping_count++] =
            (struct mapping){start, end, offset, find_file(map, path)};
    } else if (path[0] == '[' && path[1] && strchr(path, ']')) { /* [vdso] */
        *strchr(path, ']') = '\0';
        autofree char *region = region_of(path + 1);
        code_map_claim(map, start, end, region);
    } else {
        code_map_claim(map, start, end, "anonymous");
    }
    return 0;
}

static int read_maps(struct code_map *map, const char *maps, struct error *err) {
    autofree char *text = copy(maps);
    unsigned number = 0;
    for (char *place = text, *line; (line = strsep(&place, "\n"));) {
        number++;
        if (*line && read_mapping(map, line) < 0)
            return error_set(err,
                             "the function's memory map: line %u is not one of /proc/PID/maps: "
                             "remove the checkpoint (slsuite checkpoint prune --all)",
                             number);
    }
    return 0;
}

/* ---- symbols ---- */

void code_map_add_symbol(struct code_map *map, uint64_t start, uint64_t end, const char *name,
                         enum rank rank) {
    map->symbols = grow(map->symbols, map->symbol_count, sizeof *map->symbols);
    map->symbols[map->symbol_count++] = (struct symbol){start, end, copy(name), rank};
}

/* By address; of one address the better name first,
 * then the one that tells its end, then the shorter. */
static int by_address(const void *a, const void *b) {
    const struct symbol *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (!x->end != !y->end)
        return x->end ? -1 : 1;
    size_t length = strlen(x->name), other = strlen(y->name);
    return length != other ? (length < other ? -1 : 1) : strcmp(x->name, y->name);
}

void code_map_sort_symbols(struct code_map *map) {
    size_t kept = 0;
    uint64_t covered = 0; /* up to where a symbol that tells its end reaches */
    if (map->symbol_count)
        qsort(map->symbols, map->symbol_count, sizeof *map->symbols, by_address);
    for (size_t i = 0; i < map->symbol_count; i++) {
        struct symbol *one = &map->symbols[i];
        bool alias = kept && map->symbols[kept - 1].start == one->start;
        bool label = one->rank == RANK_LABEL && one->start < covered; /* within a function */
        if (alias || label) {
            free(one->name);
            continue;
        }
        if (one->end > covered)
            covered = one->end;
        map->symbols[kept++] = *one;
    }
    map->symbol_count = kept;
}

/* ---- the door ---- */

struct code_map *code_map_new(const char *maps, const char *kallsyms, struct error *err) {
    struct code_map *map = calloc(1, sizeof *map);
    if (!map)
        abort();
    if (read_maps(map, maps, err) < 0 || code_map_add_kernel(map, kallsyms, err) < 0) {
        code_map_free(map);
        return NULL;
    }
    code_map_claim(map, 0, USER_END, "other");
    code_map_claim(map, USER_END, UINT64_MAX, "kernel");
    code_map_sort_symbols(map);
    return map;
}

void code_map_free(struct code_map *map) {
    if (!map)
        return;
    for (size_t i = 0; i < map->range_count; i++)
        free(map->ranges[i].region);
    for (size_t i = 0; i < map->file_count; i++)
        free(map->files[i]);
    for (size_t i = 0; i < map->symbol_count; i++)
        free(map->symbols[i].name);
    free(map->ranges);
    free(map->files);
    free(map->mappings);
    free(map->symbols);
    free(map);
}

size_t code_map_file_count(const struct code_map *map) {
    return map->file_count;
}

const char *code_map_file(const struct code_map *map, size_t index) {
    return map->files[index];
}

static const struct range *find_range(const struct code_map *map, uint64_t address) {
    size_t low = 0, high = map->range_count - 1; /* the last one also has the last address */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (map->ranges[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return &map->ranges[low];
}

/* The number of symbols that begin at or below the address. */
static size_t symbols_up_to(const struct code_map *map, uint64_t address) {
    size_t low = 0, high = map->symbol_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (map->symbols[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct code_place code_map_find(const struct code_map *map, uint64_t address) {
    enum { NESTED = 8 }; /* symbols within symbols: code written in assembly, and not deeply */
    const struct range *range = find_range(map, address);
    size_t after = symbols_up_to(map, address);
    for (size_t i = after; i > 0 && i + NESTED > after; i--) {
        const struct symbol *symbol = &map->symbols[i - 1];
        if (symbol->start < range->start)
            break;
        if (symbol->end ? address < symbol->end : i == after)
            return (struct code_place){range->region, symbol->name, symbol->start};
    }
    return (struct code_place){range->region, NULL, range->start};
}
