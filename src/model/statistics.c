/* The statistics: one table, each line a name, what it means, and how it follows from the counts.
 * gem5 counts a store that must ask for the right to write as a miss of the L1 (an upgrade), but
 * not as an access of the caches below; it counts write-backs as neither. So do we. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/state.h"

/* One core's share, in one mode. What is not kept by mode is all under the first. `of` is what the
 * table's line says. */
typedef uint64_t counted(const struct model *model, unsigned core, unsigned mode, unsigned of);
typedef bool present(const struct model *model, unsigned of);

static const struct access_counts *l1(const struct model *model, unsigned core, unsigned mode) {
    return hierarchy_counts(model->hierarchy, core, mode);
}

/* One of a core's counters; `of` is its place. */
#define COUNT_OF(member) core_count, offsetof(struct core_counts, member)
static uint64_t core_count(const struct model *m, unsigned core, unsigned mode, unsigned offset) {
    return *(const uint64_t *)((const char *)&m->cores[core].counts[mode] + offset);
}

static uint64_t stack(const struct model *m, unsigned core, unsigned mode, unsigned part) {
    return m->cores[core].counts[mode].stack[part];
}

static uint64_t fetches(const struct model *m, unsigned core, unsigned mode, unsigned of) {
    return l1(m, core, mode)->accesses[FETCH];
}

static uint64_t fetch_misses(const struct model *m, unsigned core, unsigned mode, unsigned of) {
    return access_misses(l1(m, core, mode), FETCH);
}

static uint64_t fetch_hits(const struct model *m, unsigned core, unsigned mode, unsigned of) {
    return fetches(m, core, mode, of) - fetch_misses(m, core, mode, of);
}

static uint64_t fetch_fills(const struct model *m, unsigned core, unsigned mode, unsigned of) {
    return access_fills(l1(m, core, mode), FETCH);
}

static uint64_t data(const struct model *m, unsigned core, unsigned mode, unsigned of) {
    return l1(m, core, mode)->accesses[LOAD] + l1(m, core, mode)->accesses[STORE];
}

static uint64_t dcache_misses(const struct model *m, unsigned core, unsigned mode, unsigned of) {
    return data_misses(l1(m, core, mode));
}

static uint64_t data_hits(const struct model *m, unsigned core, unsigned mode, unsigned of) {
    return data(m, core, mode, of) - dcache_misses(m, core, mode, of);
}

static uint64_t data_fills(const struct model *m, unsigned core, unsigned mode, unsigned of) {
    return access_fills(l1(m, core, mode), LOAD) + access_fills(l1(m, core, mode), STORE);
}

static uint64_t upgrades(const struct model *m, unsigned core, unsigned mode, unsigned of) {
    const uint64_t *supplied = l1(m, core, mode)->supplied[STORE];
    return supplied[UPGRADE_BY_CACHE] + supplied[UPGRADE_BY_BUS];
}

static uint64_t footprint(const struct model *m, unsigned core, unsigned mode, unsigned kind) {
    return m->footprints[core].lines[mode][kind] * m->parameters.line_size;
}

static uint64_t from_memory(const struct model *m, unsigned core, unsigned mode, unsigned of) {
    return memory_fills(l1(m, core, mode));
}

/* A cache's figures, for what one core asked of it. */
static struct cache_figures figures(const struct model *m, unsigned core, enum cache_name name) {
    struct cache_figures figures = {0};
    hierarchy_figures(m->hierarchy, core, name, &figures);
    return figures;
}

static bool has_cache(const struct model *m, unsigned name) {
    struct cache_figures figures;
    return hierarchy_figures(m->hierarchy, 0, name, &figures);
}

static bool has_private(const struct model *m, unsigned name) {
    return has_cache(m, name) && !figures(m, 0, name).shared;
}

static bool has_shared(const struct model *m, unsigned name) {
    return has_cache(m, name) && figures(m, 0, name).shared;
}

#define LEVEL_COUNT(function, expression)                                                          \
    static uint64_t function(const struct model *m, unsigned core, unsigned mode, unsigned name) { \
        const struct cache_figures f = figures(m, core, name);                                     \
        return mode ? 0 : expression;                                                              \
    }
#define DATA_OF(f, member)                                                                         \
    (f.counts[LOAD].member + f.counts[WALK].member + f.counts[PREFETCH].member)
