#include "image/store.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"

static int lock(struct store_entry *entry, const char *folder, const char *name,
                struct error *err) {
    autofree char *path = format_string("%s/.%s.lock", folder, name);
    return folder_make(folder, err) < 0 || (entry->lock = file_lock(path, err)) < 0 ? -1 : 0;
}

static int begin(struct store_entry *entry, const char *folder, const char *name,
                 struct error *err) {
    entry->work = format_string("%s/.%s.tmp", folder, name);
    return folder_remove(entry->work, err) < 0 ? -1 : folder_make(entry->work, err);
}

int store_open(struct store_entry *entry, const char *kind, const char *name, struct error *err) {
    *entry = (struct store_entry){.lock = -1};
    autofree char *folder = format_string("%s/%s", paths_cache(), kind);
    entry->path = format_string("%s/%s", folder, name);
    if (file_exists(entry->path))
        return 0;
    if (lock(entry, folder, name, err) < 0)
        return error_hint(err,
                          "the cache folder must be writable: set SLSUITE_CACHE to one that is");
    if (file_exists(entry->path)) /* another process made it while we waited */
        return 0;
    return begin(entry, folder, name, err);
}

int store_begin(struct store_entry *entry, const char *folder, const char *name,
                struct error *err) {
    *entry = (struct store_entry){.lock = -1, .path = format_string("%s/%s", folder, name)};
    if (lock(entry, folder, name, err) < 0)
        return error_hint(err, "%s must be writable: set XDG_DATA_HOME to a folder that is",
                          folder);
    return begin(entry, folder, name, err);
}

/* Two folders change places at once, and the old one goes. */
static int replace(struct store_entry *entry, struct error *err) {
    if (renameat2(AT_FDCWD, entry->work, AT_FDCWD, entry->path, RENAME_EXCHANGE) < 0)
        return error_errno(err, "cannot replace %s", entry->path);
    return folder_remove(entry->work, err);
}

int store_commit(struct store_entry *entry, struct error *err) {
    autoclose int folder = open(entry->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || syncfs(folder) < 0)
        return error_errno(err, "cannot keep %s", entry->path);
    if (file_exists(entry->path)) {
        if (replace(entry, err) < 0)
            return -1;
    } else if (rename(entry->work, entry->path) < 0) {
        return error_errno(err, "cannot keep %s", entry->path);
    }
    free(entry->work);
    entry->work = NULL;
    return 0;
}

int store_remove(const char *folder, const char *name, struct error *err) {
    struct store_entry entry = {.lock = -1, .path = format_string("%s/%s", folder, name)};
    int result = lock(&entry, folder, name, err);
    if (result == 0) {
        entry.work = format_string("%s/.%s.tmp", folder, name);
        result = folder_remove(entry.work, err);
    }
    if (result == 0 && rename(entry.path, entry.work) < 0)
        result = error_errno(err, "cannot remove %s", entry.path);
    store_close(&entry);
    return result;
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

/* Its maker holds the lock as long as it lives. */
static bool abandoned(const char *folder) {
    autofree char *lock = format_string("%.*s.lock", (int)(strrchr(folder, '.') - folder), folder);
    autoclose int fd = open(lock, O_RDWR | O_CLOEXEC);
    return fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0;
}

size_t store_remove_unfinished(const char *kind) {
    static const char *const endings[] = {"tmp", "removed"};
    size_t removed = 0;
    for (size_t ending = 0; ending < sizeof endings / sizeof *endings; ending++) {
        autofree char *pattern = format_string("%s/%s/.*.%s", paths_cache(), kind, endings[ending]);
        glob_t found;
        if (glob(pattern, 0, NULL, &found) != 0)
            continue;
        for (size_t i = 0; i < found.gl_pathc; i++)
            removed += abandoned(found.gl_pathv[i]) && folder_remove(found.gl_pathv[i], NULL) == 0;
        globfree(&found);
    }
    return removed;
}
