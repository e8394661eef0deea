/* Instructions along the way execution went last time, as a fetch engine that runs ahead of
 * execution would ask for them (fetch-directed instruction prefetching). A table remembers which
 * line of code followed each; a queue holds the `degree` lines that should come next. As long as
 * fetches follow the queue, each new line adds one at its end; a fetch of another line empties it
 * and starts anew from there. Where the table knows nothing, the next line of the page follows.
 *
 * Reinman, Calder, Austin: Fetch Directed Instruction Prefetching, MICRO 1999. There the branch
 * predictor gives the way; here, the last execution does, so the model needs no look into the core.
 * The table is direct-mapped by line; `entries` is rounded down to a power of two. `distance` is
 * not used. */
#include "model/prefetcher.h"

enum { PAGE_SIZE = 4096 };

struct successor {
    uint64_t line, next; /* addresses; 0: none */
};

struct fdip {
    uint64_t line_size, last, mask;
    uint64_t queue[PREFETCHES_MOST]; /* a ring */
    unsigned line_shift, degree, head, queued;
    struct successor successors[];
};

static uint64_t entry_count(const struct prefetcher_parameters *parameters) {
    uint64_t entries = parameters->entries ? parameters->entries : 1;
    return UINT64_C(1) << (63 - __builtin_clzll(entries));
}

static size_t size(const struct prefetcher_parameters *parameters, uint64_t line_size) {
    return sizeof(struct fdip) + entry_count(parameters) * sizeof(struct successor);
}

static void init(void *state, const struct prefetcher_parameters *parameters, uint64_t line_size) {
    struct fdip *fdip = state;
    fdip->line_size = line_size;
    fdip->line_shift = (unsigned)__builtin_ctzll(line_size);
    fdip->mask = entry_count(parameters) - 1;
    fdip->degree =
        parameters->degree < PREFETCHES_MOST ? (unsigned)parameters->degree : PREFETCHES_MOST;
}

static struct successor *successor_of(struct fdip *fdip, uint64_t line) {
    uint64_t number = line >> fdip->line_shift;
    return &fdip->successors[(number ^ number >> 14) & fdip->mask];
}

/* 0: not known, and the page ends here. */
static uint64_t next_of(struct fdip *fdip, uint64_t line) {
    const struct successor *successor = successor_of(fdip, line);
    if (successor->line == line)
        return successor->next;
    uint64_t next = line + fdip->line_size;
    return next % PAGE_SIZE ? next : 0;
}

/* Fill the queue up; what is new in it is asked for. */
static unsigned run_ahead(struct fdip *fdip, uint64_t line, uint64_t *lines) {
    unsigned count = 0;
    if (fdip->queued)
        line = fdip->queue[(fdip->head + fdip->queued - 1) % PREFETCHES_MOST];
    for (; fdip->queued < fdip->degree; fdip->queued++) {
        line = next_of(fdip, line);
        if (!line)
            break;
        fdip->queue[(fdip->head + fdip->queued) % PREFETCHES_MOST] = line;
        lines[count++] = line;
    }
    return count;
}

static unsigned access(void *state, const struct prefetch_hint *hint, uint64_t *lines) {
    struct fdip *fdip = state;
    uint64_t line = hint->address & -fdip->line_size;
    if (line == fdip->last)
        return 0;
    *successor_of(fdip, fdip->last) = (struct successor){fdip->last, line};
    fdip->last = line;
    if (fdip->queued && fdip->queue[fdip->head] == line) {
        fdip->head = (fdip->head + 1) % PREFETCHES_MOST;
        fdip->queued--;
    } else {
        fdip->queued = 0;
    }
    return run_ahead(fdip, line, lines);
}

const struct prefetcher prefetcher_fdip = {
    .name = "fdip",
    .code = true,
    .every_access = true,
    .crosses_pages = true,
    .size = size,
    .init = init,
    .access = access,
};