LEVEL_COUNT(level_inst_accesses, f.counts[FETCH].accesses)
LEVEL_COUNT(level_inst_misses, f.counts[FETCH].misses)
LEVEL_COUNT(level_inst_hits, f.counts[FETCH].accesses - f.counts[FETCH].misses)
LEVEL_COUNT(level_data_accesses, DATA_OF(f, accesses))
LEVEL_COUNT(level_data_misses, DATA_OF(f, misses))
LEVEL_COUNT(level_data_hits, DATA_OF(f, accesses) - DATA_OF(f, misses))
LEVEL_COUNT(level_accesses, f.counts[FETCH].accesses + DATA_OF(f, accesses))
LEVEL_COUNT(level_misses, f.counts[FETCH].misses + DATA_OF(f, misses))
LEVEL_COUNT(level_fills, f.counts[FETCH].fills + DATA_OF(f, fills))
LEVEL_COUNT(level_hits, f.counts[FETCH].accesses + DATA_OF(f, accesses) - f.counts[FETCH].misses -
                            DATA_OF(f, misses))
/* Of the whole cache; a shared one's are said once. */
LEVEL_COUNT(write_backs, f.shared &&core ? 0 : f.write_backs)
LEVEL_COUNT(prefetch_issued, f.shared &&core ? 0 : f.prefetch.issued)
LEVEL_COUNT(prefetch_useful, f.shared &&core ? 0 : f.prefetch.useful)
LEVEL_COUNT(prefetch_late, f.shared &&core ? 0 : f.prefetch.late)
LEVEL_COUNT(prefetch_useless, f.shared &&core ? 0 : f.prefetch.useless)

static bool prefetches(const struct model *m, unsigned name) {
    const struct model_parameters *p = &m->parameters;
    const struct cache_parameters *cache = name == CACHE_L1I   ? &p->l1i
                                           : name == CACHE_L1D ? &p->l1d
                                                               : &p->level[name - CACHE_L2];
    return has_cache(m, name) && strcmp(cache->prefetcher.name, "none") != 0;
}

static bool prefetches_apart(const struct model *m, unsigned name) {
    return prefetches(m, name) && has_private(m, name);
}

static bool prefetches_together(const struct model *m, unsigned name) {
    return prefetches(m, name) && has_shared(m, name);
}

enum { OF_ITLB, OF_DTLB, OF_STLB };

static const struct mmu_counts *translations(const struct model *m, unsigned core, unsigned mode) {
    return mmu_counts(m->cores[core].mmu, mode);
}

static const struct tlb_counts *tlb(const struct model *m, unsigned core, unsigned mode,
                                    unsigned of) {
    const struct mmu_counts *counts = translations(m, core, mode);
    return of == OF_ITLB ? &counts->itlb : of == OF_DTLB ? &counts->dtlb : &counts->stlb;
}

static uint64_t tlb_accesses(const struct model *m, unsigned core, unsigned mode, unsigned of) {
    return tlb(m, core, mode, of)->accesses;
}

static uint64_t tlb_misses(const struct model *m, unsigned core, unsigned mode, unsigned of) {
    return tlb(m, core, mode, of)->misses;
}

static uint64_t walks(const struct model *m, unsigned core, unsigned mode, unsigned of) {
    return translations(m, core, mode)->walks;
}

static uint64_t walk_cycles(const struct model *m, unsigned core, unsigned mode, unsigned of) {
    return translations(m, core, mode)->walk_cycles;
}

static uint64_t dram(const struct model *m, unsigned core, unsigned mode, unsigned offset) {
    const char *counts = (const char *)hierarchy_dram_counts(m->hierarchy);
    return core || mode ? 0 : *(const uint64_t *)(counts + offset);
}

static bool translates(const struct model *m, unsigned of) {
    return m->cores[0].mmu && (of != OF_STLB || m->parameters.mmu.stlb.entries);
}

static bool decodes(const struct model *m, unsigned of) {
    return m->core->decodes;
}

static bool has_rows(const struct model *m, unsigned of) {
    return strcmp(m->parameters.memory.model, "fixed") != 0;
}

