/* The disk of changes: what `slsuite shell --commit` keeps from one time to the next. An ext4 file
 * system of paths_disks(), one for each runtime, that the guest lays over its read-only root. The
 * shell works on a copy, which takes the disk's place when the guest has said that it is whole. */
#ifndef SLS_ENGINE_DISK_H
#define SLS_ENGINE_DISK_H

#include "common/error.h"
#include "image/store.h"

struct disk {
    struct store_entry entry;
    char *path; /* the copy */
};

/* A copy of this runtime's disk, or an empty one. It is locked: who opens it too waits. 0 or -1. */
int disk_open(struct disk *disk, const char *runtime, struct error *err);

/* The copy becomes the disk. */
int disk_commit(struct disk *disk, struct error *err);

/* What was not committed is gone. */
void disk_close(struct disk *disk);

/* Forget all that was ever kept. */
int disk_forget(const char *runtime, struct error *err);

#endif
