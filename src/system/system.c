#include "system/system.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"

static const char suffix[] = ".yaml";

static bool is_system_file(const char *name) {
    size_t length = strlen(name), end = sizeof suffix - 1;
    return length > end && strcmp(name + length - end, suffix) == 0;
}

static int choose(const struct dirent *entry) {
    return is_system_file(entry->d_name);
}

static int unknown_system(const char *name, struct error *err) {
    char known[512] = "";
    struct dirent **entries = NULL;
    int count = scandir(paths_systems(), &entries, choose, alphasort);
    for (int i = 0; i < count; i++) {
        const char *file = entries[i]->d_name;
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%.*s", used ? ", " : "",
                 (int)(strlen(file) - (sizeof suffix - 1)), file);
        free(entries[i]);
    }
    free(entries);
    return error_usage(
        err, "system `%s`: there is none of this name: use one of: %s; or the path of a .yaml file",
        name, *known ? known : "(none installed)");
}

char *system_find(const char *name_or_path, struct error *err) {
    if (strchr(name_or_path, '/') || is_system_file(name_or_path))
        return strdup(name_or_path);
    char *path = format_string("%s/%s%s", paths_systems(), name_or_path, suffix);
    if (file_exists(path))
        return path;
    free(path);
    unknown_system(name_or_path, err);
    return NULL;
}

void system_describe(FILE *stream, const struct model_parameters *parameters) {
    for (const struct parameter *p = parameters_table; p->key; p++) {
        const void *place = (const char *)parameters + p->offset;
        char number[64];
        const char *value = place;
        if (p->unit >= UNIT_COUNT) {
            parameter_format(p->unit, *(const uint64_t *)place, number, sizeof number);
            value = number;
        }
        fprintf(stream, "%-38s %-12s %s\n", p->key, value,
                p->unit == UNIT_TEXT ? "" : p->description);
    }
}
