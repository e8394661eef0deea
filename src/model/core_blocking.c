/* Where the latencies come from: a request's way through gem5 24.0's classic memory system, all
 * clocks in step.
 *
 *   L1      a hit takes its tag latency (store) or the longer of tag and data (load, fetch); a miss
 * goes on after the tag latency (src/mem/cache/base.cc: access, recvTimingReq, forwardLatency) bus
 * a request pays frontend + forward + snoop filter, an answer the response latency
 *           (src/mem/coherent_xbar.cc; the filter's own cycle on the memory bus is easily
 * overlooked) LLC     likewise: longer of tag and data if it hits, tag if the request goes on
 *   memory  its latency, after which the answer starts at the next clock edge
 * (src/mem/simple_mem.cc) back    each cache passes the answer on after its response latency,
 * critical word first, so the bus's width does not show (src/mem/cache/cache.cc:
 * serviceMSHRTargets) */
#include "model/core_blocking.h"

static uint64_t max(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static uint64_t request_latency(const struct crossbar_parameters *bus) {
    return bus->frontend_latency + bus->forward_latency + bus->snoop_filter_latency;
}

/* Picoseconds to cycles, up to the next clock edge. */
static uint64_t to_cycles(uint64_t picoseconds, uint64_t hertz) {
    return (uint64_t)(((unsigned __int128)picoseconds * hertz + 999999999999) / 1000000000000);
}

void core_timing_init(struct core_timing *timing, const struct model_parameters *p) {
    uint64_t memory = to_cycles(p->memory_latency, p->clock) + p->memory_bus.response_latency;
    uint64_t llc_hit = max(p->llc.tag_latency, p->llc.data_latency);
    uint64_t past_llc =
        p->llc.tag_latency + request_latency(&p->memory_bus) + p->llc.response_latency;
    for (unsigned access = 0; access < ACCESSES; access++) {
        const struct cache_parameters *l1 = access == FETCH ? &p->l1i : &p->l1d;
        uint64_t *latency = timing->latency[access];
        uint64_t to_llc_and_back = l1->tag_latency + request_latency(&p->llc_bus) +
                                   p->llc_bus.response_latency + l1->response_latency;
        latency[FROM_L1] =
            access == STORE ? l1->tag_latency : max(l1->tag_latency, l1->data_latency);
        latency[FROM_LLC] = to_llc_and_back + llc_hit;
        latency[FROM_MEMORY] = to_llc_and_back + past_llc + memory;
        latency[UPGRADE_BY_LLC] = to_llc_and_back + p->llc.tag_latency;
        latency[UPGRADE_BY_BUS] = to_llc_and_back + past_llc;
    }
}

uint64_t core_cycles(const struct core_timing *timing, const struct core_counts *counts) {
    /* what lies past the caches is as far away as memory */
    uint64_t cycles = counts->uncached * timing->latency[LOAD][FROM_MEMORY] - counts->overlapped;
    for (unsigned access = 0; access < ACCESSES; access++) {
        uint64_t hits = counts->accesses[access];
        for (unsigned supplier = FROM_LLC; supplier < SUPPLIERS; supplier++) {
            hits -= counts->supplied[access][supplier];
            cycles += counts->supplied[access][supplier] * timing->latency[access][supplier];
        }
        cycles += hits * timing->latency[access][FROM_L1];
    }
    return cycles;
}
