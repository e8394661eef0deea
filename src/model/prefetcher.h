/* Prefetchers. A new one is one file like prefetcher_next_line.c and one line in the table of
 * prefetcher.c.
 *
 * A prefetcher belongs to one cache. It is told of the accesses that come to it and answers with
 * the addresses of lines it would like to have there; the hierarchy drops those that are there
 * already, that lie in another 4 kB page, or for which there is no MSHR to spare, and brings in the
 * others, each arriving at its real time. */
#ifndef SLS_MODEL_PREFETCHER_H
#define SLS_MODEL_PREFETCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/parameters.h"

enum { PREFETCHES_MOST = 64 }; /* lines asked for at a time */

/* What a prefetcher is told. */
struct prefetch_hint {
    uint64_t address; /* physical */
    uint64_t pc;      /* virtual address of the instruction; of a fetch, its own */
    bool hit;
    bool first_use; /* a hit on a prefetched line that nobody had used */
};

struct prefetcher {
    const char *name;
    /* For an L1I; for all other caches. */
    bool code, data;
    /* Wants to hear of every access. Else it may not hear of hits to the line that was used last in
     * its set: those are answered faster if there is nobody to tell. */
    bool every_access;
    /* Asks for physical addresses that it has seen, not computed: they may lie in other pages. */
    bool crosses_pages;
    /* Bytes of its state for these parameters; zeroed, then init() is called. */
    size_t (*size)(const struct prefetcher_parameters *parameters, uint64_t line_size);
    void (*init)(void *state, const struct prefetcher_parameters *parameters, uint64_t line_size);
    /* An access. Writes addresses in the lines it asks for, the most urgent first, at most
     * PREFETCHES_MOST; returns how many. */
    unsigned (*access)(void *state, const struct prefetch_hint *hint, uint64_t *lines);
};

/* The names that an L1I may have, and all other caches; "none" first, NULL-terminated. */
extern const char *const prefetcher_code_names[], *const prefetcher_data_names[];
/* NULL: none of this name, or "none". */
const struct prefetcher *prefetcher_find(const char *name);

#endif
