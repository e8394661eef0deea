/* Strides by instruction: a table remembers, for each load or store, the address it last went to
 * and how far that was from the one before. Once the same distance has been seen three times
 * running, each access asks for `degree` lines, the first of them `distance` strides on; strides
 * shorter than a line count as a line.
 *
 * Chen, Baer: Effective Hardware-Based Data Prefetching for High-Performance Processors, IEEE
 * Transactions on Computers 44, 1995 (the reference prediction table). The table is direct-mapped
 * by a hash of the instruction's address; `entries` is rounded down to a power of two. */
#include "model/prefetcher.h"

enum { SURE = 2, SUREST = 3 }; /* how often a stride was confirmed */

struct entry {
    uint64_t pc, address;
    int64_t stride;
    unsigned confirmed;
};

struct stride {
    uint64_t degree, distance, line_size;
    uint64_t mask;
    struct entry entries[];
};

static uint64_t entry_count(const struct prefetcher_parameters *parameters) {
    uint64_t entries = parameters->entries ? parameters->entries : 1;
    return UINT64_C(1) << (63 - __builtin_clzll(entries));
}

static size_t size(const struct prefetcher_parameters *parameters, uint64_t line_size) {
    return sizeof(struct stride) + entry_count(parameters) * sizeof(struct entry);
}

static void init(void *state, const struct prefetcher_parameters *parameters, uint64_t line_size) {
    *(struct stride *)state = (struct stride){parameters->degree, parameters->distance, line_size,
                                              entry_count(parameters) - 1};
}

/* Learn this access. Whether the entry's stride can be relied on. */
static bool learn(struct entry *entry, const struct prefetch_hint *hint) {
    if (entry->pc != hint->pc) {
        *entry = (struct entry){.pc = hint->pc, .address = hint->address};
        return false;
    }
    int64_t stride = (int64_t)(hint->address - entry->address);
    entry->address = hint->address;
    if (stride == entry->stride) {
        entry->confirmed += entry->confirmed < SUREST;
    } else if (entry->confirmed > 0) { /* one surprise does not make it forget */
        entry->confirmed--;
        return false;
    } else {
        entry->stride = stride;
    }
    return entry->confirmed >= SURE;
}

static unsigned access(void *state, const struct prefetch_hint *hint, uint64_t *lines) {
    struct stride *table = state;
    struct entry *entry = &table->entries[(hint->pc ^ hint->pc >> 12) & table->mask];
    if (!learn(entry, hint) || entry->stride == 0)
        return 0;
    int64_t line_size = (int64_t)table->line_size, step = entry->stride;
    if (step > -line_size && step < line_size)
        step = step < 0 ? -line_size : line_size;
    unsigned count = 0;
    for (; count < table->degree && count < PREFETCHES_MOST; count++)
        lines[count] = hint->address + (table->distance + count) * (uint64_t)step;
    return count;
}

const struct prefetcher prefetcher_stride = {
    .name = "stride",
    .data = true,
    .every_access = true,
    .size = size,
    .init = init,
    .access = access,
};
