#include "engine/program.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/elf_program.h"
#include "common/file.h"
#include "guest/launch.h"

#define MOST_BYTES (PARCEL_BYTES - PARCEL_MOST_ARGUMENTS - 8192) /* its head, and alignment */

static int check_file(const char *path, uint64_t *bytes, struct error *err) {
    struct stat about;
    if (stat(path, &about) < 0)
        return error_errno(err, "cannot run %s", path);
    if (!S_ISREG(about.st_mode))
        return error_set(err, "cannot run %s: it is no file", path);
    if (access(path, X_OK) < 0)
        return error_set(err, "cannot run %s: it is not executable: chmod +x it", path);
    *bytes = (uint64_t)about.st_size;
    if (*bytes > MOST_BYTES)
        return error_set(err, "cannot run %s: it has %.0f MB, and at most %.0f MB fit", path,
                         (double)*bytes / 1e6, (double)MOST_BYTES / 1e6);
    return access(path, R_OK) == 0 ? 0 : error_errno(err, "cannot run %s", path);
}

int program_find(const char *path, struct program *program, struct error *err) {
    *program = (struct program){0};
    if (check_file(path, &program->bytes, err) < 0)
        return -1;
    size_t size;
    autofree char *file = file_read(path, &size, err);
    program->path = realpath(path, NULL);
    if (!file || !program->path)
        return file ? error_errno(err, "cannot run %s", path) : -1;
    program->name = strrchr(program->path, '/') + 1;
    if (elf_program_check(path, file, size, &program->interpreter, err) < 0)
        return -1;
    return hash_file(program->path, program->digest, err);
}

void program_free(struct program *program) {
    free(program->path);
    free(program->interpreter);
    *program = (struct program){0};
}
