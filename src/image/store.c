#include "image/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"

int store_open(struct store_entry *entry, const char *kind, const char *name, struct error *err) {
    *entry = (struct store_entry){.lock = -1};
    autofree char *folder = format_string("%s/%s", paths_cache(), kind);
    entry->path = format_string("%s/%s", folder, name);
    if (file_exists(entry->path))
        return 0;
    autofree char *lock = format_string("%s/.%s.lock", folder, name);
    if (folder_make(folder, err) < 0 || (entry->lock = file_lock(lock, err)) < 0)
        return error_hint(err,
                          "the cache folder must be writable: set SLSUITE_CACHE to one that is");
    if (file_exists(entry->path)) /* another process made it while we waited */
        return 0;
    entry->work = format_string("%s/.%s.tmp", folder, name);
    if (folder_remove(entry->work, err) < 0)
        return -1;
    return folder_make(entry->work, err);
}

int store_commit(struct store_entry *entry, struct error *err) {
    autoclose int folder = open(entry->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || syncfs(folder) < 0 || rename(entry->work, entry->path) < 0)
        return error_errno(err, "cannot keep %s", entry->path);
    free(entry->work);
    entry->work = NULL;
    return 0;
}

void store_close(struct store_entry *entry) {
    if (entry->work)
        folder_remove(entry->work, NULL);
    if (entry->lock >= 0)
        close(entry->lock);
    free(entry->work);
    free(entry->path);
    *entry = (struct store_entry){.lock = -1};
}

char *store_file(const struct store_entry *entry, const char *name) {
    return format_string("%s/%s", entry->work ? entry->work : entry->path, name);
}

int store_need_room(double bytes, const char *what, struct error *err) {
    int64_t room = folder_free_bytes(paths_cache());
    if (room < 0 || (double)room >= bytes)
        return 0;
    return error_set(
        err,
        "not enough room for %s: %s has %.0f MB free and %.0f MB are needed: free some, "
        "run `slsuite checkpoint prune`, or set SLSUITE_CACHE to another place",
        what, paths_cache(), (double)room / 1e6, bytes / 1e6);
}
