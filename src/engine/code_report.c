#include "engine/code_report.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/process.h"

const char *const code_report_files[] = {"maps", "kallsyms", "regions", NULL};

static struct code_map *read_map(const char *folder, struct error *err) {
    autofree char *maps_file = format_string("%s/maps", folder);
    autofree char *kallsyms_file = format_string("%s/kallsyms", folder);
    autofree char *maps = file_read(maps_file, NULL, err);
    autofree char *kallsyms = maps ? file_read(kallsyms_file, NULL, err) : NULL;
    return kallsyms ? code_map_new(maps, kallsyms, err) : NULL;
}

/* A guest without a function tells nothing: the files are then empty. */
static int keep(const char *sent, const char *to, struct error *err) {
    if (!file_exists(sent))
        return file_write(to, "", 0, err);
    return rename(sent, to) == 0 ? 0 : error_errno(err, "cannot keep %s", to);
}

static int unpack(const char *packed, const char *to, struct error *err) {
    const char *const arguments[] = {"gzip", "-dc", packed, NULL};
    const struct process_options options = {.output = to};
    if (!file_exists(packed))
        return file_write(to, "", 0, err);
    return process_run(arguments, &options, err);
}

int code_report_take(const char *folder, struct error *err) {
    autofree char *sent_maps = format_string("%s/guest-maps", folder);
    autofree char *sent_kallsyms = format_string("%s/guest-kallsyms.gz", folder);
    autofree char *maps = format_string("%s/maps", folder);
    autofree char *kallsyms = format_string("%s/kallsyms", folder);
    autofree char *regions_file = format_string("%s/regions", folder);
    bool told = file_exists(sent_maps) || file_exists(sent_kallsyms);
    if (keep(sent_maps, maps, err) < 0 || unpack(sent_kallsyms, kallsyms, err) < 0)
        return -1;
    unlink(sent_kallsyms);
    if (!told)
        return file_write(regions_file, "", 0, err);
    struct code_map *map = read_map(folder, err);
    if (!map)
        return -1;
    autofree char *regions = code_map_regions(map);
    code_map_free(map);
    return file_write(regions_file, regions, strlen(regions), err);
}

/* Files that the function has made itself, in memory, are not in its image and have no symbols. */
static int add_symbols(struct code_map *map, const struct function *function, const char *place,
                       struct error *err) {
    autofree char *copy = format_string("%s/code", place);
    int result = 0;
    for (size_t i = 0; result >= 0 && i < code_map_file_count(map); i++) {
        result = function_extract(function, code_map_file(map, i), copy, err);
        if (result == 0)
            result = code_map_add_symbols(map, i, copy, err);
        unlink(copy);
    }
    return result < 0 ? -1 : 0;
}

struct code_map *code_report_map(const char *folder, const struct function *function,
                                 struct error *err) {
    struct code_map *map = read_map(folder, err);
    char place[] = "/tmp/slsuite-code-XXXXXX";
    if (!map)
        return NULL;
    int result = mkdtemp(place) ? add_symbols(map, function, place, err)
                                : error_errno(err, "cannot create %s", place);
    folder_remove(place, NULL);
    if (result == 0)
        return map;
    code_map_free(map);
    return NULL;
}
