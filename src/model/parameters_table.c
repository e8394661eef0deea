/* The table of all parameters, in the order to print, and when each of them means something. */
#include <string.h>

#include "model/branch.h"
#include "model/core.h"
#include "model/dram.h"
#include "model/parameters.h"
#include "model/prefetcher.h"
#include "model/replacement.h"

#define AT(member) offsetof(struct model_parameters, member)
#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)

static const char *const mmu_models[] = {"ideal", "tlb", NULL};
static const char *const sharings[] = {"private", "shared", NULL};
static const char *const inclusions[] = {"mostly_inclusive", "inclusive", "exclusive", NULL};

const char *const unit_kind_names[UNIT_KINDS + 1] = {
    [UNITS_INTEGER] = "integer",
    [UNITS_MULTIPLY] = "multiply",
    [UNITS_DIVIDE] = "divide",
    [UNITS_FLOAT] = "float",
    [UNITS_FLOAT_MULTIPLY] = "float_multiply",
    [UNITS_SIMD] = "simd",
    [UNITS_MEMORY] = "memory",
    [UNITS_SYSTEM] = "system",
};

enum unit_kind unit_kind_find(const char *name) {
    enum unit_kind kind = 0;
    while (kind < UNIT_KINDS && strcmp(unit_kind_names[kind], name) != 0)
        kind++;
    return kind;
}

static const char *const other_models[] = {"blocking", "same", NULL};

