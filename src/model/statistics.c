/* The statistics: one table, each line a name, what it means, and how it follows from the counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/state.h"

/* What the lines below are computed from: one core's counts in one mode. */
struct view {
    const struct core_timing *timing;
    const struct core_counts *counts;
};

static uint64_t cycles(const struct view *v) {
    return core_cycles(v->timing, v->counts);
}

static uint64_t instructions(const struct view *v) {
    return v->counts->instructions;
}

static uint64_t supplied(const struct view *v, enum access access, enum supplier supplier) {
    return v->counts->supplied[access][supplier];
}

static uint64_t fetches(const struct view *v) {
    return v->counts->accesses[FETCH];
}

static uint64_t data_accesses(const struct view *v) {
    return v->counts->accesses[LOAD] + v->counts->accesses[STORE];
}

static uint64_t uncached(const struct view *v) {
    return v->counts->uncached;
}

static uint64_t llc_misses_inst(const struct view *v) {
    return supplied(v, FETCH, FROM_MEMORY);
}

static uint64_t llc_misses_data(const struct view *v) {
    return supplied(v, LOAD, FROM_MEMORY) + supplied(v, STORE, FROM_MEMORY);
}

static uint64_t llc_misses(const struct view *v) {
    return llc_misses_inst(v) + llc_misses_data(v);
}

static uint64_t llc_hits_inst(const struct view *v) {
    return supplied(v, FETCH, FROM_LLC);
}

static uint64_t llc_hits_data(const struct view *v) {
    return supplied(v, LOAD, FROM_LLC) + supplied(v, STORE, FROM_LLC);
}

static uint64_t llc_accesses_inst(const struct view *v) {
    return llc_hits_inst(v) + llc_misses_inst(v);
}

static uint64_t llc_accesses_data(const struct view *v) {
    return llc_hits_data(v) + llc_misses_data(v);
}

static uint64_t llc_hits(const struct view *v) {
    return llc_hits_inst(v) + llc_hits_data(v);
}

static uint64_t llc_accesses(const struct view *v) {
    return llc_hits(v) + llc_misses(v);
}

static uint64_t icache_misses(const struct view *v) {
    return llc_accesses_inst(v);
}

static uint64_t icache_hits(const struct view *v) {
    return fetches(v) - icache_misses(v);
}

static uint64_t upgrades(const struct view *v) {
    return supplied(v, STORE, UPGRADE_BY_LLC) + supplied(v, STORE, UPGRADE_BY_BUS);
}

static uint64_t dcache_misses(const struct view *v) {
    return llc_accesses_data(v) + upgrades(v);
}

static uint64_t dcache_hits(const struct view *v) {
    return data_accesses(v) - dcache_misses(v);
}

static uint64_t dcache_writebacks(const struct model *model, unsigned core) {
    return model->hierarchy.l1_writebacks[core];
}

static uint64_t icache_writebacks(const struct model *model, unsigned core) {
    return 0; /* nobody stores through an L1I */
}

static uint64_t llc_writebacks(const struct model *model, unsigned core) {
    return model->hierarchy.llc_writebacks;
}

/* How a line of the table becomes statistics. %u in a name is the core. */
enum spread {
    MACHINE,     /* one: the sum over all cores and modes */
    CORE,        /* one a core: both modes together */
    CORE_MODES,  /* NAME::user and NAME::kernel a core */
    MODES_TOTAL, /* NAME::user, NAME::kernel and NAME::total a core */
};

typedef uint64_t counted(const struct view *view);
typedef uint64_t kept(const struct model *model, unsigned core);

/* gem5 counts a store that must ask for the right to write as a miss of the L1 (an upgrade), but
 * not as an access of the LLC; it counts write-backs as neither. So do we. */
