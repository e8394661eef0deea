#include "results/run_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"

struct run_folder {
    char *path;   /* where the files are now */
    char *final;  /* where a whole run belongs */
    char *parent; /* of both, with a slash */
    bool made, finished, named_by_us;
    int lock; /* on the folder: lasts as long as this process */
};

static char *copy_text(const char *text) {
    return format_string("%s", text);
}

/* Nothing is there any more; an empty folder is removed, as ours will take its place. */
static bool is_free(const char *path) {
    return rmdir(path) == 0 || errno == ENOENT;
}

/* Make and lock the partial folder. What a killed run left there is removed: its lock died with it.
 * 0, or -1 with errno: EBUSY when a run under way has it. */
static int make_partial(struct run_folder *folder) {
    for (;;) {
        bool made = mkdir(folder->path, 0777) == 0;
        if (!made && errno != EEXIST)
            return -1;
        folder->lock = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder->lock < 0)
            return -1;
        if (flock(folder->lock, LOCK_EX | LOCK_NB) != 0) {
            errno = EBUSY;
            return -1;
        }
        if (made)
            return 0;
        if (folder_remove(folder->path, NULL) != 0)
            return -1;
        close(folder->lock);
    }
}

/* A folder that is to become `final`; takes that string over. */
static struct run_folder *folder_new(char *final) {
    struct run_folder *folder = calloc(1, sizeof *folder);
    if (!folder)
        abort();
    size_t length = strlen(final);
    while (length > 1 && final[length - 1] == '/')
        final[--length] = '\0';
    const char *slash = strrchr(final, '/');
    int parent = slash ? slash - final + 1 : 0;
    folder->final = final;
    folder->parent = parent ? format_string("%.*s", parent, final) : copy_text("./");
    folder->path = format_string("%.*s.%s.partial", parent, final, final + parent);
    folder->lock = -1;
    return folder;
}

void results_folder_free(struct run_folder *folder) {
    if (!folder)
        return;
    if (folder->made && !folder->finished)
        folder_remove(folder->path, NULL);
    if (folder->lock >= 0)
        close(folder->lock);
    free(folder->path);
    free(folder->final);
    free(folder->parent);
    free(folder);
}

/* NULL with errno: EEXIST when the final name is taken,
 * EBUSY when it is about to be. Takes `final` over. */
static struct run_folder *try_create(char *final, struct error *err) {
    struct run_folder *folder = folder_new(final);
    int number = EIO;
    if (folder_make(folder->parent, err) == 0) {
        folder->made = make_partial(folder) == 0;
        number = errno;
        if (folder->made && is_free(folder->final))
            return folder;
        if (folder->made) {
            number = EEXIST;
            error_set(err,
                      "making the results folder %s: it exists and is not empty: "
                      "remove it or name another",
                      folder->final);
        } else
            error_errno(err, "making the results folder %s", folder->path);
    }
    results_folder_free(folder);
    errno = number;
    return NULL;
}

char *results_default_path(const char *name, const char *system) {
    char date[32];
    time_t now = time(NULL);
    struct tm local;
    strftime(date, sizeof date, "%Y%m%d-%H%M%S", localtime_r(&now, &local));
    return format_string("results/%s-%s-%s", date, name, system);
}

struct run_folder *results_create(const char *path, const char *function, const char *system,
                                  struct error *err) {
    if (path) {
        struct run_folder *folder = try_create(copy_text(path), err);
        if (!folder && errno == EBUSY)
            error_hint(err, "another run is writing it: name another");
        return folder;
    }
    autofree char *name = results_default_path(function, system);
    struct error taken = {0}; /* a name that is taken is no error of the caller's */
    struct run_folder *folder = try_create(copy_text(name), &taken);
    for (int i = 2; !folder && (errno == EEXIST || errno == EBUSY); i++)
        folder = try_create(format_string("%s-%d", name, i), &taken);
    if (folder)
        folder->named_by_us = true;
    else if (err)
        *err = taken;
    return folder;
}

const char *results_folder_path(const struct run_folder *folder) {
    return folder->path;
}

/* results/latest → the folder, replaced in one step. */
static int point_latest(const struct run_folder *folder, struct error *err) {
    autofree char *link = format_string("%slatest", folder->parent);
    autofree char *beside = format_string("%s.latest.%d", folder->parent, (int)getpid());
    unlink(beside);
    if (symlink(folder->final + strlen(folder->parent), beside) == 0 && rename(beside, link) == 0)
        return 0;
    error_errno(err, "pointing %s to %s", link, folder->final);
    unlink(beside);
    return -1;
}

int results_finish(struct run_folder *folder, bool whole, struct error *err) {
    char *final = whole ? copy_text(folder->final) : format_string("%s.failed", folder->final);
    if ((!whole && folder_remove(final, err) != 0) || rename(folder->path, final) != 0) {
        error_errno(err, "renaming %s to %s", folder->path, final);
        free(final);
        return -1;
    }
    folder->finished = true;
    free(folder->path);
    folder->path = final;
    return whole && folder->named_by_us ? point_latest(folder, err) : 0;
}
