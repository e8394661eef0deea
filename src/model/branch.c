/* Where fetch goes after a branch: the direction predictor's word, and
 * three sources of targets with the geometry and the habits of gem5
 * 24.0's SimpleBTB, ReturnAddrStack and SimpleIndirectPredictor. */
#include "model/branch.h"

#include <stdlib.h>
#include <string.h>

#include "model/branch_counter.h"

enum {
    TAG_BITS = 16,     /* SimpleBTB.tagBits, SimpleIndirectPredictor.indirectTagSize */
    HISTORY_BITS = 13, /* SimpleIndirectPredictor.indirectGHRBits */
    PATH_LENGTH = 3,   /* SimpleIndirectPredictor.indirectPathLength */
};

/* An address is a target if it is not 0; where none is known, it is 0. */
struct target_entry {
    uint64_t target;
    uint16_t tag;
};

/* A table of targets by sets. */
struct targets {
    struct target_entry *entries; /* NULL: there is no such table */
    uint64_t set_mask;
    unsigned set_bits, ways;
};

struct branch_unit {
    const struct direction_predictor *direction;
    void *direction_state;
    /* Ways in the order of their last use. */
    struct targets btb;
    /* A ring: what is pushed beyond its end overwrites the oldest, what is popped beyond its start
     * are leftovers. */
    uint64_t *returns;
    unsigned returns_size, returns_top;
    struct targets indirect;
    uint32_t history;           /* of indirect targets: the last branches' directions */
    uint64_t path[PATH_LENGTH]; /* where the last indirect branches went, latest first */
    uint32_t random;            /* picks the way to replace */
};

static bool targets_init(struct targets *targets, uint64_t sets, uint64_t ways) {
    *targets = (struct targets){
        .entries = calloc(sets * ways, sizeof *targets->entries),
        .set_mask = sets - 1,
        .set_bits = log2_of(sets),
        .ways = (unsigned)ways,
    };
    return targets->entries != NULL;
}

struct branch_unit *branch_unit_new(const struct branch_parameters *parameters) {
    struct branch_unit *unit = calloc(1, sizeof *unit);
    if (!unit)
        return NULL;
    unit->random = 1;
    unit->direction = direction_find(parameters->direction);
    if (!unit->direction->predict)
        return unit;
    unit->direction_state = calloc(1, unit->direction->size(parameters));
    unit->returns_size = (unsigned)parameters->ras_entries;
    unit->returns = calloc(parameters->ras_entries + 1, sizeof *unit->returns);
    bool whole =
        unit->direction_state && unit->returns &&
        targets_init(&unit->btb, parameters->btb_entries / parameters->btb_associativity,
                     parameters->btb_associativity) &&
        (!parameters->indirect_sets ||
         targets_init(&unit->indirect, parameters->indirect_sets, parameters->indirect_ways));
    if (!whole) {
        branch_unit_free(unit);
        return NULL;
    }
    unit->direction->init(unit->direction_state, parameters);
    return unit;
}

static void targets_flush(struct targets *targets) {
    if (targets->entries)
        memset(targets->entries, 0,
               (targets->set_mask + 1) * targets->ways * sizeof *targets->entries);
}

void branch_unit_flush(struct branch_unit *unit, const struct branch_parameters *parameters) {
    if (!unit->direction->predict)
        return;
    memset(unit->direction_state, 0, unit->direction->size(parameters));
    unit->direction->init(unit->direction_state, parameters);
    targets_flush(&unit->btb);
    targets_flush(&unit->indirect);
    memset(unit->returns, 0, (unit->returns_size + 1) * sizeof *unit->returns);
    memset(unit->path, 0, sizeof unit->path);
    unit->returns_top = 0;
    unit->history = 0;
    unit->random = 1;
}

void branch_unit_free(struct branch_unit *unit) {
    if (!unit)
        return;
    free(unit->direction_state);
    free(unit->btb.entries);
    free(unit->returns);
    free(unit->indirect.entries);
    free(unit);
}

/* The entry with this tag, or NULL. */
static struct target_entry *find(const struct targets *targets, uint64_t set, uint16_t tag) {
    struct target_entry *entries = &targets->entries[(set & targets->set_mask) * targets->ways];
    for (unsigned way = 0; way < targets->ways; way++)
        if (entries[way].tag == tag && entries[way].target)
            return &entries[way];
    return NULL;
}

static uint16_t btb_tag(const struct branch_unit *unit, uint64_t address) {
    return (uint16_t)(address >> (BRANCH_ADDRESS_SHIFT + unit->btb.set_bits));
}

static void use_first(const struct targets *targets, uint64_t set, struct target_entry *entry) {
    struct target_entry *first = &targets->entries[(set & targets->set_mask) * targets->ways];
    struct target_entry used = *entry;
    for (; entry > first; entry--)
        *entry = entry[-1];
    *first = used;
}

static uint64_t btb_lookup(struct branch_unit *unit, uint64_t address) {
    uint64_t set = address >> BRANCH_ADDRESS_SHIFT;
    struct target_entry *entry = find(&unit->btb, set, btb_tag(unit, address));
    if (!entry)
        return 0;
    uint64_t target = entry->target;
    use_first(&unit->btb, set, entry);
    return target;
}

static void btb_store(struct branch_unit *unit, uint64_t address, uint64_t target) {
    uint64_t set = address >> BRANCH_ADDRESS_SHIFT;
    uint16_t tag = btb_tag(unit, address);
    struct target_entry *entry = find(&unit->btb, set, tag);
    if (!entry) /* the last way is the one not used for longest, or never */
        entry = &unit->btb.entries[((set & unit->btb.set_mask) + 1) * unit->btb.ways - 1];
    *entry = (struct target_entry){target, tag};
    use_first(&unit->btb, set, entry);
}

