/* Whether parameters are legal, one by one and together. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/branch.h"
#include "model/parameters.h"

/* Always false. What a file says may be in the text: a terminal shall not obey it. */
__attribute__((format(printf, 3, 4))) static bool refuse(struct parameters_problem *problem,
                                                         const char *key, const char *format, ...) {
    if (problem) {
        va_list arguments;
        va_start(arguments, format);
        problem->key = key;
        vsnprintf(problem->text, sizeof problem->text, format, arguments);
        va_end(arguments);
        for (char *c = problem->text; *c; c++)
            if ((unsigned char)*c < ' ' || *c == 0x7f)
                *c = '?';
    }
    return false;
}

static bool is(const char *value, const char *one) {
    return strcmp(value, one) == 0;
}

static bool is_power_of_two(uint64_t number) {
    return number && !(number & (number - 1));
}

static bool check_number(const struct parameter *parameter, uint64_t number,
                         struct parameters_problem *problem) {
    if (number >= parameter->minimum && number <= parameter->maximum)
        return true;
    char value[64], low[64], high[64];
    parameter_format(parameter->unit, number, value, sizeof value);
    parameter_format(parameter->unit, parameter->minimum, low, sizeof low);
    parameter_format(parameter->unit, parameter->maximum, high, sizeof high);
    return refuse(problem, parameter->key, "%s is out of range: %s to %s", value, low, high);
}

static bool check_choice(const struct parameter *parameter, const char *text,
                         struct parameters_problem *problem) {
    char known[256] = "";
    for (const char *const *choice = parameter->choices; *choice; choice++) {
        if (is(*choice, text))
            return true;
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", *choice);
    }
    return refuse(problem, parameter->key, "there is no `%.40s`: one of %s", text, known);
}

/* Text stands in reports and manifests: bytes of UTF-8, no control characters (C0, DEL, C1), no
 * Unicode line ends, no byte order marks. */
static bool is_printable(const char *text) {
    static const char *const odd[] = {"\u2028", "\u2029", "\uFEFF"};
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c < ' ' || *c == 0x7f || (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0))
            return false;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        if (strstr(text, odd[i]))
            return false;
    return true;
}

bool parameter_check(const struct model_parameters *parameters, const struct parameter *parameter,
                     struct parameters_problem *problem) {
    const char *text = parameter_value(parameters, parameter);
    if (parameter->unit >= UNIT_COUNT)
        return check_number(parameter, *(const uint64_t *)(const void *)text, problem);
    if (!*text)
        return refuse(problem, parameter->key, "empty: needs a text");
    if (parameter->unit == UNIT_CHOICE)
        return check_choice(parameter, text, problem);
    return is_printable(text) ||
           refuse(problem, parameter->key, "control characters: needs one line of plain text");
}

/* The name becomes part of a folder's. */
static bool check_name(const char *name, struct parameters_problem *problem) {
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (strspn(name, legal) != strlen(name) || *name == '.' || *name == '-' || strlen(name) > 64)
        return refuse(
            problem, "name",
            "`%.80s`: needs at most 64 letters, digits, `.`, `_`, `-`, the first a letter "
            "or digit",
            name);
    return true;
}

static bool check_power_of_two(const char *key, uint64_t number,
                               struct parameters_problem *problem) {
    return is_power_of_two(number) ||
           refuse(problem, key, "%" PRIu64 ": must be a power of two", number);
}

/* A table of entries in ways. */
static bool check_table(const char *key, uint64_t entries, uint64_t ways,
                        struct parameters_problem *problem) {
    if (entries % ways)
        return refuse(problem, key,
                      "%" PRIu64 " are not whole sets: a multiple of the associativity, %" PRIu64,
                      entries, ways);
    if (!is_power_of_two(entries / ways))
        return refuse(problem, key,
                      "makes %" PRIu64 " sets: entries / associativity must be a power of two",
                      entries / ways);
    return true;
}

static bool check_at_most(const char *key, uint64_t number, const char *most_key, uint64_t most,
                          struct parameters_problem *problem) {
    return number <= most || refuse(problem, key, "%" PRIu64 " is more than %s: at most %" PRIu64,
                                    number, most_key, most);
}