static const struct row {
    enum spread spread;
    const char *name, *unit, *description;
    counted *counted; /* from a core's counts, or else … */
    kept *kept;       /* … from the hierarchy's; never spread by mode */
} rows[] = {
    {MACHINE, "simInsts", "Count", "Instructions committed on all cores", instructions},
    {CORE, "system.cpu%u.numCycles", "Cycle", "Cycles the core was busy", cycles},
    {CORE_MODES, "system.cpu%u.modeCycles", "Cycle", "Cycles the core was busy, by mode", cycles},
    {CORE, "system.cpu%u.commitStats0.numInsts", "Count", "Instructions committed", instructions},
    {CORE_MODES, "system.cpu%u.modeInsts", "Count", "Instructions committed, by mode",
     instructions},
    {MODES_TOTAL, "system.cpu%u.icache.overallAccesses", "Count", "Fetches from the L1I", fetches},
    {MODES_TOTAL, "system.cpu%u.icache.overallMisses", "Count", "Fetches that missed in the L1I",
     icache_misses},
    {MODES_TOTAL, "system.cpu%u.icache.overallHits", "Count", "Fetches that hit in the L1I",
     icache_hits},
    {CORE, "system.cpu%u.icache.writebacks::total", "Count", "Lines the L1I wrote back", NULL,
     icache_writebacks},
    {MODES_TOTAL, "system.cpu%u.dcache.overallAccesses", "Count", "Accesses to the L1D",
     data_accesses},
    {MODES_TOTAL, "system.cpu%u.dcache.overallMisses", "Count",
     "Accesses that missed in the L1D, upgrades included", dcache_misses},
    {MODES_TOTAL, "system.cpu%u.dcache.overallHits", "Count", "Accesses that hit in the L1D",
     dcache_hits},
    {CORE, "system.cpu%u.dcache.upgradeMisses::total", "Count",
     "Stores that hit in the L1D but had to ask for the right to write", upgrades},
    {CORE, "system.cpu%u.dcache.overallMshrUncacheable::total", "Count", "Accesses past the caches",
     uncached},
    {CORE, "system.cpu%u.dcache.writebacks::total", "Count", "Lines the L1D wrote back", NULL,
     dcache_writebacks},
    {MODES_TOTAL, "system.cpu%u.llcMisses", "Count", "This core's misses in the shared cache",
     llc_misses},
    {CORE, "system.llc.overallAccesses::cpu%u.inst", "Count", "Fetches that came to the LLC",
     llc_accesses_inst},
    {CORE, "system.llc.overallAccesses::cpu%u.data", "Count",
     "Loads and stores that came to the LLC", llc_accesses_data},
    {MACHINE, "system.llc.overallAccesses::total", "Count", "Accesses to the LLC", llc_accesses},
    {CORE, "system.llc.overallMisses::cpu%u.inst", "Count", "Fetches that missed in the LLC",
     llc_misses_inst},
    {CORE, "system.llc.overallMisses::cpu%u.data", "Count",
     "Loads and stores that missed in the LLC", llc_misses_data},
    {MACHINE, "system.llc.overallMisses::total", "Count", "Misses in the LLC", llc_misses},
    {CORE, "system.llc.overallHits::cpu%u.inst", "Count", "Fetches that hit in the LLC",
     llc_hits_inst},
    {CORE, "system.llc.overallHits::cpu%u.data", "Count", "Loads and stores that hit in the LLC",
     llc_hits_data},
    {MACHINE, "system.llc.overallHits::total", "Count", "Hits in the LLC", llc_hits},
    {MACHINE, "system.llc.writebacks::total", "Count", "Lines the LLC wrote back to memory", NULL,
     llc_writebacks},
    {MACHINE, "system.mem_ctrls.readReqs", "Count", "Lines read from memory", llc_misses},
    {MACHINE, "system.mem_ctrls.writeReqs", "Count", "Lines written to memory", NULL,
     llc_writebacks},
};

enum { ROWS = sizeof rows / sizeof rows[0], BOTH = MODEL_MODES };

/* Which core and mode a statistic is of; BOTH modes, all cores. */
typedef void visitor(const struct model *model, const struct row *row, unsigned core, unsigned mode,
                     void *context);

/* Every statistic in its order, the same for names and values. */
static void each_statistic(const struct model *model, visitor *visit, void *context) {
    for (const struct row *row = rows; row < rows + ROWS; row++) {
        if (row->spread == MACHINE) {
            visit(model, row, 0, BOTH, context);
            continue;
        }
        for (unsigned core = 0; core < model->hierarchy.cores; core++) {
            for (unsigned mode = 0; row->spread >= CORE_MODES && mode < MODEL_MODES; mode++)
                visit(model, row, core, mode, context);
            if (row->spread != CORE_MODES)
                visit(model, row, core, BOTH, context);
        }
    }
}

static void count_one(const struct model *model, const struct row *row, unsigned core,
                      unsigned mode, void *context) {
    ++*(size_t *)context;
}

static void declare(const struct model *model, const struct row *row, unsigned core, unsigned mode,
                    void *context) {
    static const char *const suffix[] = {"::user", "::kernel", "::total"};
    struct model_statistic **next = context;
    char format[128], name[128];
    snprintf(format, sizeof format, "%s%s", row->name,
             row->spread >= CORE_MODES ? suffix[mode] : "");
    char *place = strstr(format, "%u");
    if (place)
        snprintf(name, sizeof name, "%.*s%u%s", (int)(place - format), format, core, place + 2);
    else
        strcpy(name, format);
    *(*next)++ = (struct model_statistic){strdup(name), row->unit, row->description};
}

bool statistics_init(struct model *model) {
    each_statistic(model, count_one, &model->statistic_count);
    struct model_statistic *next = model->statistics = calloc(model->statistic_count, sizeof *next);
    if (!next)
        return false;
    each_statistic(model, declare, &next);
    for (size_t i = 0; i < model->statistic_count; i++)
        if (!model->statistics[i].name)
            return false;
    return true;
}

void statistics_free(struct model *model) {
    for (size_t i = 0; model->statistics && i < model->statistic_count; i++)
        free((char *)model->statistics[i].name);
    free(model->statistics);
}

static void read_one(const struct model *model, const struct row *row, unsigned core, unsigned mode,
                     void *context) {
    uint64_t **next = context, sum = 0;
    unsigned last_core = row->spread == MACHINE ? model->hierarchy.cores - 1 : core;
    if (row->kept)
        sum = row->kept(model, core);
    else
        for (; core <= last_core; core++)
            for (unsigned m = 0; m < MODEL_MODES; m++)
                if (mode == BOTH || mode == m)
                    sum +=
                        row->counted(&(struct view){&model->timing, &model->cores[core].counts[m]});
    *(*next)++ = sum;
}

void model_read_statistics(const struct model *model, uint64_t *values) {
    each_statistic(model, read_one, &values);
}

size_t model_statistic_count(const struct model *model) {
    return model->statistic_count;
}

const struct model_statistic *model_statistic(const struct model *model, size_t index) {
    return &model->statistics[index];
}
