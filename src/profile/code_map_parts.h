/* What the parts of the code map share with each other, and with nobody else. */
#ifndef SLS_PROFILE_CODE_MAP_PARTS_H
#define SLS_PROFILE_CODE_MAP_PARTS_H

#include "profile/code_map.h"

/* User addresses are below (48 bits), the kernel's are above. */
#define USER_END 0x800000000000ull

/* A range of addresses, half-open, and the region that it belongs to. */
struct range {
    uint64_t start, end;
    char *region;
};

/* A piece of a file, mapped as code. */
struct mapping {
    uint64_t start, end, offset;
    size_t file;
};

/* How good a name is, among several of one address. */
enum rank { RANK_GLOBAL, RANK_WEAK, RANK_LOCAL, RANK_LABEL };

struct symbol {
    uint64_t start, end; /* end 0: where the next begins, or its range ends */
    char *name;
    enum rank rank;
};

struct code_map {
    struct range *ranges; /* sorted; they cover all addresses but the last */
    size_t range_count;
    char **files;
    size_t file_count;
    struct mapping *mappings;
    size_t mapping_count;
    struct symbol *symbols; /* sorted by code_map_sort_symbols() */
    size_t symbol_count;
};

/* Give the addresses from start to end that no region has yet to this one. */
void code_map_claim(struct code_map *map, uint64_t start, uint64_t end, const char *region);

void code_map_add_symbol(struct code_map *map, uint64_t start, uint64_t end, const char *name,
                         enum rank rank);
void code_map_sort_symbols(struct code_map *map);

/* kernel_code.c: the kernel's regions and symbols. */
int code_map_add_kernel(struct code_map *map, const char *kallsyms, struct error *err);

#endif
