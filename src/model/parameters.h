/* The parameters of a simulated machine, and the one table that declares them: what a system file
 * may say, what it must say, and how it is printed back. A system file has no hidden defaults:
 * every parameter that its choices make meaningful is required, every other one is refused.
 * Quantities are kept in base units: bytes, hertz, picoseconds, cycles. */
#ifndef SLS_MODEL_PARAMETERS_H
#define SLS_MODEL_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/instruction.h"

enum { PARAMETER_TEXT = 256 }; /* bytes of a text parameter, its NUL included */

/* Numbers that do not apply to a system are 0, texts are empty. */

struct prefetcher_parameters {
    char name[PARAMETER_TEXT]; /* "none", or one of the table in prefetcher.c */
    uint64_t degree;           /* lines asked for at a time */
    uint64_t distance;         /* lines ahead of the access that causes it; not fdip */
    uint64_t entries;          /* of its table; not next_line */
};

struct cache_parameters {
    uint64_t present;          /* 0: the system has no such cache; L1s and LLC are always there */
    uint64_t size;             /* bytes */
    uint64_t associativity;    /* ways */
    uint64_t tag_latency;      /* cycles */
    uint64_t data_latency;     /* cycles; tags and data are read side by side */
    uint64_t response_latency; /* cycles from the arrival of a fill to the answer */
    uint64_t mshrs;            /* misses under way at a time */
    uint64_t write_buffers;    /* write-backs under way at a time */
    char sharing[PARAMETER_TEXT];   /* "private" to a core, or "shared"; L1s are private */
    char inclusion[PARAMETER_TEXT]; /* "mostly_inclusive", "inclusive", "exclusive"; not for L1s */
    char replacement[PARAMETER_TEXT];
    struct prefetcher_parameters prefetcher;
};

struct crossbar_parameters {
    uint64_t width;                                               /* bytes a cycle */
    uint64_t frontend_latency, forward_latency, response_latency; /* cycles */
    uint64_t snoop_filter_latency;                                /* cycles, paid by requests */
};

/* The caches beyond the L1s, from the cores to memory; those that are present. */
enum cache_level { LEVEL_L2, LEVEL_L3, LEVEL_LLC, CACHE_LEVELS };

struct tlb_parameters {
    uint64_t entries, associativity;
    uint64_t latency; /* cycles: of a hit in the second level; L1 TLBs are looked up with the L1 */
};

struct mmu_parameters {
    char model[PARAMETER_TEXT];       /* "ideal": translation is free; "tlb" */
    struct tlb_parameters itlb, dtlb; /* per core */
    struct tlb_parameters stlb;       /* per core, for both; 0 entries: none */
    /* entries per core of upper table levels that a walk need not read; 0: none */
    uint64_t walk_cache;
};

struct memory_parameters {
    uint64_t size;              /* bytes */
    char model[PARAMETER_TEXT]; /* "fixed", "ddr4" */
    uint64_t latency;           /* ps; fixed: from request to answer; ddr4: controller's share */
    /* ddr4 */
    uint64_t channels, ranks, banks; /* banks of a rank */
    uint64_t row_size;               /* bytes of a row buffer, all chips of a rank together */
    uint64_t t_rcd, t_cl, t_rp, t_ras, t_burst; /* ps */
};

struct branch_parameters {
    char direction[PARAMETER_TEXT]; /* one of the table in direction.c */
    uint64_t size;                  /* entries of the (largest) direction table */
    uint64_t local_size; /* tournament: entries of the local history and counter tables */
    uint64_t history;    /* bits of (longest) global history */
    uint64_t tables;     /* tage: tagged tables */
    uint64_t btb_entries, btb_associativity;
    uint64_t ras_entries;
    /* of the indirect target predictor; 0 sets: none, the BTB's */
    uint64_t indirect_sets, indirect_ways;
};

/* Execution units. */
enum unit_kind {
    UNITS_INTEGER,
    UNITS_MULTIPLY,
    UNITS_DIVIDE,
    UNITS_FLOAT,
    UNITS_FLOAT_MULTIPLY,
    UNITS_SIMD,
    UNITS_MEMORY,
    UNITS_SYSTEM,
    UNIT_KINDS
};
extern const char *const unit_kind_names[UNIT_KINDS + 1]; /* as enum unit_kind, then NULL */
enum unit_kind unit_kind_find(const char *name);          /* UNIT_KINDS: none of this name */

struct operation_parameters {
    char unit[PARAMETER_TEXT]; /* the name of a unit_kind */
    uint64_t latency;          /* cycles from issue to result */
    uint64_t interval;         /* cycles until the unit takes the next one */
    uint64_t slack;            /* inorder: cycles after issue when operands may still arrive */
};

