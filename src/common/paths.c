#include "common/paths.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"

static char *systems, *functions, *guest, *recipes, *plugin, *steady, *cache, *added;

/* It lies beside the plugin. */
static void find_steady(void) {
    steady = format_string("%.*s/slsuite-steady.so", (int)(strrchr(plugin, '/') - plugin), plugin);
}

int paths_init(struct error *err) {
    char folder[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (length < 0)
        return error_errno(err, "cannot find the program's own place");
    folder[length] = '\0';
    *strrchr(folder, '/') = '\0';

    /* A build tree has the plugin below the executable, an installation has it below lib/. */
    plugin = format_string("%s/src/plugin/slsuite-plugin.so", folder);
    if (file_exists(plugin)) {
        find_steady();
        systems = format_string("%s/systems", folder);
        functions = format_string("%s/functions", folder);
        guest = format_string("%s/src/guest", folder);
        recipes = format_string("%s/recipes", folder);
        return 0;
    }
    free(plugin);
    *strrchr(folder, '/') = '\0';
    plugin = format_string("%s/lib/slsuite/slsuite-plugin.so", folder);
    systems = format_string("%s/share/slsuite/systems", folder);
    functions = format_string("%s/lib/slsuite/functions", folder);
    guest = format_string("%s/lib/slsuite/guest", folder);
    recipes = format_string("%s/share/slsuite/recipes", folder);
    if (!file_exists(plugin))
        return error_set(err,
                         "cannot find the files that belong to slsuite: there is no %s: "
                         "build again with `make build`, or `meson install`",
                         plugin);
    find_steady();
    return 0;
}

const char *paths_systems(void) {
    return systems;
}

const char *paths_functions(void) {
    return functions;
}

const char *paths_guest(void) {
    return guest;
}

const char *paths_recipes(void) {
    return recipes;
}

const char *paths_plugin(void) {
    return plugin;
}

const char *paths_steady(void) {
    return steady;
}

const char *paths_cache(void) {
    if (cache)
        return cache;
    const char *own = getenv("SLSUITE_CACHE"), *user = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    if (own && *own)
        cache = format_string("%s%s%s", own[0] == '/' ? "" : getcwd((char[PATH_MAX]){0}, PATH_MAX),
                              own[0] == '/' ? "" : "/", own);
    else if (user && *user)
        cache = format_string("%s/slsuite", user);
    else
        cache = format_string("%s/.cache/slsuite", home && *home ? home : "/tmp");
    return cache;
}

static char *user_data(const char *name) {
    const char *user = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    return user && *user
               ? format_string("%s/slsuite/%s", user, name)
               : format_string("%s/.local/share/slsuite/%s", home && *home ? home : "/tmp", name);
}

const char *paths_added(void) {
    if (!added)
        added = user_data("functions");
    return added;
}

const char *paths_disks(void) {
    static char *disks;
    if (!disks)
        disks = user_data("disks");
    return disks;
}
