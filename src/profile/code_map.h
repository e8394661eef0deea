/* What lies where in the guest's virtual addresses: regions (the function's program, each shared
 * library, parts of the kernel), and symbols within them. The guest reports both at the checkpoint;
 * symbols of user code are read from the files themselves (libelf).
 *
 * Not modelled: address spaces. Where processes of one function have different code at the same
 * address, the first process's counts. Code that is generated at run time has a region (anonymous)
 * but no symbols, nor has the vDSO. */
#ifndef SLS_PROFILE_CODE_MAP_H
#define SLS_PROFILE_CODE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct code_map;

/* `maps`: /proc/PID/maps of the function's processes, one after the
 * other. `kallsyms`: the lines of code of /proc/kallsyms. Either may
 * be "". NULL on failure: the error has the number of the bad line. */
struct code_map *code_map_new(const char *maps, const char *kallsyms, struct error *err);
void code_map_free(struct code_map *map);

/* The regions as the plugin reads them (regions=FILE): lines `START END NAME`, hexadecimal,
 * half-open, in order, without gaps or overlaps. The caller frees the text. */
char *code_map_regions(const struct code_map *map);

/* The files that code was mapped from, by their path in the container. */
size_t code_map_file_count(const struct code_map *map);
const char *code_map_file(const struct code_map *map, size_t index);

/* Take the symbols of such a file from a copy of it (.symtab, without one .dynsym). A file without
 * either, or that is no ELF file, has none: no error. -1 when it cannot be read. */
int code_map_add_symbols(struct code_map *map, size_t file, const char *copy, struct error *err);

struct code_place {
    const char *region; /* never NULL */
    const char *symbol; /* NULL: unknown */
    uint64_t start;     /* of the symbol, else of the region's range */
};

/* Strings are the map's. */
struct code_place code_map_find(const struct code_map *map, uint64_t address);

#endif