/* An operation needs at least one unit to execute it. */
static bool check_units(const struct model_parameters *parameters,
                        struct parameters_problem *problem) {
    for (const struct parameter *p = parameters_table; p->key; p++) {
        if (p->choices != unit_kind_names)
            continue;
        const char *name = parameter_value(parameters, p);
        if (!parameters->core.units[unit_kind_find(name)])
            return refuse(problem, p->key, "core.units.%s is 0: at least 1, or another unit", name);
    }
    return true;
}

/* Renaming needs a free register beyond those that hold the architecture's and the microcode's. */
static bool check_registers(const struct core_parameters *core,
                            struct parameters_problem *problem) {
    enum { INTEGERS = REGISTER_VECTOR, FLOATS = REGISTERS - REGISTER_VECTOR };
    if (core->integer_registers <= INTEGERS)
        return refuse(problem, "core.integer_registers",
                      "%" PRIu64 ": must be more than the %d of architecture and microcode",
                      core->integer_registers, INTEGERS);
    if (core->float_registers <= FLOATS)
        return refuse(problem, "core.float_registers",
                      "%" PRIu64 ": must be more than the %d of architecture and microcode",
                      core->float_registers, FLOATS);
    return true;
}

static bool check_core(const struct model_parameters *parameters,
                       struct parameters_problem *problem) {
    const struct core_parameters *core = &parameters->core;
    if (is(core->model, "blocking"))
        return check_power_of_two("core.fetch_width", core->fetch_width, problem) &&
               check_at_most("core.fetch_width", core->fetch_width, "caches.line_size",
                             parameters->line_size, problem);
    return check_at_most("core.memory_issue_width", core->memory_issue_width, "core.issue_width",
                         core->issue_width, problem) &&
           check_units(parameters, problem) &&
           (!is(core->model, "ooo") || check_registers(core, problem));
}

/* Of the direction predictor, only itself knows what it can have. */
static bool check_branch(const struct branch_parameters *branch,
                         struct parameters_problem *problem) {
    const char *key = "branch.direction";
    const struct direction_predictor *predictor = direction_find(branch->direction);
    const char *wrong = predictor->check ? predictor->check(branch, &key) : NULL;
    if (wrong)
        return refuse(problem, key, "%s", wrong);
    if (!predictor->predict)
        return true;
    return check_table("branch.btb_entries", branch->btb_entries, branch->btb_associativity,
                       problem) &&
           (!branch->indirect_sets ||
            check_power_of_two("branch.indirect_sets", branch->indirect_sets, problem));
}

static bool check_mmu(const struct mmu_parameters *mmu, struct parameters_problem *problem) {
    return is(mmu->model, "ideal") ||
           (check_table("mmu.itlb.entries", mmu->itlb.entries, mmu->itlb.associativity, problem) &&
            check_table("mmu.dtlb.entries", mmu->dtlb.entries, mmu->dtlb.associativity, problem) &&
            (!mmu->stlb.entries ||
             check_table("mmu.stlb.entries", mmu->stlb.entries, mmu->stlb.associativity, problem)));
}

static bool check_cache(const struct cache_parameters *cache, uint64_t line_size, const char *key,
                        struct parameters_problem *problem) {
    uint64_t set = cache->associativity * line_size; /* bytes */
    if (cache->size % set)
        return refuse(problem, key,
                      "%" PRIu64 " bytes are not whole sets: a multiple of associativity × line "
                      "size = %" PRIu64 " bytes",
                      cache->size, set);
    if (!is_power_of_two(cache->size / set))
        return refuse(problem, key,
                      "makes %" PRIu64 " sets: size / (associativity × line size) must be a power "
                      "of two",
                      cache->size / set);
    return true;
}

static const struct {
    const char *size, *sharing, *prefetcher;
} level_keys[CACHE_LEVELS] = {
    [LEVEL_L2] = {"caches.l2.size", "caches.l2.sharing", "caches.l2.prefetcher.entries"},
    [LEVEL_L3] = {"caches.l3.size", "caches.l3.sharing", "caches.l3.prefetcher.entries"},
    [LEVEL_LLC] = {"caches.llc.size", "caches.llc.sharing", "caches.llc.prefetcher.entries"},
};

