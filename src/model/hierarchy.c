/* What a hierarchy is made of: from parameters to units, and their counters. */
#include "model/hierarchy.h"

#include <stdlib.h>
#include <string.h>

#include "model/hierarchy_units.h"
#include "model/later.h"

/* A cache as the parameters describe it, and the bus below it. */
struct plan {
    enum cache_name name;
    const struct cache_parameters *cache;
    const struct crossbar_parameters *bus_below;
    bool shared;
};

/* The caches beyond the L1s, from the cores to memory. */
struct plans {
    struct plan level[CACHE_LEVELS];
    unsigned count, private_count;
    const struct crossbar_parameters *first_bus; /* below the L1s */
};

static struct plans make_plans(const struct model_parameters *parameters) {
    struct plans plans = {.first_bus = &parameters->memory_bus};
    const struct crossbar_parameters **bus = &plans.first_bus;
    bool shared = false;
    for (unsigned level = 0; level < CACHE_LEVELS; level++) {
        const struct cache_parameters *cache = &parameters->level[level];
        if (!cache->present)
            continue;
        shared |= strcmp(cache->sharing, "shared") == 0;
        plans.private_count += !shared;
        *bus = &parameters->level_bus[level];
        struct plan *plan = &plans.level[plans.count++];
        *plan = (struct plan){CACHE_L2 + level, cache, &parameters->memory_bus, shared};
        bus = &plan->bus_below;
    }
    return plans;
}

static enum inclusion inclusion_of(const struct plan *plan) {
    if (plan->name <= CACHE_L1D || strcmp(plan->cache->inclusion, "mostly_inclusive") == 0)
        return MOSTLY_INCLUSIVE;
    return strcmp(plan->cache->inclusion, "inclusive") == 0 ? INCLUSIVE : EXCLUSIVE;
}

static void start_prefetcher(struct cache_unit *unit,
                             const struct prefetcher_parameters *parameters, uint64_t line_size) {
    memset(unit->prefetcher_state, 0, unit->prefetcher->size(parameters, line_size));
    unit->prefetcher->init(unit->prefetcher_state, parameters, line_size);
}

static bool init_prefetcher(struct cache_unit *unit, const struct prefetcher_parameters *parameters,
                            uint64_t line_size) {
    unit->prefetcher = prefetcher_find(parameters->name);
    if (!unit->prefetcher)
        return true;
    unit->prefetcher_state = malloc(unit->prefetcher->size(parameters, line_size));
    if (!unit->prefetcher_state)
        return false;
    start_prefetcher(unit, parameters, line_size);
    if (unit->prefetcher->every_access)
        unit->tags.first_span = 0;
    return true;
}

/* False when memory is out. */
static bool init_unit(struct hierarchy *hierarchy, struct cache_unit *unit, const struct plan *plan,
                      unsigned core, uint64_t line_size) {
    const struct cache_parameters *cache = plan->cache;
    const struct crossbar_parameters *bus = plan->bus_below;
    *unit = (struct cache_unit){
        .name = (uint8_t)plan->name,
        .supplier = plan->name <= CACHE_L1D ? FROM_L1 : (uint8_t)(FROM_L2 + plan->name - CACHE_L2),
        .inclusion = (uint8_t)inclusion_of(plan),
        .shared = plan->shared,
        .core = core,
        .asker_count = plan->shared ? hierarchy->cores : 1,
        .tag_latency = cache->tag_latency,
        .hit_latency = later(cache->tag_latency, cache->data_latency),
        .response_latency = cache->response_latency,
        .request_latency = bus->frontend_latency + bus->forward_latency + bus->snoop_filter_latency,
        .reply_latency = bus->response_latency,
    };
    if (!cache_init(&unit->tags, cache->size, (unsigned)cache->associativity, line_size,
                    replacement_find(cache->replacement)) ||
        !init_prefetcher(unit, &cache->prefetcher, line_size))
        return false;
    unit->askers = calloc(unit->asker_count, sizeof *unit->askers);
    for (unsigned i = 0; unit->askers && i < unit->asker_count; i++)
        if (!in_flight_init(&unit->askers[i].fills, later(cache->mshrs, 1)) ||
            !in_flight_init(&unit->askers[i].write_backs, later(cache->write_buffers, 1)))
            return false;
    return unit->askers != NULL;
}

static unsigned unit_count(const struct hierarchy *hierarchy) {
    return hierarchy->cores * hierarchy->private_levels + hierarchy->shared_levels;
}