/* A supplier that the machine has not got is no part of where cycles go. */
static bool has_part(const struct model *m, unsigned part) {
    switch (part) {
    case STACK_FETCH_L2:
    case STACK_DATA_L2:
        return has_cache(m, CACHE_L2);
    case STACK_FETCH_L3:
    case STACK_DATA_L3:
        return has_cache(m, CACHE_L3);
    case STACK_ITLB:
    case STACK_DTLB:
        return translates(m, OF_DTLB);
    case STACK_BRANCH:
    case STACK_STRUCTURAL:
        return m->core->decodes;
    default:
        return true;
    }
}

/* Region counters: `of` is 8 × the region (from 1) plus which of them. */
enum { REGION_CYCLES, REGION_INSTRUCTIONS, REGION_MISSES };
static uint64_t region(const struct model *m, unsigned core, unsigned mode, unsigned of) {
    const struct region_counts *counts = region_of(m, core, of / 8);
    if (mode)
        return 0;
    return of % 8 == REGION_CYCLES         ? counts->cycles
           : of % 8 == REGION_INSTRUCTIONS ? counts->instructions
                                           : counts->misses[of % 8 - REGION_MISSES];
}

/* How a line of the table becomes statistics. %u in a name is the core. */
enum spread {
    MACHINE,     /* one: the sum over all cores and modes */
    CORE,        /* one a core: both modes together */
    CORE_MODES,  /* NAME::user and NAME::kernel a core */
    MODES_TOTAL, /* NAME::user, NAME::kernel and NAME::total a core */
};

struct row {
    enum spread spread;
    const char *name, *unit, *description;
    counted *counted;
    unsigned of;
    present *present; /* NULL: always */
};

/* Rows of a table, which the formatter takes for blocks. */
/* clang-format off */
#define STACK(name, part, text)                                                                    \
    {MODES_TOTAL, "system.cpu%u.cpiStack." name, "Cycle", "Cycles: " text, stack, part, has_part}

#define SHARED(key, cache, title)                                                                  \
    {CORE, "system." key ".overallAccesses::cpu%u.inst", "Count",                                  \
     "Fetches that came to the " title, level_inst_accesses, cache, has_shared},                   \
    {CORE, "system." key ".overallAccesses::cpu%u.data", "Count",                                  \
     "Loads and stores that came to the " title, level_data_accesses, cache, has_shared},          \
    {MACHINE, "system." key ".overallAccesses::total", "Count",                                    \
     "Accesses to the " title, level_accesses, cache, has_shared},                                 \
    {CORE, "system." key ".overallMisses::cpu%u.inst", "Count",                                    \
     "Fetches that missed in the " title, level_inst_misses, cache, has_shared},                   \
    {CORE, "system." key ".overallMisses::cpu%u.data", "Count",                                    \
     "Loads and stores that missed in the " title, level_data_misses, cache, has_shared},          \
    {MACHINE, "system." key ".overallMisses::total", "Count",                                      \
     "Misses in the " title, level_misses, cache, has_shared},                                     \
    {MACHINE, "system." key ".overallMshrMisses::total", "Count",                                  \
     "Lines the " title " asked for", level_fills, cache, has_shared},                             \
    {CORE, "system." key ".overallHits::cpu%u.inst", "Count",                                      \
     "Fetches that hit in the " title, level_inst_hits, cache, has_shared},                        \
    {CORE, "system." key ".overallHits::cpu%u.data", "Count",                                      \
     "Loads and stores that hit in the " title, level_data_hits, cache, has_shared},               \
    {MACHINE, "system." key ".overallHits::total", "Count",                                        \
     "Hits in the " title, level_hits, cache, has_shared},                                         \
    {MACHINE, "system." key ".writebacks::total", "Count",                                         \
     "Lines the " title " wrote back", write_backs, cache, has_shared},                            \
    PREFETCHER(MACHINE, "system." key, cache, prefetches_together)

#define PRIVATE(key, cache, title)                                                                 \
    {CORE, "system.cpu%u." key ".overallAccesses::total", "Count",                                 \
     "Accesses to the " title, level_accesses, cache, has_private},                                \
    {CORE, "system.cpu%u." key ".overallMisses::total", "Count",                                   \
     "Misses in the " title, level_misses, cache, has_private},                                    \
    {CORE, "system.cpu%u." key ".overallMshrMisses::total", "Count",                               \
     "Lines the " title " asked for", level_fills, cache, has_private},                            \
    {CORE, "system.cpu%u." key ".overallHits::total", "Count",                                     \
     "Hits in the " title, level_hits, cache, has_private},                                        \
    {CORE, "system.cpu%u." key ".writebacks::total", "Count",                                      \
     "Lines the " title " wrote back", write_backs, cache, has_private},                           \
    PREFETCHER(CORE, "system.cpu%u." key, cache, prefetches_apart)

