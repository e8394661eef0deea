#include "model/branch_tage_core.h"

#include "model/branch_counter.h"
#include "model/inlining.h"

/* Widths and periods of gem5 24.0's LTAGE_TAGE,
 * where branch_tage_tables.c has not what depends on parameters. */
enum {
    COUNTER_BITS = 3,
    USEFUL_MOST = 3,
    TRUST_BITS = 4,
    AGEING_PERIOD = 1 << 19, /* conditional branches */
};

static inline struct tage_entry *entry_of(const struct tage_core *core,
                                          const struct tage_lookup *lookup, int table) {
    return &core->entries[table][lookup->index[table]];
}

/* The loops over all lanes have a fixed number of rounds and no branches in them, so that the
 * compiler makes a few vector instructions of each. Lanes without a table stay 0. Compiled twice
 * where the linker can choose: with the vectors of processors since 2013, and without. */
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__)
#define VECTORISED __attribute__((target_clones("avx2", "default")))
#else
#define VECTORISED
#endif
#define FOR_LANES(i) for (unsigned i = 0; i < TAGE_TABLES_MOST; i++)

static inline void hash(const struct tage_core *core, uint32_t address, tage_lanes index,
                        tage_lanes tag) {
    FOR_LANES(i) {
        uint32_t mixed = address ^ address >> core->address_shift[i] ^ core->index_hash[i];
        index[i] = (uint16_t)mixed & core->index_mask[i];
        tag[i] = ((uint16_t)address ^ core->tag_hash[i]) & core->tag_mask[i];
    }
}

/* The longest history below `table` whose entry has the right tag. */
static inline int find_below(const struct tage_core *core, int table,
                             const struct tage_lookup *lookup) {
    while (--table > TAGE_BASE)
        if (entry_of(core, lookup, table)->tag == lookup->tag[table])
            break;
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

VECTORISED
void tage_look_up(const struct tage_core *core, uint64_t address,
                  struct tage_lookup *restrict lookup) {
    uint32_t shifted = (uint32_t)(address >> BRANCH_ADDRESS_SHIFT);
    lookup->base = shifted & core->base_mask;
    hash(core, shifted, lookup->index, lookup->tag);
    lookup->hit = find_below(core, (int)core->tables, lookup);
    lookup->alternate = lookup->hit;
    if (lookup->hit != TAGE_BASE)
        lookup->alternate = find_below(core, lookup->hit, lookup);
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
            entry->tag = lookup->tag[i];
            entry->counter = taken ? 0 : -1;
            return;
        }
    }
}

static void age(struct tage_core *core) {
    core->until_ageing = AGEING_PERIOD;
    for (unsigned i = 0; i < core->tables; i++)
        for (uint32_t j = 0; j <= core->index_mask[i]; j++)
            core->entries[i][j].useful >>= 1;
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

/* Turned by one bit, the newest put in, the oldest taken out.
 * Those two are masks: all bits, or none. */
static inline void fold_shift(struct tage_fold *fold, uint16_t newest, const uint16_t *oldest) {
    FOR_LANES(i) {
        uint16_t value = (uint16_t)(fold->value[i] << 1), above = fold->above[i];
        value ^= value & above ? above | 1 : 0;
        fold->value[i] = value ^ (fold->entering[i] & newest) ^ (fold->leaving[i] & oldest[i]);
    }
}

static inline void remember_path(struct tage_core *core, uint64_t address) {
    bool bit = (address >> BRANCH_ADDRESS_SHIFT) & 1;
    uint16_t path = (uint16_t)core->path;
    tage_lanes oldest;
    FOR_LANES(i)
    oldest[i] = path & core->path_oldest[i] ? UINT16_MAX : 0;
    fold_shift(&core->path_fold, (uint16_t)-bit, oldest);
    core->path = core->path << 1 | bit;
}

/* A piece is full, the directions that were looked up have left: look up the next. */
NOT_INLINE static void next_piece(struct tage_core *core) {
    unsigned piece = core->remembered / TAGE_PIECE;
    core->pieces[(piece - 1) % TAGE_PIECES] = core->recent;
    for (unsigned i = 0; i < core->tables; i++) {
        unsigned begin = piece - core->pieces_ago[i];
        uint32_t two = (uint32_t)core->pieces[begin % TAGE_PIECES] << TAGE_PIECE |
                       core->pieces[(begin + 1) % TAGE_PIECES];
        if (core->history[i] >= TAGE_PIECE)
            core->leaving_next[i] = (uint16_t)(two >> core->piece_shift[i]);
    }
}

static inline void remember_direction(struct tage_core *core, bool taken) {
    if (core->remembered % TAGE_PIECE == 0)
        next_piece(core);
    core->remembered++;
    core->recent = (uint16_t)(core->recent << 1 | taken);
    uint16_t newest = (uint16_t)-taken;
    tage_lanes oldest;
    FOR_LANES(i) {
        uint16_t leaving = core->leaving_next[i];
        oldest[i] = leaving >> (TAGE_PIECE - 1) ? UINT16_MAX : 0;
        core->leaving_next[i] = (uint16_t)(leaving << 1) | (core->enters_at[i] & newest);
    }
    fold_shift(&core->index_fold, newest, oldest);
    fold_shift(&core->tag_fold, newest, oldest);
    fold_shift(&core->tag_fold_shorter, newest, oldest);
}

VECTORISED
void tage_remember(struct tage_core *core, uint64_t address, bool taken) {
    remember_path(core, address);
    remember_direction(core, taken);
    FOR_LANES(i) {
        core->index_hash[i] = core->index_fold.value[i] ^ core->path_fold.value[i];
        core->tag_hash[i] =
            (uint16_t)(core->tag_fold.value[i] ^ core->tag_fold_shorter.value[i] << 1);
    }
}
