#include "engine/disk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/process.h"
#include "common/progress.h"

#define FILE_NAME "changes.ext4"
/* Sparse; a multiple of 128 MiB, as persistent memory wants. */
#define DISK_BYTES ((off_t)16 << 30)
#define UUID "51e5e5e5-0000-4000-8000-000000000006" /* guest/init.c knows it by that */

static int make(const char *path, struct error *err) {
    const char *const arguments[] = {"mke2fs", "-q", "-t", "ext4",      "-m", "0",
                                     "-U",     UUID, "-E", "nodiscard", path, NULL};
    autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, DISK_BYTES) < 0)
        return error_errno(err, "cannot create %s", path);
    return process_run(arguments, NULL, err);
}

static int copy(const char *from, const char *to, struct error *err) {
    const char *const arguments[] = {"cp", "--reflink=auto", "--sparse=always", from, to, NULL};
    struct progress *progress = progress_begin("disk", "copy the disk of changes", 2);
    int result = process_run(arguments, NULL, err);
    progress_end(progress, result == 0);
    return result;
}

int disk_open(struct disk *disk, const char *runtime, struct error *err) {
    const char *folder = paths_disks();
    autofree char *kept = format_string("%s/%s/" FILE_NAME, folder, runtime);
    *disk = (struct disk){.entry.lock = -1};
    if (folder_make(folder, err) < 0 || store_begin(&disk->entry, folder, runtime, err) < 0)
        return -1;
    disk->path = store_file(&disk->entry, FILE_NAME);
    return file_exists(kept) ? copy(kept, disk->path, err) : make(disk->path, err);
}

int disk_commit(struct disk *disk, struct error *err) {
    return store_commit(&disk->entry, err);
}

void disk_close(struct disk *disk) {
    store_close(&disk->entry);
    free(disk->path);
    *disk = (struct disk){.entry.lock = -1};
}

int disk_forget(const char *runtime, struct error *err) {
    autofree char *kept = format_string("%s/%s", paths_disks(), runtime);
    return file_exists(kept) ? store_remove(paths_disks(), runtime, err) : 0;
}
