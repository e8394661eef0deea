/* A core: keeps its clock as steps come in. A core model is one file like core_blocking.c and one
 * line in the table of core.c. */
#ifndef SLS_MODEL_CORE_H
#define SLS_MODEL_CORE_H

#include "model/branch.h"
#include "model/hierarchy.h"
#include "model/mmu.h"
#include "model/stream.h"

/* Where cycles go. Every cycle that a core's clock advances is put under exactly one of these. */
enum stack_part {
    STACK_BASE,     /* work: what is left if nothing below stood in the way */
    STACK_FETCH_L2, /* waiting for code, by who supplied it */
    STACK_FETCH_L3,
    STACK_FETCH_LLC,
    STACK_FETCH_MEMORY,
    STACK_ITLB,
    STACK_BRANCH,  /* refill after a mispredicted branch */
    STACK_DATA_L2, /* waiting for data, likewise */
    STACK_DATA_L3,
    STACK_DATA_LLC,
    STACK_DATA_MEMORY,
    STACK_DATA_UPGRADE, /* waiting for the right to write */
    STACK_UNCACHED,     /* memory-mapped I/O */
    STACK_DTLB,
    STACK_STRUCTURAL, /* dependences, busy units, full queues */
    STACK_PARTS
};

struct core_counts {
    uint64_t instructions, micro_ops, cycles;
    uint64_t branches, mispredicts, unknown_targets;
    uint64_t uncached;
    uint64_t stack[STACK_PARTS]; /* sums up to cycles */
};

struct core {
    const struct core_model *model;
    const struct model_parameters *parameters;
    unsigned number;
    uint32_t region;    /* of the code that it runs, 0 until the first is known */
    uint64_t line_mask; /* line size - 1 */
    struct hierarchy *hierarchy;
    struct front *front;        /* of the hierarchy: this core's */
    struct mmu *mmu;            /* NULL: translation is free */
    struct branch_unit *branch; /* NULL: the model does not predict */
    uint64_t now;               /* the clock: cycles that the core was busy */
    struct core_counts counts[MODEL_MODES];
    void *state; /* the core model's own */
};

struct core_model {
    const char *name;
    bool decodes; /* needs micro-operations: struct segment.code */
    bool waits;   /* for each answer of the caches before it asks again */
    /* Bytes of its state for these parameters; zeroed, then init() is called. */
    size_t (*size)(const struct model_parameters *parameters);
    void (*init)(struct core *core);
    /* These instructions were executed. Advances core->now, counts. */
    void (*run)(struct core *core, const struct step *step);
    /* The segments that it was given are about to go. NULL: it keeps none. */
    void (*forget)(struct core *core);
    /* The core has changed its address space, or a translation. NULL: does not matter to it. */
    void (*translations_change)(struct core *core);
};
extern const char *const core_names[]; /* NULL-terminated */
const struct core_model *core_find(const char *name);

#endif
