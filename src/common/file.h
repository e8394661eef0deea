/* Files and folders: read whole, written whole or not at all. */
#ifndef SLS_COMMON_FILE_H
#define SLS_COMMON_FILE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/error.h"

/* printf into a fresh string. The caller frees it. Never NULL: aborts when memory is out. */
char *format_string(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *format_string_v(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

bool file_exists(const char *path);

/* Size in bytes, or -1 when there is no such file. */
int64_t file_size(const char *path);

/* The whole file, with a NUL behind it. *size (may be NULL) is its length without the NUL.
 * The caller frees it. NULL on failure. */
char *file_read(const char *path, size_t *size, struct error *err);

/* The last line that says something behind the first so many bytes of the file, or "". The caller
 * frees it. */
char *file_last_line(const char *path, size_t from);

/* Replace path by these bytes: written beside, fsync'ed, renamed. Nothing half-written stays. */
int file_write(const char *path, const void *data, size_t size, struct error *err);

/* FOLDER/NAME, printed to `out` and then written like that. */
struct file_printed {
    FILE *out;
    char *path, *text;
    size_t size;
};
void file_print_begin(struct file_printed *file, const char *folder, const char *name);
int file_print_end(struct file_printed *file, struct error *err);

/* Copy one regular file whole (contents and permission bits), in the same all-or-nothing way. */
int file_copy(const char *from, const char *to, struct error *err);

/* mkdir -p. */
int folder_make(const char *path, struct error *err);

/* rm -rf; no error when there is nothing to remove. Does not follow symbolic links. */
int folder_remove(const char *path, struct error *err);

/* Free bytes an ordinary user may still write on the file system that holds path (or its nearest
 * existing parent). -1 on failure. */
int64_t folder_free_bytes(const char *path);

/* Take an exclusive lock on the file at path (created if missing), waiting for it. The lock lasts
 * until the returned descriptor is closed or the process ends, however it ends. -1 on failure. */
int file_lock(const char *path, struct error *err);

#endif