/* A condition: a static function and its words under one name. `p` is the parameters. */
#define CONDITION(name, expression, words)                                                         \
    static bool name##_holds(const struct model_parameters *p) {                                   \
        return expression;                                                                         \
    }                                                                                              \
    static const struct parameter_condition name = {name##_holds, words};

static bool is(const char *value, const char *one) {
    return strcmp(value, one) == 0;
}

CONDITION(blocking, is(p->core.model, "blocking"), "only for core.model blocking")
CONDITION(pipelined, !is(p->core.model, "blocking"), "only for core.model inorder or ooo")
CONDITION(inorder, is(p->core.model, "inorder"), "only for core.model inorder")
CONDITION(ooo, is(p->core.model, "ooo"), "only for core.model ooo")

CONDITION(predicting, pipelined_holds(p) && !is(p->branch.direction, "none"),
          "not for branch.direction none, nor for core.model blocking")
CONDITION(tournament, pipelined_holds(p) && is(p->branch.direction, "tournament"),
          "only for branch.direction tournament")
CONDITION(with_history,
          predicting_holds(p) && !is(p->branch.direction, "bimodal") &&
              !is(p->branch.direction, "tournament"),
          "not for branch.direction none, bimodal or tournament")
CONDITION(with_tables, pipelined_holds(p) && strstr(p->branch.direction, "tage"),
          "only for branch.direction tage and its kin")
CONDITION(with_indirect, predicting_holds(p) && p->branch.indirect_sets,
          "only with branch.indirect_sets above 0")

CONDITION(tlb, is(p->mmu.model, "tlb"), "only for mmu.model tlb")
CONDITION(with_stlb, p->mmu.stlb.entries, "only with mmu.stlb.entries above 0")

CONDITION(with_l2, p->level[LEVEL_L2].present, "only with a section caches.l2")
CONDITION(with_l3, p->level[LEVEL_L3].present, "only with a section caches.l3")

static bool prefetches(const struct cache_parameters *cache) {
    return *cache->prefetcher.name && !is(cache->prefetcher.name, "none");
}

/* What one does not use does not apply: fdip follows a path, next_line learns nothing. */
#define PREFETCHER_CONDITIONS(cache, member)                                                       \
    CONDITION(cache##_prefetches, prefetches(&p->member), "only with a prefetcher")                \
    CONDITION(cache##_has_distance,                                                                \
              prefetches(&p->member) && !is(p->member.prefetcher.name, "fdip"),                    \
              "not for the prefetchers none and fdip")                                             \
    CONDITION(cache##_has_entries,                                                                 \
              prefetches(&p->member) && !is(p->member.prefetcher.name, "next_line"),               \
              "not for the prefetchers none and next_line")
PREFETCHER_CONDITIONS(l1i, l1i)
PREFETCHER_CONDITIONS(l1d, l1d)
PREFETCHER_CONDITIONS(l2, level[LEVEL_L2])
PREFETCHER_CONDITIONS(l3, level[LEVEL_L3])
PREFETCHER_CONDITIONS(llc, level[LEVEL_LLC])

CONDITION(ddr4, is(p->memory.model, "ddr4"), "only for memory.model ddr4")

const struct parameter_section parameters_sections[] = {
    {"caches.l1i", AT(l1i.present)},
    {"caches.l1d", AT(l1d.present)},
    {"caches.l2", AT(level[LEVEL_L2].present)},
    {"caches.l3", AT(level[LEVEL_L3].present)},
    {"caches.llc", AT(level[LEVEL_LLC].present)},
    {0},
};

/* clang-format off */
#define CORE_WIDTH(field, condition, text)                                                                            \
    {"core." #field, UNIT_COUNT, AT(core.field), 1, 64, NULL, text, condition}
#define CORE_ENTRIES(field, condition, text)                                                                          \
    {"core." #field, UNIT_COUNT, AT(core.field), 1, 4096, NULL, text, condition}
#define CORE_DELAY(field, condition, text)                                                                            \
    {"core." #field, UNIT_CYCLES, AT(core.field), 1, 64, NULL, text, condition}

#define UNITS(name, kind, text)                                                                                       \
    {"core.units." #name, UNIT_COUNT, AT(core.units[kind]), 0, 16, NULL, text, &pipelined}

#define OPERATION(name, class, title)                                                                                 \
    {"core.operations." #name ".unit", UNIT_CHOICE, AT(core.operations[class].unit), 0, 0, unit_kind_names,           \
     "What executes " title ".", &pipelined},                                                                         \
    {"core.operations." #name ".latency", UNIT_CYCLES, AT(core.operations[class].latency), 1, 1000, NULL,             \
     "From issue to result.", &pipelined},                                                                            \
    {"core.operations." #name ".interval", UNIT_CYCLES, AT(core.operations[class].interval), 1, 1000, NULL,           \
     "From issue until the unit takes the next operation.", &pipelined},                                              \
    {"core.operations." #name ".slack", UNIT_CYCLES, AT(core.operations[class].slack), 0, 1000, NULL,                 \
     "After issue, that operands may still be late.", &inorder}

#define TLB(tlb, title, condition)                                                                                    \
    {"mmu." #tlb ".associativity", UNIT_COUNT, AT(mmu.tlb.associativity), 1, 4096, NULL,                              \
     "Ways of " title "; as many as entries: fully associative.", condition}

#define PREFETCHER(cache, member, names, title, condition)                                                                  \
    {"caches." #cache ".prefetcher.name", UNIT_CHOICE, AT(member.prefetcher.name), 0, 0, names,            \
     "What brings lines into " title " ahead of their use.", condition},                                              \
    {"caches." #cache ".prefetcher.degree", UNIT_COUNT, AT(member.prefetcher.degree), 1, 64, NULL,                    \
     "Lines that it asks for at a time.", &cache##_prefetches},                                                       \
    {"caches." #cache ".prefetcher.distance", UNIT_COUNT, AT(member.prefetcher.distance), 1, 256, NULL,               \
     "Lines ahead of the access that causes it.", &cache##_has_distance},                                               \
    {"caches." #cache ".prefetcher.entries", UNIT_COUNT, AT(member.prefetcher.entries), 1, 65536, NULL,               \
     "Entries of its table.", &cache##_has_entries}

#define CACHE(cache, member, title, condition)                                                                        \
    {"caches." #cache ".size", UNIT_BYTES, AT(member.size), 64, GIB, NULL, "Capacity of " title ".", condition},      \
    {"caches." #cache ".associativity", UNIT_COUNT, AT(member.associativity), 1, 64, NULL, "Ways of " title ".",      \
     condition},                                                                                                      \
    {"caches." #cache ".tag_latency", UNIT_CYCLES, AT(member.tag_latency), 1, 1000, NULL,                             \
     "Tag look-up in " title ": a store that hits, a miss before it goes on.", condition},                            \
    {"caches." #cache ".data_latency", UNIT_CYCLES, AT(member.data_latency), 1, 1000, NULL,                           \
     "Data read from " title ", beside the tag look-up: a load that hits takes the longer of both.", condition},      \
    {"caches." #cache ".response_latency", UNIT_CYCLES, AT(member.response_latency), 0, 1000, NULL,                   \
     "From the arrival of a missing line at " title " to its answer.", condition},                                    \
    {"caches." #cache ".mshrs", UNIT_COUNT, AT(member.mshrs), 1, 1024, NULL,                                          \
     "Misses that " title " has under way at a time.", condition}

#define WRITES(cache, member, title, condition)                                                                       \
    {"caches." #cache ".write_buffers", UNIT_COUNT, AT(member.write_buffers), 1, 1024, NULL,                          \
     "Write-backs that " title " has under way at a time.", condition}

#define REPLACEMENT(cache, member, title, condition)                                                                  \
    {"caches." #cache ".replacement", UNIT_CHOICE, AT(member.replacement), 0, 0, replacement_names,                   \
     "Replacement policy of " title ".", condition}

#define LEVEL(cache, member, title, condition)                                                                        \
    CACHE(cache, member, title, condition),                                                                           \
    WRITES(cache, member, title, condition),                                                                          \
    {"caches." #cache ".sharing", UNIT_CHOICE, AT(member.sharing), 0, 0, sharings,                                    \
     "Whose " title " is: private is one a core, shared is one for all.", condition},                                 \
    {"caches." #cache ".inclusion", UNIT_CHOICE, AT(member.inclusion), 0, 0, inclusions,                              \
     "What " title " holds of the caches above: inclusive is all of it, exclusive what they gave up.", condition},    \
    REPLACEMENT(cache, member, title, condition),                                                                     \
    PREFETCHER(cache, member, prefetcher_data_names, title, condition)

#define CROSSBAR(bus, member, title, condition)                                                                       \
    {"buses." #bus ".width", UNIT_BYTES, AT(member.width), 1, 4096, NULL, "Bytes a cycle through " title ".",         \
     condition},                                                                                                      \
    {"buses." #bus ".frontend_latency", UNIT_CYCLES, AT(member.frontend_latency), 0, 1000, NULL,                      \
     "Arbitration and decoding of a request in " title ".", condition},                                               \
    {"buses." #bus ".forward_latency", UNIT_CYCLES, AT(member.forward_latency), 0, 1000, NULL,                        \
     "Way of a request through " title ".", condition},                                                               \
    {"buses." #bus ".response_latency", UNIT_CYCLES, AT(member.response_latency), 0, 1000, NULL,                      \
     "Way of an answer back through " title ".", condition},                                                          \
    {"buses." #bus ".snoop_filter_latency", UNIT_CYCLES, AT(member.snoop_filter_latency), 0, 1000, NULL,              \
     "Look-up in the snoop filter of " title ", paid by every request.", condition}

#define DRAM_COUNT(field, most, text) {"memory." #field, UNIT_COUNT, AT(memory.field), 1, most, NULL, text, &ddr4}
#define DRAM_TIME(field, text) {"memory." #field, UNIT_PICOSECONDS, AT(memory.field), 1, 1000000, NULL, text, &ddr4}

const struct parameter parameters_table[] = {
    {"name", UNIT_TEXT, AT(name), 0, 0, NULL, "Name of the system."},
    {"description", UNIT_TEXT, AT(description), 0, 0, NULL, "One sentence about the system."},
    {"clock", UNIT_HERTZ, AT(clock), 1000000, 100000000000, NULL, "Clock of cores, caches and buses."},
    {"cores", UNIT_COUNT, AT(cores), 1, 64, NULL, "Number of cores."},

    {"core.model", UNIT_CHOICE, AT(core.model), 0, 0, core_names,
     "How a core executes: one instruction at a time, in a pipeline, or out of order."},
    {"core.others", UNIT_CHOICE, AT(core.others), 0, 0, other_models,
     "How the cores keep time that are not measured: blocking, in a fraction of the host's time, or the same.", &pipelined},
    {"core.fetch_width", UNIT_BYTES, AT(core.fetch_width), 1, 4096, NULL, "Aligned bytes that one fetch delivers.",
     &blocking},
    CORE_WIDTH(front_width, &pipelined, "Fetched and decoded a cycle: micro-operations; inorder: instructions."),
    CORE_WIDTH(rename_width, &ooo, "Micro-operations renamed in a cycle."),
    CORE_WIDTH(issue_width, &pipelined, "Micro-operations that start to execute in a cycle."),
    CORE_WIDTH(memory_issue_width, &inorder, "… of them loads and stores."),
    CORE_WIDTH(commit_width, &pipelined, "Micro-operations that commit in a cycle."),
    CORE_WIDTH(squash_width, &ooo, "Micro-operations thrown away in a cycle after a mispredicted branch."),
    CORE_ENTRIES(window, &pipelined, "Micro-operations in flight: reorder buffer; inorder: queue before execution."),
    CORE_ENTRIES(issue_queue, &ooo, "Micro-operations that wait for operands and units: scheduler."),
    CORE_ENTRIES(load_queue, &ooo, "Loads in flight."),
    CORE_ENTRIES(store_buffer, &pipelined, "Stores that have not reached the L1D: store queue."),
    CORE_ENTRIES(integer_registers, &ooo, "Physical integer registers."),
    CORE_ENTRIES(float_registers, &ooo, "Physical vector and x87 registers of 64 bits: an XMM register takes two."),
    CORE_ENTRIES(fetch_queue, &ooo, "Micro-operations between fetch and decode."),
    CORE_DELAY(branch_delay, &inorder, "From a branch's execution to the first fetch from its target."),
    CORE_DELAY(fetch_to_decode, &ooo, "From fetch to decode."),
    CORE_DELAY(decode_to_rename, &ooo, "From decode to rename."),
    CORE_DELAY(rename_to_issue, &ooo, "From rename to the issue queue."),
    CORE_DELAY(issue_to_execute, &ooo, "From issue to execution."),
    CORE_DELAY(execute_to_commit, &ooo, "From a result to the earliest commit."),
    CORE_DELAY(commit_to_fetch, &ooo, "From a mispredicted branch's commit signal to the fetch from its target."),

    UNITS(integer, UNITS_INTEGER, "Units for integer arithmetic and branches."),
    UNITS(multiply, UNITS_MULTIPLY, "Units for integer multiplication."),
    UNITS(divide, UNITS_DIVIDE, "Units for integer division."),
    UNITS(float, UNITS_FLOAT, "Units for floating-point addition."),
    UNITS(float_multiply, UNITS_FLOAT_MULTIPLY, "Units for floating-point multiplication."),
    UNITS(simd, UNITS_SIMD, "Units for packed integers."),
    UNITS(memory, UNITS_MEMORY, "Units for loads and stores."),
    UNITS(system, UNITS_SYSTEM, "Units for control and model-specific registers."),

    OPERATION(int_alu, OP_INT_ALU, "integer arithmetic, logic and branches"),
    OPERATION(int_mul, OP_INT_MUL, "integer multiplication"),
    OPERATION(int_div, OP_INT_DIV, "integer division"),
    OPERATION(fp_add, OP_FP_ADD, "floating-point addition"),
    OPERATION(fp_cmp, OP_FP_CMP, "floating-point comparison"),
    OPERATION(fp_cvt, OP_FP_CVT, "floating-point conversion"),
    OPERATION(fp_mul, OP_FP_MUL, "floating-point multiplication"),
    OPERATION(fp_div, OP_FP_DIV, "floating-point division"),
    OPERATION(fp_sqrt, OP_FP_SQRT, "square roots"),
    OPERATION(fp_misc, OP_FP_MISC, "other floating-point operations"),
    OPERATION(simd_int, OP_SIMD_INT, "packed-integer arithmetic, logic and shuffles"),
    OPERATION(simd_mul, OP_SIMD_MUL, "packed-integer multiplication"),
    OPERATION(simd_misc, OP_SIMD_MISC, "moves between register files and other packed operations"),
    OPERATION(load, OP_LOAD, "loads, without the cache's part"),
    OPERATION(store, OP_STORE, "stores"),
    OPERATION(system, OP_SYSTEM, "accesses to control and model-specific registers"),

    {"branch.direction", UNIT_CHOICE, AT(branch.direction), 0, 0, direction_names,
     "Predictor of conditional branches.", &pipelined},
    {"branch.size", UNIT_COUNT, AT(branch.size), 2, 16777216, NULL, "Entries of its largest table.", &predicting},
    {"branch.local_size", UNIT_COUNT, AT(branch.local_size), 2, 16777216, NULL,
     "Entries of its table of local histories, and of that of their counters.", &tournament},
    {"branch.history", UNIT_COUNT, AT(branch.history), 1, 4096, NULL,
     "Branches of the longest global history that it looks at.", &with_history},
    {"branch.tables", UNIT_COUNT, AT(branch.tables), 1, 64, NULL, "Tagged tables.", &with_tables},
    {"branch.btb_entries", UNIT_COUNT, AT(branch.btb_entries), 1, 1048576, NULL, "Branch target buffer: entries.",
     &predicting},
    {"branch.btb_associativity", UNIT_COUNT, AT(branch.btb_associativity), 1, 64, NULL,
     "Branch target buffer: ways.", &predicting},
    {"branch.ras_entries", UNIT_COUNT, AT(branch.ras_entries), 1, 1024, NULL, "Return stack: entries.", &predicting},
    {"branch.indirect_sets", UNIT_COUNT, AT(branch.indirect_sets), 0, 65536, NULL,
     "Predictor of indirect targets: sets; 0: there is none.", &predicting},
    {"branch.indirect_ways", UNIT_COUNT, AT(branch.indirect_ways), 1, 64, NULL,
     "Predictor of indirect targets: ways.", &with_indirect},

    {"mmu.model", UNIT_CHOICE, AT(mmu.model), 0, 0, mmu_models,
     "How addresses are translated: ideal is at once, tlb is with TLBs and page walks."},
    {"mmu.itlb.entries", UNIT_COUNT, AT(mmu.itlb.entries), 1, 65536, NULL,
     "Translations in a core's first level for code.", &tlb},
    TLB(itlb, "the first level for code", &tlb),
    {"mmu.dtlb.entries", UNIT_COUNT, AT(mmu.dtlb.entries), 1, 65536, NULL,
     "Translations in a core's first level for data.", &tlb},
    TLB(dtlb, "the first level for data", &tlb),
    {"mmu.stlb.entries", UNIT_COUNT, AT(mmu.stlb.entries), 0, 65536, NULL,
     "Translations in a core's second level, for both; 0: there is none.", &tlb},
    TLB(stlb, "the second level", &with_stlb),
    {"mmu.stlb.latency", UNIT_CYCLES, AT(mmu.stlb.latency), 1, 1000, NULL, "A hit in the second level.", &with_stlb},
    {"mmu.walk_cache", UNIT_COUNT, AT(mmu.walk_cache), 0, 4096, NULL,
     "Entries of upper page-table levels that a core's walks need not read; 0: none.", &tlb},

    {"caches.line_size", UNIT_BYTES, AT(line_size), 16, 4096, NULL, "Line of every cache."},
    CACHE(l1i, l1i, "each core's L1 instruction cache", NULL),
    REPLACEMENT(l1i, l1i, "each core's L1 instruction cache", NULL),
    PREFETCHER(l1i, l1i, prefetcher_code_names, "each core's L1 instruction cache", NULL),
    CACHE(l1d, l1d, "each core's L1 data cache", NULL),
    WRITES(l1d, l1d, "each core's L1 data cache", NULL),
    REPLACEMENT(l1d, l1d, "each core's L1 data cache", NULL),
    PREFETCHER(l1d, l1d, prefetcher_data_names, "each core's L1 data cache", NULL),
    LEVEL(l2, level[LEVEL_L2], "the L2 cache", &with_l2),
    LEVEL(l3, level[LEVEL_L3], "the L3 cache", &with_l3),
    LEVEL(llc, level[LEVEL_LLC], "the last-level cache", NULL),

    CROSSBAR(l2, level_bus[LEVEL_L2], "the bus before the L2", &with_l2),
    CROSSBAR(l3, level_bus[LEVEL_L3], "the bus before the L3", &with_l3),
    CROSSBAR(llc, level_bus[LEVEL_LLC], "the bus before the LLC", NULL),
    CROSSBAR(memory, memory_bus, "the bus between LLC and memory", NULL),

    {"memory.size", UNIT_BYTES, AT(memory.size), MIB, 1024 * GIB, NULL, "Size of the memory."},
    {"memory.model", UNIT_CHOICE, AT(memory.model), 0, 0, dram_names,
     "How memory answers: fixed is after one latency at any load, ddr4 is by banks and row buffers."},
    {"memory.latency", UNIT_PICOSECONDS, AT(memory.latency), 0, 1000000000, NULL,
     "From a request at the memory to its answer; ddr4: the controller's share of it."},
    DRAM_COUNT(channels, 16, "Channels: lines go to them in turn."),
    DRAM_COUNT(ranks, 16, "Ranks of a channel."),
    DRAM_COUNT(banks, 64, "Banks of a rank."),
    {"memory.row_size", UNIT_BYTES, AT(memory.row_size), 64, MIB, NULL,
     "Row buffer of a bank, all chips of a rank together.", &ddr4},
    DRAM_TIME(t_rcd, "From opening a row to reading from it."),
    DRAM_TIME(t_cl, "From a read command to the first data."),
    DRAM_TIME(t_rp, "Closing a row."),
    DRAM_TIME(t_ras, "From opening a row to the earliest closing."),
    DRAM_TIME(t_burst, "A line's data on the bus."),
    {0},
};
/* clang-format on */
