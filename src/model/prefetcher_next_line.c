/* The next lines: a miss, or the first use of a prefetched line (Smith's tagged prefetching), asks
 * for `degree` lines, the first of them `distance` lines on.
 *
 * Smith: Cache Memories, ACM Computing Surveys 14, 1982, section 2.1. */
#include "model/prefetcher.h"

struct next_line {
    uint64_t line_size, degree, distance;
};

static size_t size(const struct prefetcher_parameters *parameters, uint64_t line_size) {
    return sizeof(struct next_line);
}

static void init(void *state, const struct prefetcher_parameters *parameters, uint64_t line_size) {
    *(struct next_line *)state =
        (struct next_line){line_size, parameters->degree, parameters->distance};
}

static unsigned access(void *state, const struct prefetch_hint *hint, uint64_t *lines) {
    const struct next_line *next = state;
    if (hint->hit && !hint->first_use)
        return 0;
    unsigned count = 0;
    for (; count < next->degree && count < PREFETCHES_MOST; count++)
        lines[count] = hint->address + (next->distance + count) * next->line_size;
    return count;
}

const struct prefetcher prefetcher_next_line = {
    .name = "next_line",
    .code = true,
    .data = true,
    .size = size,
    .init = init,
    .access = access,
};
