/* A profile: what the plugin counted by address (profile.tsv), by symbol.
 *
 *     # slsuite profile 1
 *     MODE ADDRESS INSTRUCTIONS CYCLES L1I L1D LLC MISPREDICTS         separated by tabs
 *
 * A line is a run of instructions within one cache line of code: its mode (user, kernel), the
 * hexadecimal virtual address of its first instruction, and sums over all measured invocations. */
#ifndef SLS_PROFILE_PROFILE_H
#define SLS_PROFILE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "profile/code_map.h"

enum profile_event {
    PROFILE_INSTRUCTIONS,
    PROFILE_CYCLES,
    PROFILE_L1I_MISSES,
    PROFILE_L1D_MISSES,
    PROFILE_LLC_MISSES,
    PROFILE_MISPREDICTS,
    PROFILE_EVENTS
};

struct profile_symbol {
    const char *region, *name; /* the code map's; name "[unknown]" where there is no symbol */
    uint64_t start;            /* its address */
    uint64_t counts[PROFILE_EVENTS];
    size_t first_line, line_count; /* in struct profile */
};

struct profile_line {
    uint64_t address;
    uint64_t counts[PROFILE_EVENTS];
};

struct profile {
    struct profile_symbol *symbols; /* most cycles first */
    size_t symbol_count;
    struct profile_line *lines; /* those of a symbol together, by address, each address once */
    size_t line_count;
    uint64_t totals[PROFILE_EVENTS];
};

/* NULL on failure: the error has the number of the bad line. The map must outlive the profile. */
struct profile *profile_read(const char *path, const struct code_map *map, struct error *err);
void profile_free(struct profile *profile);

#endif
