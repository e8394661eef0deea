#include "model/branch_tage_core.h"

#include <stdlib.h>
#include <string.h>

#include "model/branch_counter.h"

/* Widths and periods of gem5 24.0's LTAGE_TAGE, where branch_tage_tables.c has not what depends on
 * parameters. */
enum {
    COUNTER_BITS = 3,
    USEFUL_MOST = 3,
    TRUST_BITS = 4,
    AGEING_PERIOD = 1 << 19, /* conditional branches */
};

static struct tage_entry *entry_of(const struct tage_core *core, const struct tage_lookup *lookup,
                                   int table) {
    return &core->table[table].entries[lookup->index[table]];
}

static uint32_t rotate(uint32_t value, unsigned by, unsigned bits) {
    return ((value << by) & ((1u << bits) - 1)) | value >> (bits - by);
}

/* The path folded into an index, turned by another amount for each table. */
static uint32_t mix_path(const struct tage_table *table, uint32_t path) {
    unsigned bits = table->index_bits;
    path &= (1u << table->path_bits) - 1;
    uint32_t low = path & ((1u << bits) - 1), high = path >> bits;
    for (; high; high >>= bits) /* indices shorter than eight bits take more than two pieces */
        low ^= rotate(high & ((1u << bits) - 1), table->path_rotation, bits);
    return rotate(low, table->path_rotation, bits);
}

static void hash(const struct tage_core *core, uint32_t address, int i,
                 struct tage_lookup *lookup) {
    const struct tage_table *table = &core->table[i];
    lookup->index[i] = (address ^ address >> table->address_shift ^ core->index_fold.value[i] ^
                        mix_path(table, core->path)) &
                       ((1u << table->index_bits) - 1);
    lookup->tag[i] =
        (address ^ core->tag_fold.value[i] ^ (uint32_t)core->tag_fold_shorter.value[i] << 1) &
        ((1u << table->tag_bits) - 1);
}

/* The longest history below `table` whose entry has the right tag. */
static int find_below(const struct tage_core *core, uint32_t address, int table,
                      struct tage_lookup *lookup) {
    while (--table > TAGE_BASE) {
        hash(core, address, table, lookup);
        if (entry_of(core, lookup, table)->tag == lookup->tag[table])
            break;
    }
    return table;
}

static bool taken_by(const struct tage_core *core, const struct tage_lookup *lookup, int table) {
    return table == TAGE_BASE ? core->base[lookup->base]
                              : entry_of(core, lookup, table)->counter >= 0;
}

static unsigned confidence_of(const struct tage_core *core, const struct tage_lookup *lookup,
                              int table) {
    if (table == TAGE_BASE)
        return core->base[lookup->base] == core->base_sure[lookup->base / 4] ? 3 : 0;
    int counter = entry_of(core, lookup, table)->counter;
    return (unsigned)(counter >= 0 ? counter : -counter - 1);
}

void tage_look_up(const struct tage_core *core, uint64_t address, struct tage_lookup *lookup) {
    uint32_t shifted = (uint32_t)(address >> BRANCH_ADDRESS_SHIFT);
    lookup->base = shifted & core->base_mask;
    lookup->hit = find_below(core, shifted, (int)core->tables, lookup);
    lookup->alternate = lookup->hit;
    if (lookup->hit != TAGE_BASE)
        lookup->alternate = find_below(core, shifted, lookup->hit, lookup);
    lookup->longest_prediction = taken_by(core, lookup, lookup->hit);
    lookup->alternate_prediction = taken_by(core, lookup, lookup->alternate);
    lookup->confidence = confidence_of(core, lookup, lookup->hit);
    lookup->unsure = lookup->hit != TAGE_BASE && lookup->confidence == 0;
    lookup->prediction = lookup->unsure && core->trust_alternate >= 0 ? lookup->alternate_prediction
                                                                      : lookup->longest_prediction;
}

/* Together a two-bit counter, of which four branches share the lower bit. */
static void train_base(struct tage_core *core, const struct tage_lookup *lookup, bool taken) {
    uint8_t *base = &core->base[lookup->base], *sure = &core->base_sure[lookup->base / 4];
    uint8_t counter = (uint8_t)(*base << 1 | *sure);
    two_bit_update(&counter, taken);
    *base = counter >> 1;
    *sure = counter & 1;
}