/* Each level against those above it: whose it is, and room for what it must contain. */
static bool check_levels(const struct model_parameters *parameters,
                         struct parameters_problem *problem) {
    uint64_t above = parameters->l1i.size + parameters->l1d.size; /* bytes a core */
    bool shared = false;
    for (unsigned i = 0; i < CACHE_LEVELS; i++) {
        const struct cache_parameters *cache = &parameters->level[i];
        if (!cache->present)
            continue;
        bool shared_now = is(cache->sharing, "shared");
        if (!check_cache(cache, parameters->line_size, level_keys[i].size, problem))
            return false;
        if (shared && !shared_now)
            return refuse(problem, level_keys[i].sharing,
                          "private below a shared cache: must be shared");
        if (shared_now && !shared)
            above *= parameters->cores;
        if (is(cache->inclusion, "inclusive") && cache->size < above)
            return refuse(problem, level_keys[i].size,
                          "%" PRIu64 " bytes cannot include the %" PRIu64
                          " bytes above: larger, or not inclusive",
                          cache->size, above);
        above = cache->size;
        shared = shared_now;
    }
    return true;
}

/* Tables that are indexed by a hash; that of streams is searched. */
static bool check_prefetcher(const struct cache_parameters *cache, const char *key,
                             struct parameters_problem *problem) {
    const struct prefetcher_parameters *prefetcher = &cache->prefetcher;
    bool hashed = is(prefetcher->name, "stride") || is(prefetcher->name, "fdip");
    return !hashed || check_power_of_two(key, prefetcher->entries, problem);
}

static bool check_prefetchers(const struct model_parameters *parameters,
                              struct parameters_problem *problem) {
    for (unsigned i = 0; i < CACHE_LEVELS; i++)
        if (!check_prefetcher(&parameters->level[i], level_keys[i].prefetcher, problem))
            return false;
    return check_prefetcher(&parameters->l1i, "caches.l1i.prefetcher.entries", problem) &&
           check_prefetcher(&parameters->l1d, "caches.l1d.prefetcher.entries", problem);
}

static bool check_caches(const struct model_parameters *parameters,
                         struct parameters_problem *problem) {
    if (!parameters->l1i.present || !parameters->l1d.present ||
        !parameters->level[LEVEL_LLC].present)
        return refuse(problem, "caches", "l1i, l1d and llc must be present");
    return check_power_of_two("caches.line_size", parameters->line_size, problem) &&
           check_cache(&parameters->l1i, parameters->line_size, "caches.l1i.size", problem) &&
           check_cache(&parameters->l1d, parameters->line_size, "caches.l1d.size", problem) &&
           check_levels(parameters, problem) && check_prefetchers(parameters, problem);
}

static bool check_memory(const struct memory_parameters *memory, uint64_t line_size,
                         struct parameters_problem *problem) {
    if (is(memory->model, "fixed"))
        return true;
    if (!check_power_of_two("memory.channels", memory->channels, problem) ||
        !check_power_of_two("memory.ranks", memory->ranks, problem) ||
        !check_power_of_two("memory.banks", memory->banks, problem) ||
        !check_power_of_two("memory.row_size", memory->row_size, problem))
        return false;
    uint64_t rows = memory->channels * memory->ranks * memory->banks * memory->row_size;
    if (memory->row_size < line_size)
        return refuse(problem, "memory.row_size",
                      "%" PRIu64 " bytes: must hold a line of %" PRIu64 " bytes", memory->row_size,
                      line_size);
    if (memory->size % rows)
        return refuse(problem, "memory.size",
                      "%" PRIu64 " bytes: must be a multiple of channels × ranks × banks × row "
                      "size = %" PRIu64 " bytes",
                      memory->size, rows);
    if (memory->t_ras < memory->t_rcd)
        return refuse(problem, "memory.t_ras",
                      "a row cannot close before it is open: at least memory.t_rcd");
    return true;
}

bool parameters_check(const struct model_parameters *parameters,
                      struct parameters_problem *problem) {
    for (const struct parameter *p = parameters_table; p->key; p++)
        if (parameter_applies(parameters, p) && !parameter_check(parameters, p, problem))
            return false;
    return check_name(parameters->name, problem) && check_caches(parameters, problem) &&
           check_core(parameters, problem) &&
           (is(parameters->core.model, "blocking") || check_branch(&parameters->branch, problem)) &&
           check_mmu(&parameters->mmu, problem) &&
           check_memory(&parameters->memory, parameters->line_size, problem);
}
