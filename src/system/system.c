#include "system/system.h"

#include <dirent.h>
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

int system_names(char ***names, struct error *err) {
    struct dirent **entries = NULL;
    int count = scandir(paths_systems(), &entries, choose, alphasort);
    if (count < 0)
        return error_errno(err, "%s: cannot list the systems", paths_systems());
    *names = calloc((size_t)count + 1, sizeof **names);
    for (int i = 0; i < count; i++) {
        const char *file = entries[i]->d_name;
        if (*names)
            (*names)[i] = format_string("%.*s", (int)(strlen(file) - (sizeof suffix - 1)), file);
        free(entries[i]);
    }
    free(entries);
    return *names ? count : error_set(err, "cannot list the systems: out of memory");
}

void system_names_free(char **names, int count) {
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

static int unknown_system(const char *name, struct error *err) {
    char known[512] = "", **names;
    int count = system_names(&names, err);
    if (count < 0)
        return -1;
    for (int i = 0; i < count; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", names[i]);
    }
    system_names_free(names, count);
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