#define PREFETCHER(spread, key, cache, present)                                                    \
    {spread, key ".prefetcher.pfIssued", "Count",                                                  \
     "Lines prefetched", prefetch_issued, cache, present},                                         \
    {spread, key ".prefetcher.pfUseful", "Count",                                                  \
     "Prefetched lines that were used", prefetch_useful, cache, present},                          \
    {spread, key ".prefetcher.pfUsefulLate", "Count",                                                    \
     "… of these, first asked for while arriving", prefetch_late, cache, present},                 \
    {spread, key ".prefetcher.pfUnused", "Count",                                                  \
     "Prefetched lines that were lost without use", prefetch_useless, cache, present}

#define TLB(key, which, title)                                                                     \
    {CORE, "system.cpu%u." key ".accesses", "Count",                                               \
     "Look-ups in the " title, tlb_accesses, which, translates},                                   \
    {CORE, "system.cpu%u." key ".misses", "Count",                                                 \
     "Misses in the " title, tlb_misses, which, translates}

static const struct row rows[] = {
    {MACHINE, "simInsts", "Count", "Instructions committed on all cores", COUNT_OF(instructions)},
    {MACHINE, "simOps", "Count", "Micro-operations committed on cores that decode", COUNT_OF(micro_ops), decodes},
    {CORE, "system.cpu%u.numCycles", "Cycle", "Cycles the core was busy", COUNT_OF(cycles)},
    {CORE_MODES, "system.cpu%u.modeCycles", "Cycle", "Cycles the core was busy, by mode", COUNT_OF(cycles)},
    {CORE, "system.cpu%u.commitStats0.numInsts", "Count", "Instructions committed", COUNT_OF(instructions)},
    {CORE, "system.cpu%u.commitStats0.numOps", "Count", "Micro-operations committed", COUNT_OF(micro_ops), decodes},
    {CORE_MODES, "system.cpu%u.modeInsts", "Count", "Instructions committed, by mode", COUNT_OF(instructions)},
    STACK("base", STACK_BASE, "work, nothing below in the way"),
    STACK("fetchL2", STACK_FETCH_L2, "waiting for code from the L2"),
    STACK("fetchL3", STACK_FETCH_L3, "waiting for code from the L3"),
    STACK("fetchLlc", STACK_FETCH_LLC, "waiting for code from the LLC"),
    STACK("fetchMemory", STACK_FETCH_MEMORY, "waiting for code from memory"),
    STACK("itlb", STACK_ITLB, "waiting for the translation of code addresses"),
    STACK("branch", STACK_BRANCH, "refill after mispredicted branches"),
    STACK("dataL2", STACK_DATA_L2, "waiting for data from the L2"),
    STACK("dataL3", STACK_DATA_L3, "waiting for data from the L3"),
    STACK("dataLlc", STACK_DATA_LLC, "waiting for data from the LLC"),
    STACK("dataMemory", STACK_DATA_MEMORY, "waiting for data from memory"),
    STACK("dataUpgrade", STACK_DATA_UPGRADE, "waiting for the right to write"),
    STACK("uncached", STACK_UNCACHED, "memory-mapped I/O"),
    STACK("dtlb", STACK_DTLB, "waiting for the translation of data addresses"),
    STACK("structural", STACK_STRUCTURAL, "dependences, busy units, full queues"),
    {CORE, "system.cpu%u.branchPred.committed::total", "Count", "Branches committed", COUNT_OF(branches), decodes},
    {MODES_TOTAL, "system.cpu%u.branchPred.mispredicted", "Count", "Committed branches that fetch had not foreseen",
     COUNT_OF(mispredicts), decodes},
    {CORE, "system.cpu%u.branchPred.BTBMispredicted", "Count", "… of these, direct ones whose target was unknown",
     COUNT_OF(unknown_targets), decodes},
    {MODES_TOTAL, "system.cpu%u.icache.overallAccesses", "Count", "Fetches from the L1I", fetches},
    {MODES_TOTAL, "system.cpu%u.icache.overallMisses", "Count", "Fetches that missed in the L1I", fetch_misses},
    {MODES_TOTAL, "system.cpu%u.icache.overallMshrMisses", "Count", "Lines the L1I asked for", fetch_fills},
    {MODES_TOTAL, "system.cpu%u.icache.overallHits", "Count", "Fetches that hit in the L1I", fetch_hits},
    {CORE, "system.cpu%u.icache.writebacks::total", "Count", "Lines the L1I wrote back", write_backs, CACHE_L1I},
    PREFETCHER(CORE, "system.cpu%u.icache", CACHE_L1I, prefetches),
    {MODES_TOTAL, "system.cpu%u.dcache.overallAccesses", "Count", "Accesses to the L1D", data},
    {MODES_TOTAL, "system.cpu%u.dcache.overallMisses", "Count", "Accesses that missed in the L1D, upgrades included",
     dcache_misses},
    {MODES_TOTAL, "system.cpu%u.dcache.overallMshrMisses", "Count", "Lines and upgrades the L1D asked for", data_fills},
    {MODES_TOTAL, "system.cpu%u.dcache.overallHits", "Count", "Accesses that hit in the L1D", data_hits},
    {CORE, "system.cpu%u.dcache.upgradeMisses::total", "Count",
     "Stores that hit in the L1D but had to ask for the right to write", upgrades},
    {CORE, "system.cpu%u.dcache.overallMshrUncacheable::total", "Count", "Accesses past the caches", COUNT_OF(uncached)},
    {CORE, "system.cpu%u.dcache.writebacks::total", "Count", "Lines the L1D wrote back", write_backs, CACHE_L1D},
    PREFETCHER(CORE, "system.cpu%u.dcache", CACHE_L1D, prefetches),
    TLB("itlb", OF_ITLB, "instruction TLB"),
    TLB("dtlb", OF_DTLB, "data TLB"),
    TLB("stlb", OF_STLB, "second-level TLB"),
    {CORE, "system.cpu%u.walker.walks", "Count", "Page walks", walks, OF_DTLB, translates},
    {CORE, "system.cpu%u.walker.cycles", "Cycle", "Cycles of all page walks", walk_cycles, OF_DTLB, translates},
    {MODES_TOTAL, "system.cpu%u.llcMisses", "Count", "This core's misses in the last-level cache", from_memory},
    {MODES_TOTAL, "system.cpu%u.footprint.inst", "Byte", "Lines of code executed, each once", footprint, FOOTPRINT_CODE},
    {MODES_TOTAL, "system.cpu%u.footprint.data", "Byte", "Lines of data accessed, each once", footprint, FOOTPRINT_DATA},
    PRIVATE("l2", CACHE_L2, "L2"),
    PRIVATE("l3", CACHE_L3, "L3"),
    PRIVATE("llc", CACHE_LLC, "LLC"),
    SHARED("l2", CACHE_L2, "L2"),
    SHARED("l3", CACHE_L3, "L3"),
    SHARED("llc", CACHE_LLC, "LLC"),
    {MACHINE, "system.mem_ctrls.readReqs", "Count", "Lines read from memory", dram, offsetof(struct dram_counts, reads)},
    {MACHINE, "system.mem_ctrls.writeReqs", "Count", "Lines written to memory", dram, offsetof(struct dram_counts, writes)},
    {MACHINE, "system.mem_ctrls.rowHits", "Count", "Accesses to an open row", dram, offsetof(struct dram_counts, row_hits),
     has_rows},
    {MACHINE, "system.mem_ctrls.rowConflicts", "Count", "Accesses that had to close another row", dram,
     offsetof(struct dram_counts, row_conflicts), has_rows},
};