static void return_push(struct branch_unit *unit, uint64_t address) {
    if (++unit->returns_top >= unit->returns_size)
        unit->returns_top = 0;
    unit->returns[unit->returns_top] = address;
}

static uint64_t return_pop(struct branch_unit *unit) {
    uint64_t address = unit->returns[unit->returns_top];
    unit->returns_top = (unit->returns_top ? unit->returns_top : unit->returns_size) - 1;
    return address;
}

/* The set of an indirect branch depends on how execution came to it. */
static uint64_t indirect_set(const struct branch_unit *unit, uint64_t address) {
    uint64_t hash = (address >> BRANCH_ADDRESS_SHIFT) ^ unit->history;
    unsigned shift = unit->indirect.set_bits / PATH_LENGTH;
    for (unsigned i = 0; i < PATH_LENGTH; i++)
        hash ^= unit->path[i] >> (BRANCH_ADDRESS_SHIFT + i * shift);
    return hash & unit->indirect.set_mask;
}

static uint16_t indirect_tag(uint64_t address) {
    return (uint16_t)(address >> BRANCH_ADDRESS_SHIFT);
}

static void indirect_store(struct branch_unit *unit, uint64_t address, uint64_t target) {
    uint64_t set = indirect_set(unit, address);
    uint16_t tag = indirect_tag(address);
    struct target_entry *entry = find(&unit->indirect, set, tag);
    if (!entry)
        entry = &unit->indirect.entries[set * unit->indirect.ways +
                                        random_next(&unit->random) % unit->indirect.ways];
    *entry = (struct target_entry){target, tag};
}

static bool is_call(enum branch_kind kind) {
    return kind == BRANCH_CALL || kind == BRANCH_INDIRECT_CALL;
}

static bool is_direct(enum branch_kind kind) {
    return kind == BRANCH_CONDITIONAL || kind == BRANCH_JUMP || kind == BRANCH_CALL;
}

/* Whether its target comes from the indirect target predictor, if there is one. */
static bool asks_indirect(const struct branch_unit *unit, enum branch_kind kind) {
    return unit->indirect.entries && (kind == BRANCH_INDIRECT || kind == BRANCH_INDIRECT_CALL);
}

/* Whether the BTB learns it: direct branches, and all that nobody else knows. */
static bool stays_in_btb(const struct branch_unit *unit, enum branch_kind kind) {
    return is_direct(kind) ||
           (kind == BRANCH_RETURN ? !unit->returns_size : !unit->indirect.entries);
}

/* The target of a taken branch; 0 if none is known. What the BTB has for its address is taken for
 * want of anything better. */
static uint64_t predict_target(struct branch_unit *unit, enum branch_kind kind, uint64_t address) {
    uint64_t target = btb_lookup(unit, address);
    if (kind == BRANCH_RETURN && unit->returns_size) {
        uint64_t top = return_pop(unit);
        return top ? top : target;
    }
    if (asks_indirect(unit, kind)) {
        const struct target_entry *entry =
            find(&unit->indirect, indirect_set(unit, address), indirect_tag(address));
        return entry ? entry->target : target;
    }
    return target;
}

/* Every branch leaves its direction, indirect ones their target too. */
static void remember(struct branch_unit *unit, enum branch_kind kind, bool taken, uint64_t target) {
    unit->history = (unit->history << 1 | taken) & ((1 << HISTORY_BITS) - 1);
    if (!asks_indirect(unit, kind))
        return;
    for (unsigned i = PATH_LENGTH - 1; i > 0; i--)
        unit->path[i] = unit->path[i - 1];
    unit->path[0] = target;
}

struct branch_prediction branch_predict(struct branch_unit *unit, const struct instruction *branch,
                                        uint64_t address, uint64_t next) {
    enum branch_kind kind = branch->branch;
    bool conditional = kind == BRANCH_CONDITIONAL;
    uint64_t behind = address + branch->length;
    bool taken = !conditional || next != behind;
    if (is_direct(kind) && taken)
        next = branch->target;
    if (!unit->direction->predict)
        return (struct branch_prediction){
            .outcome = next == behind ? BRANCH_PREDICTED : BRANCH_WRONG_DIRECTION, .next = behind};

    bool direction = true;
    if (conditional)
        direction = unit->direction->predict(unit->direction_state, address, taken);
    else if (unit->direction->unconditional)
        unit->direction->unconditional(unit->direction_state, address, next);
    uint64_t target = direction ? predict_target(unit, kind, address) : 0;
    if (is_call(kind) && unit->returns_size)
        return_push(unit, behind);

    struct branch_prediction prediction = {.predicted_taken = target != 0,
                                           .next = target ? target : behind};
    if (prediction.next == next)
        prediction.outcome = BRANCH_PREDICTED;
    else if (!is_direct(kind))
        prediction.outcome = BRANCH_WRONG_TARGET;
    else if (taken && direction)
        prediction.outcome = BRANCH_UNKNOWN_TARGET;
    else
        prediction.outcome = BRANCH_WRONG_DIRECTION;

    if (prediction.outcome != BRANCH_PREDICTED && taken) {
        if (stays_in_btb(unit, kind))
            btb_store(unit, address, next);
        if (asks_indirect(unit, kind))
            indirect_store(unit, address, next);
    }
    remember(unit, kind, taken, next);
    return prediction;
}
