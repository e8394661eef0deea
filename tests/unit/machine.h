/* What the tests of the memory system share: parameters of small machines. */
#ifndef SLS_TEST_MACHINE_H
#define SLS_TEST_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/hierarchy_units.h"

/* systems/simple.yaml */
static inline struct model_parameters simple(void) {
    const struct cache_parameters l1 = {
        .present = 1,
        .size = 16384,
        .associativity = 8,
        .tag_latency = 1,
        .data_latency = 1,
        .response_latency = 2,
        .mshrs = 4,
        .write_buffers = 8,
        .replacement = "lru",
        .prefetcher = {"none"},
    };
    return (struct model_parameters){
        .clock = 2500000000,
        .cores = 2,
        .line_size = 64,
        .l1i = l1,
        .l1d = l1,
        .level[LEVEL_LLC] = {.present = 1,
                             .size = 131072,
                             .associativity = 8,
                             .tag_latency = 12,
                             .data_latency = 12,
                             .response_latency = 12,
                             .mshrs = 20,
                             .write_buffers = 8,
                             .sharing = "shared",
                             .inclusion = "mostly_inclusive",
                             .replacement = "lru",
                             .prefetcher = {"none"}},
        .level_bus[LEVEL_LLC] = {32, 1, 0, 1, 0},
        .memory_bus = {16, 3, 4, 2, 1},
        .memory = {.size = UINT64_C(2) << 30, .model = "fixed", .latency = 50000},
        .mmu = {.model = "ideal"},
    };
}

/* Two lines of capacity in each L1, four in the LLC: one set each. */
static inline struct model_parameters tiny(void) {
    struct model_parameters p = simple();
    p.l1i.size = p.l1d.size = 128;
    p.l1i.associativity = p.l1d.associativity = 2;
    p.level[LEVEL_LLC].size = 256;
    p.level[LEVEL_LLC].associativity = 4;
    return p;
}

/* With a private L2 of 32 kB between L1s and LLC: 14 cycles, as in the reference machine "skylake",
 * and response latency 1. */
static inline struct model_parameters three_levels(void) {
    struct model_parameters p = simple();
    struct cache_parameters *l2 = &p.level[LEVEL_L2];
    *l2 = p.level[LEVEL_LLC];
    strcpy(l2->sharing, "private");
    l2->size = 32768;
    l2->tag_latency = l2->data_latency = 14;
    l2->response_latency = 1;
    p.level_bus[LEVEL_L2] = p.level_bus[LEVEL_LLC];
    return p;
}

static inline struct hierarchy *make(struct model_parameters parameters) {
    struct hierarchy *hierarchy = hierarchy_new(&parameters);
    assert_non_null(hierarchy);
    return hierarchy;
}

/* As a core does it: the fast path first. */
static inline struct answer ask(struct hierarchy *hierarchy, unsigned core, enum access_kind kind,
                                uint64_t address, uint64_t now) {
    if (hierarchy_hit(hierarchy, core, MODEL_USER, kind, address))
        return (struct answer){.ready = now + hierarchy->hit_latency[kind]};
    return hierarchy_access(hierarchy, core, MODEL_USER, kind, address, 0x400000, now);
}

static inline struct cache_figures figures(const struct hierarchy *hierarchy, unsigned core,
                                           enum cache_name name) {
    struct cache_figures figures = {0};
    assert_true(hierarchy_figures(hierarchy, core, name, &figures));
    return figures;
}

static inline uint64_t next_random(uint64_t *state) {
    uint64_t x = *state;
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    return *state = x;
}

#endif
