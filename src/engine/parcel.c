#include "engine/parcel.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "guest/launch.h"

#define ALIGNMENT 4096 /* of program and script: whole pages are read */

/* A sparse file of the device's size. Nobody needs it after a power cut: no fsync. */
static int create(const char *path, struct error *err) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0 && ftruncate(fd, (off_t)PARCEL_BYTES) == 0)
        return fd;
    error_errno(err, "cannot write %s", path);
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool write_all(int fd, const char *data, size_t size) {
    for (ssize_t written; size; data += written, size -= (size_t)written) {
        written = write(fd, data, size);
        if (written <= 0)
            return false;
    }
    return true;
}

static bool write_at_start(int fd, const struct parcel *parcel, char *const *arguments) {
    if (write(fd, parcel, sizeof *parcel) != sizeof *parcel)
        return false;
    for (uint32_t i = 0; i < parcel->argument_count; i++) {
        ssize_t size = (ssize_t)strlen(arguments[i]) + 1;
        if (write(fd, arguments[i], (size_t)size) != size)
            return false;
    }
    return true;
}

static bool write_program(int fd, const struct parcel *parcel, const char *path) {
    autoclose int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0 || lseek(fd, (off_t)parcel->program_offset, SEEK_SET) < 0)
        return false;
    for (uint64_t left = parcel->program_bytes; left;) {
        ssize_t sent = sendfile(fd, from, NULL, left);
        if (sent <= 0)
            return false;
        left -= (uint64_t)sent;
    }
    return true;
}

int parcel_write_script(const char *path, const char *script, size_t size, struct error *err) {
    if (size > PARCEL_BYTES - ALIGNMENT)
        return error_set(err,
                         "the script has %.0f MB, and at most %.0f MB fit: have it fetch the rest",
                         (double)size / 1e6, (double)(PARCEL_BYTES - ALIGNMENT) / 1e6);
    autoclose int fd = create(path, err);
    if (fd < 0)
        return -1;
    bool written = dprintf(fd, "slsuite script %zu", size) > 0 &&
                   lseek(fd, ALIGNMENT, SEEK_SET) == ALIGNMENT && write_all(fd, script, size);
    return written ? 0 : error_errno(err, "cannot write %s", path);
}

int parcel_write_empty(const char *path, struct error *err) {
    const struct parcel parcel = {.magic = PARCEL_MAGIC};
    autoclose int fd = create(path, err);
    if (fd < 0)
        return -1;
    return write_at_start(fd, &parcel, NULL) ? 0 : error_errno(err, "cannot write %s", path);
}

int parcel_write(const char *path, const struct program *program, char *const *arguments,
                 unsigned core, struct error *err) {
    struct parcel parcel = {.magic = PARCEL_MAGIC, .core = core, .program_bytes = program->bytes};
    for (; arguments[parcel.argument_count]; parcel.argument_count++)
        parcel.argument_bytes += strlen(arguments[parcel.argument_count]) + 1;
    parcel.program_offset =
        (sizeof parcel + parcel.argument_bytes + ALIGNMENT - 1) & ~(uint64_t)(ALIGNMENT - 1);
    if (parcel.argument_bytes > PARCEL_MOST_ARGUMENTS)
        return error_set(err, "the arguments of %s are too long: at most %d kB fit", program->path,
                         (int)(PARCEL_MOST_ARGUMENTS >> 10));
    autoclose int fd = create(path, err);
    if (fd < 0)
        return -1;
    if (!write_at_start(fd, &parcel, arguments) || !write_program(fd, &parcel, program->path))
        return error_errno(err, "cannot write %s", path);
    return 0;
}
