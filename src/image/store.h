/* The cache: folders that are made once, whole or not at all. CACHE/KIND/NAME is made as
 * CACHE/KIND/.NAME.tmp under a lock and renamed when it is whole; what a killed process left is
 * cleared by the next one. */
#ifndef SLS_IMAGE_STORE_H
#define SLS_IMAGE_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

struct store_entry {
    char *path; /* where it is, or will be */
    char *work; /* the folder to fill; NULL when the entry is there already */
    int lock;
};

/* Find the entry, or begin to make it (entry->work is then an empty folder and the lock is held, so
 * that a second process waits and then finds it). 0 or -1. Always followed by store_close(). */
int store_open(struct store_entry *entry, const char *kind, const char *name, struct error *err);

/* Begin to make FOLDER/NAME, outside the cache, in the same way, whether or not there is one:
 * store_commit() replaces it. */
int store_begin(struct store_entry *entry, const char *folder, const char *name, struct error *err);

/* The folder is whole: flush it and give it its name. */
int store_commit(struct store_entry *entry, struct error *err);

/* Remove what store_begin() has made: at once for those who look for it. */
int store_remove(const char *folder, const char *name, struct error *err);

/* Clear what was not committed, release the lock, free the strings. */
void store_close(struct store_entry *entry);

/* PATH/NAME. The caller frees it. */
char *store_file(const struct store_entry *entry, const char *name);

/* Remove what those that were killed have left of this kind; returns how many. */
size_t store_remove_unfinished(const char *kind);

/* Refuse to begin when the cache's file system has less room than this. `what` needs it. */
int store_need_room(double bytes, const char *what, struct error *err);

#endif
