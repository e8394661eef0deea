/* gem5 says one thing under several names: core and thread level, demand and all accesses, all
 * requestors and each. People's scripts read any of them. What is here follows from the samples by
 * gem5's own formulas (v24: src/cpu/base.cc, src/mem/cache/base.cc,
 * src/mem/cache/prefetch/base.cc); names that a statistic of ours has already are left to it.
 *
 * In gem5 an access is a demand unless it is a prefetch of the cache's own, which is no access in
 * ours either: an L1's prefetch asks the caches below like any read. So demand and overall are the
 * same. What gem5 has and we do not know: docs/gem5.md. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/types.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "results/stats_lines.h"

#define CYCLES_PER_COUNT "(Cycle/Count)"
#define COUNTS_PER_CYCLE "(Count/Cycle)"

struct block {
    FILE *out;
    const struct invocation *one;
    const struct samples *samples;
};

__attribute__((format(printf, 2, 3))) static ssize_t find(const struct samples *samples,
                                                          const char *format, ...) {
    char name[256]; /* longer ones are nobody's */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    return samples_find(samples, name);
}

/* Of this invocation; 0 where there is no such statistic. */
static uint64_t value_at(const struct block *block, ssize_t index) {
    return index < 0 ? 0 : invocation_value(block->one, (size_t)index);
}

/* Its name is PREFIX NAME, of no statistic. */
static void count(const struct block *block, const char *prefix, const char *name, uint64_t value,
                  const char *description, const char *unit) {
    autofree char *whole = format_string("%s%s", prefix, name);
    stats_count(block->out, whole, value, description, unit);
}

static void ratio(const struct block *block, const char *prefix, const char *name, uint64_t above,
                  uint64_t below, int precision, const char *description, const char *unit) {
    autofree char *whole = format_string("%s%s", prefix, name);
    stats_ratio(block->out, whole, (double)above / (double)below, precision, description, unit);
}

/* ---- cores ---- */

/* Is this the name of a core's statistic? */
static bool is_of_core(const char *name, const char *statistic, unsigned *core) {
    int end = 0;
    return sscanf(name, "system.cpu%u.%n", core, &end) == 1 && end &&
           strcmp(name + end, statistic) == 0;
}

/* Whether the core counts micro-operations: each instruction has one at least. By the last mark, so
 * that all blocks have the same lines. */
static bool counts_ops(const struct samples *samples, unsigned core) {
    ssize_t ops = find(samples, "system.cpu%u.commitStats0.numOps", core);
    ssize_t instructions = find(samples, "system.cpu%u.commitStats0.numInsts", core);
    if (ops < 0 || instructions < 0 || !samples->mark_count)
        return ops >= 0;
    const uint64_t *last = samples->marks[samples->mark_count - 1].values;
    return last[ops] || !last[instructions];
}

bool stats_is_known(const struct samples *samples, const char *name) {
    unsigned core;
    int end = 0;
    if (sscanf(name, "system.cpu%u.%n", &core, &end) == 1 && end) {
        const char *rest = name + end;
        bool pipelines = strcmp(rest, "commitStats0.numOps") == 0 ||
                         strncmp(rest, "branchPred.", strlen("branchPred.")) == 0;
        return !pipelines || find(samples, "system.cpu%u.commitStats0.numOps", core) < 0 ||
               counts_ops(samples, core);
    }
    for (size_t i = 0; strcmp(name, "simOps") == 0 && i < samples->statistic_count; i++)
        if (is_of_core(samples->statistics[i].name, "commitStats0.numOps", &core) &&
            !counts_ops(samples, core))
            return false;
    return true;
}

static void instructions(const struct block *block, const char *cpu, uint64_t cycles,
                         uint64_t instructions) {
    ratio(block, cpu, "cpi", cycles, instructions, 6, "CPI: cycles per instruction (core level)",
          CYCLES_PER_COUNT);
    ratio(block, cpu, "ipc", instructions, cycles, 6, "IPC: instructions per cycle (core level)",
          COUNTS_PER_CYCLE);
    ratio(block, cpu, "commitStats0.cpi", cycles, instructions, 6,
          "CPI: cycles per instruction (thread level)", CYCLES_PER_COUNT);
    ratio(block, cpu, "commitStats0.ipc", instructions, cycles, 6,
          "IPC: instructions per cycle (thread level)", COUNTS_PER_CYCLE);
    count(block, cpu, "exec_context.thread_0.numInsts", instructions,
          "Number of instructions committed (gem5 before 23.1)", "Count");
    count(block, cpu, "exec_context.thread_0.numBusyCycles", cycles, "Number of busy cycles",
          "Cycle");
}