/* For each region; its name stands for %s. */
static const struct row region_rows[] = {
    {CORE, "system.cpu%u.regions.%s.numCycles", "Cycle", "Cycles in this code", region, REGION_CYCLES},
    {CORE, "system.cpu%u.regions.%s.numInsts", "Count", "Instructions of this code", region, REGION_INSTRUCTIONS},
    {CORE, "system.cpu%u.regions.%s.icacheMisses", "Count", "L1I misses of this code", region,
     REGION_MISSES + MODEL_MISSES_L1I},
    {CORE, "system.cpu%u.regions.%s.dcacheMisses", "Count", "L1D misses of this code", region,
     REGION_MISSES + MODEL_MISSES_L1D},
    {CORE, "system.cpu%u.regions.%s.llcMisses", "Count", "Lines from memory for this code", region,
     REGION_MISSES + MODEL_MISSES_LLC},
};
/* clang-format on */

enum {
    ROWS = sizeof rows / sizeof rows[0],
    REGION_ROWS = sizeof region_rows / sizeof region_rows[0],
    BOTH = MODEL_MODES
};

/* Which core and mode a statistic is of; BOTH modes, all cores. */
typedef void visitor(const struct model *model, const struct row *row, unsigned core, unsigned mode,
                     void *context);

static void each_of_row(const struct model *model, const struct row *row, visitor *visit,
                        void *context) {
    if (row->present && !row->present(model, row->of))
        return;
    if (row->spread == MACHINE) {
        visit(model, row, 0, BOTH, context);
        return;
    }
    for (unsigned core = 0; core < model->parameters.cores; core++) {
        for (unsigned mode = 0; row->spread >= CORE_MODES && mode < MODEL_MODES; mode++)
            visit(model, row, core, mode, context);
        if (row->spread != CORE_MODES)
            visit(model, row, core, BOTH, context);
    }
}