/* One core's L1s and private levels. False when memory is out. */
static bool init_core(struct hierarchy *hierarchy, unsigned core, const struct plans *plans,
                      const struct model_parameters *parameters) {
    const struct plan l1[L1S] = {{CACHE_L1I, &parameters->l1i, plans->first_bus, false},
                                 {CACHE_L1D, &parameters->l1d, plans->first_bus, false}};
    for (unsigned level = 0; level < hierarchy->private_levels; level++) {
        struct cache_unit *unit = unit_of_core(hierarchy, core, level);
        const struct plan *plan = level < L1S ? &l1[level] : &plans->level[level - L1S];
        if (!init_unit(hierarchy, unit, plan, core, parameters->line_size))
            return false;
        unsigned below = level < L1S ? L1S : level + 1;
        if (below < hierarchy->private_levels)
            unit->below = unit_of_core(hierarchy, core, below);
        else if (hierarchy->shared_levels)
            unit->below = shared_unit(hierarchy, 0);
    }
    struct front *front = &hierarchy->front[core];
    front->hierarchy = hierarchy;
    front->core = core;
    front->marks = LINE_ARRIVING;
    for (unsigned level = 0; level < L1S; level++)
        front->l1[level] = &unit_of_core(hierarchy, core, level)->tags;
    return true;
}

/* The table behind holders_of(). False when memory is out. */
static bool init_holders(struct hierarchy *hierarchy) {
    uint64_t lines = 0;
    for (unsigned level = 0; level < hierarchy->private_levels; level++) {
        const struct cache *tags = &unit_of_core(hierarchy, 0, level)->tags;
        lines += (tags->set_mask + 1) * tags->ways;
    }
    hierarchy->holder_slots = 1024;
    while (hierarchy->holder_slots < 8 * lines)
        hierarchy->holder_slots *= 2;
    hierarchy->holders = calloc(hierarchy->holder_slots, hierarchy->cores);
    return hierarchy->holders != NULL;
}

/* The way of a load to memory and back, with no row open there. */
static uint64_t way_to_memory(const struct hierarchy *hierarchy,
                              const struct model_parameters *parameters) {
    const struct memory_parameters *memory = &parameters->memory;
    uint64_t picoseconds = memory->latency;
    if (strcmp(memory->model, "fixed") != 0)
        picoseconds += memory->t_rcd + memory->t_cl + memory->t_burst;
    uint64_t cycles = cycles_of_picoseconds(picoseconds, parameters->clock);
    for (const struct cache_unit *unit = unit_of_core(hierarchy, 0, CACHE_L1D); unit;
         unit = unit->below)
        cycles += unit->tag_latency + unit->request_latency + unit->reply_latency +
                  unit->response_latency;
    return cycles;
}

static bool init(struct hierarchy *hierarchy, const struct model_parameters *parameters) {
    struct plans plans = make_plans(parameters);
    *hierarchy = (struct hierarchy){
        .cores = (unsigned)parameters->cores,
        .line_shift = (unsigned)__builtin_ctzll(parameters->line_size),
        .private_levels = L1S + plans.private_count,
        .shared_levels = plans.count - plans.private_count,
    };
    hierarchy->front = calloc(hierarchy->cores, sizeof *hierarchy->front);
    hierarchy->units = calloc(unit_count(hierarchy), sizeof *hierarchy->units);
    if (!hierarchy->front || !hierarchy->units)
        return false;
    for (unsigned core = 0; core < hierarchy->cores; core++)
        if (!init_core(hierarchy, core, &plans, parameters))
            return false;
    for (unsigned level = 0; level < hierarchy->shared_levels; level++) {
        struct cache_unit *unit = shared_unit(hierarchy, level);
        if (!init_unit(hierarchy, unit, &plans.level[plans.private_count + level], 0,
                       parameters->line_size))
            return false;
        unit->below = level + 1 < hierarchy->shared_levels ? unit + 1 : NULL;
    }
    for (struct cache_unit *unit = hierarchy->units;
         unit < hierarchy->units + unit_count(hierarchy); unit++) {
        unit->asks_others = !unit->shared && (!unit->below || unit->below->shared);
        unit->tells_of_clean =
            unit->inclusion == INCLUSIVE || (unit->below && unit->below->inclusion == EXCLUSIVE);
    }
    hierarchy->hit_latency[FETCH] = unit_of_core(hierarchy, 0, CACHE_L1I)->hit_latency;
    hierarchy->hit_latency[LOAD] = unit_of_core(hierarchy, 0, CACHE_L1D)->hit_latency;
    hierarchy->hit_latency[STORE] = unit_of_core(hierarchy, 0, CACHE_L1D)->tag_latency;
    hierarchy->hit_latency[WALK] = hierarchy->hit_latency[LOAD];
    hierarchy->uncached_latency = way_to_memory(hierarchy, parameters);
    return init_holders(hierarchy) && dram_init(&hierarchy->dram, parameters);
}

struct hierarchy *hierarchy_new(const struct model_parameters *parameters) {
    struct hierarchy *hierarchy = malloc(sizeof *hierarchy);
    if (hierarchy && !init(hierarchy, parameters)) {
        hierarchy_free(hierarchy);
        return NULL;
    }
    return hierarchy;
}

static void free_unit(struct cache_unit *unit) {
    cache_free(&unit->tags);
    free(unit->prefetcher_state);
    for (unsigned i = 0; unit->askers && i < unit->asker_count; i++) {
        in_flight_free(&unit->askers[i].fills);
        in_flight_free(&unit->askers[i].write_backs);
    }
    free(unit->askers);
}