static void pipeline(const struct block *block, const char *cpu) {
    const struct samples *samples = block->samples;
    ssize_t ops = find(samples, "%scommitStats0.numOps", cpu);
    ssize_t committed = find(samples, "%sbranchPred.committed::total", cpu);
    ssize_t mispredicted = find(samples, "%sbranchPred.mispredicted::total", cpu);
    if (ops >= 0)
        count(block, cpu, "exec_context.thread_0.numOps", value_at(block, ops),
              "Number of ops (including micro ops) committed (gem5 before 23.1)", "Count");
    if (committed >= 0) {
        uint64_t branches = value_at(block, committed);
        count(block, cpu, "branchPred.committed_0::total", branches,
              "Number of branches finally committed", "Count");
        count(block, cpu, "commitStats0.committedControl::IsControl", branches,
              "Class of control type instructions committed", "Count");
    }
    if (mispredicted >= 0) {
        uint64_t wrong = value_at(block, mispredicted);
        count(block, cpu, "branchPred.mispredicted_0::total", wrong,
              "Number of committed branches that were mispredicted.", "Count");
        count(block, cpu, "commit.branchMispredicts", wrong,
              "The number of times a branch was mispredicted", "Count");
    }
}

/* gem5's x86 TLBs count fetches as writes, because they are no reads (src/arch/x86/tlb.cc). */
static void itlb(const struct block *block, const char *cpu) {
    ssize_t accesses = find(block->samples, "%sitlb.accesses", cpu);
    ssize_t misses = find(block->samples, "%sitlb.misses", cpu);
    if (accesses < 0 || misses < 0)
        return;
    count(block, cpu, "mmu.itb.rdAccesses", 0, "TLB accesses on read requests", "Count");
    count(block, cpu, "mmu.itb.wrAccesses", value_at(block, accesses),
          "TLB accesses on write requests", "Count");
    count(block, cpu, "mmu.itb.rdMisses", 0, "TLB misses on read requests", "Count");
    count(block, cpu, "mmu.itb.wrMisses", value_at(block, misses), "TLB misses on write requests",
          "Count");
}

/* For each statistic system.cpuN.numCycles. */
static void core_names(const struct block *block, size_t index) {
    unsigned core;
    char cpu[32];
    if (!is_of_core(block->samples->statistics[index].name, "numCycles", &core))
        return;
    snprintf(cpu, sizeof cpu, "system.cpu%u.", core);
    ssize_t committed = find(block->samples, "%scommitStats0.numInsts", cpu);
    if (committed >= 0)
        instructions(block, cpu, invocation_value(block->one, index), value_at(block, committed));
    if (counts_ops(block->samples, core) || find(block->samples, "%scommitStats0.numOps", cpu) < 0)
        pipeline(block, cpu);
    itlb(block, cpu);
}

/* ---- caches ---- */

struct cache {
    const char *name; /* with the point behind it: "system.cpu1.icache." */
    uint64_t accesses, misses;
    ssize_t hits, mshr_misses; /* statistics, or -1 */
    bool with_prefetches; /* mshr_misses are gem5's own, which have those of the cache's, too */
};

/* One of gem5's sets of names: PREFIX Hits :: REQUESTOR and so on; of a command (ReadReq.) its
 * words begin small. What is a statistic itself (`there`) has been said. */
static void set_of_names(const struct block *block, const struct cache *cache, const char *prefix,
                         const char *requestor, bool there) {
    uint64_t fills = value_at(block, cache->mshr_misses);
    bool mshrs = cache->mshr_misses >= 0 && (there || !cache->with_prefetches);
    const struct {
        const char *name;
        bool said;
        uint64_t value;
        bool is_rate; /* of the accesses */
        const char *description;
    } lines[] = {
        {"Hits", there && cache->hits >= 0, cache->accesses - cache->misses, false, "%s hits"},
        {"Misses", there, cache->misses, false, "%s misses"},
        {"Accesses", there, cache->accesses, false, "%s accesses"},
        {"MissRate", false, cache->misses, true, "miss rate for %s accesses"},
        {"MshrHits", !mshrs || cache->with_prefetches, cache->misses - fills, false,
         "%s MSHR hits"},
        {"MshrMisses", !mshrs || there, fills, false, "%s MSHR misses"},
        {"MshrMissRate", !mshrs, fills, true, "mshr miss rate for %s accesses"},
    };
    bool command = prefix[strlen(prefix) - 1] == '.';
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (lines[i].said)
            continue;
        char of_what[60], description[80];
        char first = command ? (char)tolower(*lines[i].name) : *lines[i].name;
        autofree char *name =
            format_string("%s%c%s::%s", prefix, first, lines[i].name + 1, requestor);
        snprintf(of_what, sizeof of_what, lines[i].description, command ? "ReadReq" : prefix);
        snprintf(description, sizeof description, "%s%s", lines[i].is_rate ? "" : "number of ",
                 of_what);
        if (lines[i].is_rate)
            ratio(block, cache->name, name, lines[i].value, cache->accesses, -1, description,
                  "Ratio");
        else
            count(block, cache->name, name, lines[i].value, description, "Count");
    }
}