struct core_parameters {
    char model[PARAMETER_TEXT];  /* "blocking", "inorder", "ooo" */
    char others[PARAMETER_TEXT]; /* of cores that are not measured: "blocking", "same" */
    uint64_t fetch_width;        /* blocking: aligned bytes a fetch delivers */
    /* inorder and ooo: micro-operations a cycle */
    uint64_t front_width; /* fetched and decoded; inorder: instructions fetched */
    uint64_t issue_width, memory_issue_width;
    uint64_t commit_width;
    uint64_t window; /* micro-operations in flight: ROB, or in-order queue */
    /* stores that have committed and not yet reached the L1D; ooo: store queue */
    uint64_t store_buffer;
    /* inorder */
    uint64_t branch_delay; /* cycles from a branch's execution to the first fetch from its target */
    /* ooo */
    uint64_t rename_width, squash_width;
    uint64_t issue_queue, load_queue;
    uint64_t integer_registers, float_registers; /* physical */
    uint64_t fetch_queue;                        /* micro-operations between fetch and decode */
    uint64_t fetch_to_decode, decode_to_rename, rename_to_issue, issue_to_execute,
        execute_to_commit, commit_to_fetch;             /* cycles */
    uint64_t units[UNIT_KINDS];                         /* how many of each */
    struct operation_parameters operations[OP_CLASSES]; /* OP_NOTHING's is not used */
};

struct model_parameters {
    char name[PARAMETER_TEXT], description[PARAMETER_TEXT];
    uint64_t clock; /* Hz: cores, caches and crossbars */
    uint64_t cores;
    struct core_parameters core;
    struct branch_parameters branch; /* not for blocking cores */
    struct mmu_parameters mmu;
    uint64_t line_size; /* bytes, of every cache */
    struct cache_parameters l1i, l1d, level[CACHE_LEVELS];
    struct crossbar_parameters level_bus[CACHE_LEVELS], /* before that cache */
        memory_bus;
    struct memory_parameters memory;
};

enum parameter_unit {
    UNIT_TEXT,   /* char[PARAMETER_TEXT], anything but empty */
    UNIT_CHOICE, /* char[PARAMETER_TEXT], one of `choices` */
    UNIT_COUNT,  /* uint64_t, as all that follow */
    UNIT_BYTES,
    UNIT_HERTZ,
    UNIT_PICOSECONDS,
    UNIT_CYCLES,
};

/* What must hold for a parameter to mean anything. Told only of parameters that stand before it in
 * the table. */
struct parameter_condition {
    bool (*holds)(const struct model_parameters *parameters);
    const char *text; /* for messages: "only for core.model inorder or ooo" */
};

struct parameter {
    const char *key; /* its path in a system file: "caches.l1d.size" */
    enum parameter_unit unit;
    size_t offset;                             /* in struct model_parameters */
    uint64_t minimum, maximum;                 /* of the number, both legal; unused for text */
    const char *const *choices;                /* NULL-terminated */
    const char *description;                   /* one sentence */
    const struct parameter_condition *applies; /* NULL: always */
};

/* The table, in the order to print. Ends with a NULL key. */
extern const struct parameter parameters_table[];

/* The sections of a system file that are caches: `present` is set where one is given. */
struct parameter_section {
    const char *key;
    size_t present; /* offset in struct model_parameters */
};
extern const struct parameter_section parameters_sections[]; /* ends with a NULL key */

/* Where a parameter lies: a uint64_t, or PARAMETER_TEXT chars. */
void *parameter_place(struct model_parameters *parameters, const struct parameter *parameter);
const void *parameter_value(const struct model_parameters *parameters,
                            const struct parameter *parameter);

/* Whether the others' values make this one meaningful. */
bool parameter_applies(const struct model_parameters *parameters,
                       const struct parameter *parameter);

/* How quantities of a unit are written: the names and what each is worth in base units, smallest
 * first. Ends with a NULL name; the empty list for text and plain numbers. */
struct unit_name {
    const char *name;
    uint64_t factor;
};
const struct unit_name *parameter_units(enum parameter_unit unit);

/* A number as people write it ("16 kB", "2.5 GHz", "12 cycles"), in the largest unit that keeps it
 * exact to three decimals. */
void parameter_format(enum parameter_unit unit, uint64_t number, char *text, size_t size);

struct parameters_problem {
    const char *key; /* of the parameter to blame */
    char text[512];  /* "why: what is legal" */
};

/* Whether this one, by itself, has a legal value. If not, `problem` (may be NULL) says why. */
bool parameter_check(const struct model_parameters *parameters, const struct parameter *parameter,
                     struct parameters_problem *problem);

/* Whether a machine can have these parameters: each that applies legal, and together geometries
 * that can be indexed. If not, `problem` (may be NULL) says what is wrong. */
bool parameters_check(const struct model_parameters *parameters,
                      struct parameters_problem *problem);

#endif
