#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/cleanup.h"

char *format_string_v(const char *format, va_list arguments) {
    char *text;
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    return text;
}

char *format_string(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = format_string_v(format, arguments);
    va_end(arguments);
    return text;
}

bool file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

int64_t file_size(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 ? (int64_t)status.st_size : -1;
}

char *file_read(const char *path, size_t *size, struct error *err) {
    autofclose FILE *stream = fopen(path, "re");
    if (!stream) {
        error_errno(err, "cannot read %s", path);
        return NULL;
    }
    size_t used = 0, capacity = 4096;
    char *data = malloc(capacity);
    while (data) {
        used += fread(data + used, 1, capacity - used - 1, stream);
        if (used < capacity - 1)
            break;
        char *larger = realloc(data, capacity *= 2);
        if (!larger)
            free(data);
        data = larger;
    }
    if (!data || ferror(stream)) {
        error_errno(err, "cannot read %s", path);
        free(data);
        return NULL;
    }
    data[used] = '\0';
    if (size)
        *size = used;
    return data;
}

char *file_last_line(const char *path, size_t from) {
    size_t size = 0;
    autofree char *text = file_read(path, &size, NULL);
    if (!text || size <= from)
        return strdup("");
    char *line = text + from, *best = line;
    for (char *part; (part = strsep(&line, "\n"));)
        if (strspn(part, " \t\r") != strlen(part))
            best = part;
    return strdup(best);
}

/* Flush the folder that holds path, so that a rename in it survives a power cut. */
static void sync_parent(const char *path) {
    autofree char *parent = strdup(path);
    char *slash = parent ? strrchr(parent, '/') : NULL;
    if (slash)
        *slash = '\0';
    autoclose int fd =
        open(slash ? (slash == parent ? "/" : parent) : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        fsync(fd);
}

static int write_whole(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        data += written;
        size -= (size_t)written;
    }
    return 0;
}

/* Give the finished temporary file its name, or remove it. */
static int commit(int fd, const char *temporary, const char *path, bool good, struct error *err) {
    if (good && fsync(fd) == 0 && rename(temporary, path) == 0) {
        sync_parent(path);
        return 0;
    }
    error_errno(err, "cannot write %s", path);
    unlink(temporary);
    return -1;
}

int file_write(const char *path, const void *data, size_t size, struct error *err) {
    autofree char *temporary = format_string("%s.tmp.%d", path, (int)getpid());
    autoclose int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_errno(err, "cannot write %s", path);
    return commit(fd, temporary, path, write_whole(fd, data, size) == 0, err);
}

void file_print_begin(struct file_printed *file, const char *folder, const char *name) {
    *file = (struct file_printed){.path = format_string("%s/%s", folder, name)};
    file->out = open_memstream(&file->text, &file->size);
    if (!file->out)
        abort();
}

int file_print_end(struct file_printed *file, struct error *err) {
    int result = fclose(file->out) == 0 ? file_write(file->path, file->text, file->size, err)
                                        : error_errno(err, "writing %s", file->path);
    free(file->path);
    free(file->text);
    return result;
}

int file_copy(const char *from, const char *to, struct error *err) {
    autoclose int source = open(from, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (source < 0 || fstat(source, &status) < 0)
        return error_errno(err, "cannot read %s", from);
    autofree char *temporary = format_string("%s.tmp.%d", to, (int)getpid());
    autoclose int target =
        open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, status.st_mode & 0777);
    if (target < 0)
        return error_errno(err, "cannot write %s", to);
    off_t left = status.st_size;
    while (left > 0) {
        ssize_t sent = sendfile(target, source, NULL, (size_t)left);
        if (sent <= 0)
            break;
        left -= sent;
    }
    return commit(target, temporary, to, left == 0, err);
}

int folder_make(const char *path, struct error *err) {
    autofree char *partial = strdup(path);
    if (!partial)
        return error_errno(err, "cannot create %s", path);
    for (char *slash = partial + 1;; slash++) {
        if (*slash != '/' && *slash != '\0')
            continue;
        char kept = *slash;
        *slash = '\0';
        if (mkdir(partial, 0755) < 0 && errno != EEXIST)
            return error_errno(err, "cannot create the folder %s", partial);
        *slash = kept;
        if (!kept)
            return 0;
    }
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place) {
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

/* A read-only folder (as a root file system has) keeps its owner from emptying it. */
static int open_folder(const char *path, const struct stat *status, int type, struct FTW *place) {
    (void)place;
    if (type == FTW_D && (status->st_mode & 0700) != 0700)
        chmod(path, 0700);
    return 0;
}

int folder_remove(const char *path, struct error *err) {
    struct stat status;
    if (lstat(path, &status) < 0 && errno == ENOENT)
        return 0;
    nftw(path, open_folder, 32, FTW_PHYS);
    if (nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS) != 0)
        return error_errno(err, "cannot remove %s", path);
    return 0;
}

int64_t folder_free_bytes(const char *path) {
    autofree char *place = strdup(path);
    struct statvfs status;
    while (place && statvfs(place, &status) < 0) {
        char *slash = strrchr(place, '/');
        if (!slash)
            return statvfs(".", &status) == 0 ? (int64_t)(status.f_bavail * status.f_frsize) : -1;
        slash[slash == place ? 1 : 0] = '\0';
    }
    return place ? (int64_t)(status.f_bavail * status.f_frsize) : -1;
}

int file_lock(const char *path, struct error *err) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_errno(err, "cannot lock %s", path);
    while (flock(fd, LOCK_EX) < 0) {
        if (errno == EINTR)
            continue;
        error_errno(err, "cannot lock %s", path);
        close(fd);
        return -1;
    }
    return fd;
}