void hierarchy_free(struct hierarchy *hierarchy) {
    if (!hierarchy)
        return;
    for (unsigned i = 0; hierarchy->units && i < unit_count(hierarchy); i++)
        free_unit(&hierarchy->units[i]);
    dram_free(&hierarchy->dram);
    free(hierarchy->units);
    free(hierarchy->front);
    free(hierarchy->holders);
    free(hierarchy);
}

/* Whether the unit is of these parts, or above an inclusive one that is. */
static bool forgets(const struct cache_unit *unit, unsigned parts) {
    static const uint8_t part_of[CACHE_NAMES] = {[CACHE_L1I] = FLUSH_L1,
                                                 [CACHE_L1D] = FLUSH_L1,
                                                 [CACHE_L2] = FLUSH_L2,
                                                 [CACHE_L3] = FLUSH_LLC,
                                                 [CACHE_LLC] = FLUSH_LLC};
    for (const struct cache_unit *below = unit; below; below = below->below)
        if (parts & part_of[below->name] && (below == unit || below->inclusion == INCLUSIVE))
            return true;
    return false;
}

static const struct cache_parameters *parameters_of(const struct cache_unit *unit,
                                                    const struct model_parameters *parameters) {
    if (unit->name >= CACHE_L2)
        return &parameters->level[unit->name - CACHE_L2];
    return unit->name == CACHE_L1I ? &parameters->l1i : &parameters->l1d;
}

static void flush_unit(struct cache_unit *unit, const struct model_parameters *parameters) {
    cache_flush(&unit->tags);
    for (unsigned i = 0; i < unit->asker_count; i++) {
        in_flight_clear(&unit->askers[i].fills);
        in_flight_clear(&unit->askers[i].write_backs);
    }
    if (unit->prefetcher)
        start_prefetcher(unit, &parameters_of(unit, parameters)->prefetcher, parameters->line_size);
}

/* Who holds what, once more: a flush tells nobody of single lines. */
static void count_holders(struct hierarchy *hierarchy) {
    memset(hierarchy->holders, 0, hierarchy->holder_slots * hierarchy->cores);
    for (struct cache_unit *unit = hierarchy->units; unit < shared_unit(hierarchy, 0); unit++)
        for (uint64_t set = 0; set <= unit->tags.set_mask; set++)
            for (unsigned way = 0; way < unit->tags.ways; way++) {
                uint64_t line = cache_lines(&unit->tags, set)[way];
                if (line != LINE_NONE)
                    add_holder(unit, holders_of(hierarchy, line & unit->tags.tag_mask));
            }
}

void hierarchy_flush(struct hierarchy *hierarchy, unsigned parts,
                     const struct model_parameters *parameters) {
    for (struct cache_unit *unit = hierarchy->units;
         unit < hierarchy->units + unit_count(hierarchy); unit++)
        if (forgets(unit, parts))
            flush_unit(unit, parameters);
    count_holders(hierarchy);
}

void hierarchy_set_footprint(struct hierarchy *hierarchy, unsigned core,
                             struct footprint *footprint) {
    struct front *front = &hierarchy->front[core];
    struct cache *tags = front->l1[DATA];
    front->footprint = footprint;
    for (uint64_t set = 0; footprint && set <= tags->set_mask; set++)
        for (unsigned way = 0; way < tags->ways; way++) {
            uint64_t *line = &cache_lines(tags, set)[way];
            if (*line != LINE_NONE)
                *line |= LINE_FRESH;
        }
}

const struct access_counts *hierarchy_counts(const struct hierarchy *hierarchy, unsigned core,
                                             enum model_mode mode) {
    return &hierarchy->front[core].counts[mode];
}

static struct cache_unit *find_unit(const struct hierarchy *hierarchy, unsigned core,
                                    enum cache_name name) {
    for (unsigned level = 0; level < hierarchy->private_levels; level++)
        if (unit_of_core(hierarchy, core, level)->name == name)
            return unit_of_core(hierarchy, core, level);
    for (unsigned level = 0; level < hierarchy->shared_levels; level++)
        if (shared_unit(hierarchy, level)->name == name)
            return shared_unit(hierarchy, level);
    return NULL;
}

bool hierarchy_figures(const struct hierarchy *hierarchy, unsigned core, enum cache_name name,
                       struct cache_figures *figures) {
    struct cache_unit *unit = find_unit(hierarchy, core, name);
    if (!unit)
        return false;
    *figures = (struct cache_figures){
        .shared = unit->shared,
        .write_backs = unit->write_backs,
        .prefetch = unit->prefetch,
    };
    memcpy(figures->counts, asker_of(unit, core)->counts, sizeof figures->counts);
    return true;
}

const struct dram_counts *hierarchy_dram_counts(const struct hierarchy *hierarchy) {
    return &hierarchy->dram.counts;
}
