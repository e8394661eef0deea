#include "engine/program.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
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

/* The part of the file that this program header names; NULL if it goes beyond the end. */
static const char *part(const char *file, size_t size, const Elf64_Phdr *header) {
    return header->p_offset <= size && header->p_filesz <= size - header->p_offset
               ? file + header->p_offset
               : NULL;
}

/* What cannot be seen here (no segments, a wrong entry), the guest's kernel tells. */
static int check_elf(const char *path, const char *file, size_t size, char **interpreter,
                     struct error *err) {
    Elf64_Ehdr elf;
    if (size < sizeof elf || memcmp(file, ELFMAG, SELFMAG) != 0)
        return error_set(err, "cannot run %s: it is no ELF program%s", path,
                         size > 2 && file[0] == '#' && file[1] == '!'
                             ? ", but a script: give the program that it starts"
                             : "");
    memcpy(&elf, file, sizeof elf);
    if (elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_machine != EM_X86_64)
        return error_set(err,
                         "cannot run %s: it is a %s-bit program for ELF machine %d: the guest is "
                         "x86-64 (machine %d): build it for that",
                         path, elf.e_ident[EI_CLASS] == ELFCLASS64 ? "64" : "32", elf.e_machine,
                         EM_X86_64);
    if (elf.e_type != ET_EXEC && elf.e_type != ET_DYN)
        return error_set(err, "cannot run %s: it is an ELF file, but no program: link it", path);
    for (unsigned i = 0; i < elf.e_phnum; i++) {
        Elf64_Phdr header;
        uint64_t at = elf.e_phoff + (uint64_t)i * elf.e_phentsize;
        if (at > size - sizeof header)
            return error_set(err, "cannot run %s: the file is cut off", path);
        memcpy(&header, file + at, sizeof header);
        const char *name = header.p_type == PT_INTERP ? part(file, size, &header) : NULL;
        if (name && !*interpreter)
            *interpreter = strndup(name, header.p_filesz);
    }
    return 0;
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
    if (check_elf(path, file, size, &program->interpreter, err) < 0)
        return -1;
    return hash_file(program->path, program->digest, err);
}

void program_free(struct program *program) {
    free(program->path);
    free(program->interpreter);
    *program = (struct program){0};
}