/* Take an entry of a table with a longer history, if one is not useful: of the next table or, to
 * keep branches from chasing each other away, one or two further. */
static void allocate(struct tage_core *core, const struct tage_lookup *lookup, bool taken) {
    int tables = (int)core->tables, first = lookup->hit + 1;
    bool available = false;
    for (int i = first; i < tables && !available; i++)
        available = entry_of(core, lookup, i)->useful == 0;
    uint32_t skip = random_next(&core->random);
    if (first < tables - 1 && (skip & 1)) {
        first++;
        if (first < tables - 1 && (skip & 2))
            first++;
    }
    if (!available)
        entry_of(core, lookup, first)->useful = 0;
    for (int i = first; i < tables; i++) {
        struct tage_entry *entry = entry_of(core, lookup, i);
        if (entry->useful == 0) {
            entry->tag = (uint16_t)lookup->tag[i];
            entry->counter = taken ? 0 : -1;
            return;
        }
    }
}

static void age(struct tage_core *core) {
    core->until_ageing = AGEING_PERIOD;
    for (unsigned i = 0; i < core->tables; i++)
        for (uint32_t j = 0; j < 1u << core->table[i].index_bits; j++)
            core->table[i].entries[j].useful >>= 1;
}

static void train_hit(struct tage_core *core, const struct tage_lookup *lookup, bool taken) {
    struct tage_entry *hit = entry_of(core, lookup, lookup->hit);
    counter_update(&hit->counter, taken, COUNTER_BITS);
    /* Until the hit has proved useful, its alternate must stay able to stand in for it. */
    if (hit->useful == 0) {
        if (lookup->alternate != TAGE_BASE)
            counter_update(&entry_of(core, lookup, lookup->alternate)->counter, taken,
                           COUNTER_BITS);
        else
            train_base(core, lookup, taken);
    }
    if (lookup->prediction != lookup->alternate_prediction) {
        if (lookup->prediction != taken)
            hit->useful -= hit->useful > 0;
        else
            hit->useful += hit->useful < USEFUL_MOST;
    }
}

void tage_train(struct tage_core *core, const struct tage_lookup *lookup, bool taken) {
    bool lacking = lookup->prediction != taken && lookup->hit < (int)core->tables - 1;
    if (lookup->unsure) {
        if (lookup->longest_prediction == taken)
            lacking = false; /* it is there and was only not trusted */
        if (lookup->longest_prediction != lookup->alternate_prediction)
            counter_update(&core->trust_alternate, lookup->alternate_prediction == taken,
                           TRUST_BITS);
    }
    if (lacking)
        allocate(core, lookup, taken);
    if (--core->until_ageing == 0)
        age(core);
    if (lookup->hit != TAGE_BASE)
        train_hit(core, lookup, taken);
    else
        train_base(core, lookup, taken);
}

/* The newest bit is shifted in, the oldest taken out, and what came out above put in below. */
static inline void fold_shift(struct tage_fold *fold, const tage_lanes *entering,
                              const tage_lanes *leaving) {
    tage_lanes value = (fold->value << 1 | *entering) ^ (fold->leaving & *leaving);
    tage_lanes above = (tage_lanes)((value & fold->above) != 0);
    fold->value = value ^ (above & (fold->above | 1));
}

void tage_remember(struct tage_core *core, uint64_t address, bool taken) {
    if (core->latest == 0) { /* the front of the buffer is reached: back to its end */
        core->latest = TAGE_HISTORY_BUFFER - TAGE_HISTORY_MOST;
        memcpy(&core->directions[core->latest], core->directions, core->longest);
    }
    uint8_t *directions = &core->directions[--core->latest];
    *directions = taken;
    core->path = core->path << 1 | ((address >> BRANCH_ADDRESS_SHIFT) & 1);

    tage_lanes entering = (tage_lanes){0} + (uint16_t)taken, leaving;
    for (unsigned i = 0; i < TAGE_TABLES_MOST; i++)
        leaving[i] = (uint16_t)-directions[core->table[i].history];
    fold_shift(&core->index_fold, &entering, &leaving);
    fold_shift(&core->tag_fold, &entering, &leaving);
    fold_shift(&core->tag_fold_shorter, &entering, &leaving);
}