/* Every statistic in its order, the same for names and values. */
static void each_statistic(const struct model *model, visitor *visit, void *context) {
    for (const struct row *row = rows; row < rows + ROWS; row++)
        each_of_row(model, row, visit, context);
    for (unsigned i = 1; i <= model->region_count; i++)
        for (const struct row *row = region_rows; row < region_rows + REGION_ROWS; row++) {
            struct row one = *row;
            one.of += 8 * i;
            each_of_row(model, &one, visit, context);
        }
}

static void count_one(const struct model *model, const struct row *row, unsigned core,
                      unsigned mode, void *context) {
    ++*(size_t *)context;
}

struct declaration {
    struct model_statistic *next;
    const char *const *region_names;
};

/* The name with the core and the region's name put in, and the mode behind it. */
static char *make_name(const struct row *row, unsigned core, unsigned mode,
                       const char *const *region_names) {
    static const char *const suffix[] = {"::user", "::kernel", "::total"};
    char *name = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&name, &size);
    if (!out)
        return NULL;
    for (const char *c = row->name; *c; c++) {
        if (*c != '%')
            fputc(*c, out);
        else if (*++c == 'u')
            fprintf(out, "%u", core);
        else
            fputs(region_names[row->of / 8 - 1], out);
    }
    if (row->spread >= CORE_MODES)
        fputs(suffix[mode], out);
    fclose(out);
    return name;
}

static void declare(const struct model *model, const struct row *row, unsigned core, unsigned mode,
                    void *context) {
    struct declaration *declaration = context;
    *declaration->next++ = (struct model_statistic){
        make_name(row, core, mode, declaration->region_names), row->unit, row->description};
}

bool statistics_declare(struct model *model, const char *const *region_names) {
    model->statistic_count = 0;
    each_statistic(model, count_one, &model->statistic_count);
    model->statistics = calloc(model->statistic_count, sizeof *model->statistics);
    if (!model->statistics)
        return false;
    struct declaration declaration = {model->statistics, region_names};
    each_statistic(model, declare, &declaration);
    for (size_t i = 0; i < model->statistic_count; i++)
        if (!model->statistics[i].name)
            return false;
    return true;
}

void statistics_free(struct model *model) {
    for (size_t i = 0; model->statistics && i < model->statistic_count; i++)
        free((char *)model->statistics[i].name);
    free(model->statistics);
    model->statistics = NULL;
}

static void read_one(const struct model *model, const struct row *row, unsigned core, unsigned mode,
                     void *context) {
    uint64_t **next = context, sum = 0;
    unsigned end = row->spread == MACHINE ? (unsigned)model->parameters.cores : core + 1;
    for (; core < end; core++)
        for (unsigned m = 0; m < MODEL_MODES; m++)
            if (mode == BOTH || mode == m)
                sum += row->counted(model, core, m, row->of);
    *(*next)++ = sum;
}

void model_read_statistics(struct model *model, uint64_t *values) {
    regions_settle(model);
    each_statistic(model, read_one, &values);
}

size_t model_statistic_count(const struct model *model) {
    return model->statistic_count;
}

const struct model_statistic *model_statistic(const struct model *model, size_t index) {
    return &model->statistics[index];
}
