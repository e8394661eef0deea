#include "common/elf_program.h"

#include <elf.h>
#include <stdint.h>
#include <string.h>

/* The part of the file that this program header names; NULL if it goes beyond the end. */
static const char *part(const char *file, size_t size, const Elf64_Phdr *header) {
    return header->p_offset <= size && header->p_filesz <= size - header->p_offset
               ? file + header->p_offset
               : NULL;
}

/* What cannot be seen here (no segments, a wrong entry), the guest's kernel tells. */
int elf_program_check(const char *name, const char *bytes, size_t size, char **interpreter,
                      struct error *err) {
    Elf64_Ehdr elf;
    *interpreter = NULL;
    if (size < sizeof elf || memcmp(bytes, ELFMAG, SELFMAG) != 0)
        return error_set(err, "cannot run %s: it is no ELF program%s", name,
                         size > 2 && bytes[0] == '#' && bytes[1] == '!'
                             ? ", but a script: give the program that it starts"
                             : "");
    memcpy(&elf, bytes, sizeof elf);
    if (elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_machine != EM_X86_64)
        return error_set(err,
                         "cannot run %s: it is a %s-bit program for ELF machine %d: the guest is "
                         "x86-64 (machine %d): build it for that",
                         name, elf.e_ident[EI_CLASS] == ELFCLASS64 ? "64" : "32", elf.e_machine,
                         EM_X86_64);
    if (elf.e_type != ET_EXEC && elf.e_type != ET_DYN)
        return error_set(err, "cannot run %s: it is an ELF file, but no program: link it", name);
    for (unsigned i = 0; i < elf.e_phnum; i++) {
        Elf64_Phdr header;
        uint64_t at = elf.e_phoff + (uint64_t)i * elf.e_phentsize;
        if (at > size - sizeof header)
            return error_set(err, "cannot run %s: the file is cut off", name);
        memcpy(&header, bytes + at, sizeof header);
        const char *said = header.p_type == PT_INTERP ? part(bytes, size, &header) : NULL;
        if (said && !*interpreter)
            *interpreter = strndup(said, header.p_filesz);
    }
    return 0;
}
