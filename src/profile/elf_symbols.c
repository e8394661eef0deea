/* Symbols of user code, from the ELF file that it was mapped from. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <string.h>

#include "common/cleanup.h"
#include "profile/code_map_parts.h"

/* What is added to an address in the file for the one in memory; false when nothing that is loaded
 * from the file lies at this offset. */
static bool load_bias(Elf *elf, const struct mapping *mapping, uint64_t *bias) {
    size_t count;
    if (elf_getphdrnum(elf, &count) != 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_LOAD ||
            !(header.p_flags & PF_X))
            continue;
        /* Mappings are whole pages: the segment may begin within the first, or in the middle of a
         * mapping that was split. */
        uint64_t length = mapping->end - mapping->start;
        if (header.p_offset >= mapping->offset + length ||
            header.p_offset + header.p_filesz <= mapping->offset)
            continue;
        *bias = mapping->start - mapping->offset + header.p_offset - header.p_vaddr;
        return true;
    }
    return false;
}

static enum rank rank_of(const GElf_Sym *symbol) {
    if (GELF_ST_TYPE(symbol->st_info) == STT_NOTYPE)
        return RANK_LABEL;
    switch (GELF_ST_BIND(symbol->st_info)) {
    case STB_LOCAL:
        return RANK_LOCAL;
    case STB_WEAK:
        return RANK_WEAK;
    default:
        return RANK_GLOBAL;
    }
}

static bool names_code(Elf *elf, const GElf_Sym *symbol, const char *name) {
    int type = GELF_ST_TYPE(symbol->st_info);
    if ((type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE) || !name || !*name ||
        symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= SHN_LORESERVE)
        return false;
    GElf_Shdr header;
    Elf_Scn *section = elf_getscn(elf, symbol->st_shndx);
    return section && gelf_getshdr(section, &header) && (header.sh_flags & SHF_EXECINSTR);
}

static void add_table(struct code_map *map, Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
                      const struct mapping *mapping, uint64_t bias) {
    Elf_Data *data = elf_getdata(section, NULL);
    size_t count = data && header->sh_entsize ? header->sh_size / header->sh_entsize : 0;
    for (size_t i = 0; i < count; i++) {
        GElf_Sym symbol;
        if (!gelf_getsym(data, (int)i, &symbol))
            return;
        const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
        uint64_t start = symbol.st_value + bias;
        if (names_code(elf, &symbol, name) && start >= mapping->start && start < mapping->end)
            code_map_add_symbol(map, start, symbol.st_size ? start + symbol.st_size : 0, name,
                                rank_of(&symbol));
    }
}

/* The best table there is. */
static Elf_Scn *find_table(Elf *elf, GElf_Shdr *header) {
    static const GElf_Word types[] = {SHT_SYMTAB, SHT_DYNSYM};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));)
            if (gelf_getshdr(section, header) && header->sh_type == types[i])
                return section;
    return NULL;
}

int code_map_add_symbols(struct code_map *map, size_t file, const char *copy, struct error *err) {
    autoclose int fd = open(copy, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "cannot read the symbols of %s", map->files[file]);
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
    GElf_Shdr header;
    Elf_Scn *table = elf && elf_kind(elf) == ELF_K_ELF ? find_table(elf, &header) : NULL;
    for (size_t i = 0; table && i < map->mapping_count; i++) {
        uint64_t bias;
        if (map->mappings[i].file == file && load_bias(elf, &map->mappings[i], &bias))
            add_table(map, elf, table, &header, &map->mappings[i], bias);
    }
    elf_end(elf);
    code_map_sort_symbols(map);
    return 0;
}