static void write_backs(const struct block *block, const char *cache) {
    ssize_t all = find(block->samples, "%swritebacks::total", cache);
    if (all >= 0)
        count(block, cache, "writebacks::writebacks", value_at(block, all), "number of writebacks",
              "Count");
}

static void prefetcher(const struct block *block, const char *cache, uint64_t mshr_misses) {
    ssize_t issued = find(block->samples, "%sprefetcher.pfIssued", cache);
    uint64_t useful = value_at(block, find(block->samples, "%sprefetcher.pfUseful", cache));
    if (issued < 0)
        return;
    count(block, cache, "prefetcher.demandMshrMisses", mshr_misses,
          "demands not covered by prefetchs", "Count");
    ratio(block, cache, "prefetcher.accuracy", useful, value_at(block, issued), -1,
          "accuracy of the prefetcher", "Count");
    ratio(block, cache, "prefetcher.coverage", useful, useful + mshr_misses, -1,
          "coverage brought by this prefetcher", "Count");
}

/* An L1 has one requestor, which gem5 names after the core's port. */
static void l1_names(const struct block *block, const struct cache *cache) {
    unsigned core;
    char kind[8], requestor[32];
    if (sscanf(cache->name, "system.cpu%u.%1[id]cache.", &core, kind) != 2)
        return;
    snprintf(requestor, sizeof requestor, "cpu%u.%s", core, *kind == 'i' ? "inst" : "data");
    set_of_names(block, cache, "overall", requestor, false);
    set_of_names(block, cache, "demand", requestor, false);
    if (*kind == 'd')
        return;
    set_of_names(block, cache, "ReadReq.", requestor, false); /* all that an L1I is asked */
    set_of_names(block, cache, "ReadReq.", "total", false);
}

/* For each statistic CACHE.overallMisses::REQUESTOR. */
static void cache_names(const struct block *block, size_t index) {
    static const char misses[] = "overallMisses::";
    const char *statistic = block->samples->statistics[index].name;
    const char *place = strstr(statistic, misses);
    if (!place)
        return;
    autofree char *name = format_string("%.*s", (int)(place - statistic), statistic);
    const char *requestor = place + strlen(misses);
    ssize_t accesses = find(block->samples, "%soverallAccesses::%s", name, requestor);
    if (accesses < 0)
        return;
    const struct cache cache = {
        .name = name,
        .accesses = value_at(block, accesses),
        .misses = invocation_value(block->one, index),
        .hits = find(block->samples, "%soverallHits::%s", name, requestor),
        .mshr_misses = find(block->samples, "%soverallMshrMisses::%s", name, requestor),
        .with_prefetches = find(block->samples, "simInsts") < 0, /* the engine gem5's */
    };
    set_of_names(block, &cache, "overall", requestor, true);
    set_of_names(block, &cache, "demand", requestor, false);
    if (strcmp(requestor, "total") != 0)
        return;
    l1_names(block, &cache);
    write_backs(block, name);
    if (cache.mshr_misses >= 0 && !cache.with_prefetches)
        prefetcher(block, name, value_at(block, cache.mshr_misses));
}

/* ---- memory ---- */

static void memory(const struct block *block) {
    static const struct {
        const char *ours, *bursts, *number, *of_bursts, *of_number;
    } kinds[] = {
        {"readReqs", "readBursts", "numReads::total", "Number of controller read bursts",
         "Number of read requests responded to by this memory"},
        {"writeReqs", "writeBursts", "numWrites::total", "Number of controller write bursts",
         "Number of write requests responded to by this memory"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        ssize_t requests = find(block->samples, "system.mem_ctrls.%s", kinds[i].ours);
        if (requests < 0)
            continue;
        uint64_t value = value_at(block, requests);
        count(block, "system.mem_ctrls.", kinds[i].bursts, value, kinds[i].of_bursts, "Count");
        count(block, "system.mem_ctrls.", kinds[i].number, value, kinds[i].of_number, "Count");
    }
}

void stats_gem5_names(FILE *out, const struct invocation *one, const struct samples *samples) {
    const struct block block = {out, one, samples};
    for (size_t i = 0; i < samples->statistic_count; i++)
        core_names(&block, i);
    for (size_t i = 0; i < samples->statistic_count; i++)
        cache_names(&block, i);
    memory(&block);
}
