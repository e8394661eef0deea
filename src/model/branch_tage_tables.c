/* The tables of TAGE: how many of which size, for which history. */
#include "model/branch_counter.h"
#include "model/branch_tage_core.h"

enum {
    SHORTEST_HISTORY = 4, /* bits; LTAGE_TAGE.minHist of gem5 24.0 */
    PATH_BITS = 16,       /* TAGEBase.pathHistBits */
    BASES_A_SURE = 4,     /* TAGEBase.logRatioBiModalHystEntries: 2 */
    AGEING_FIRST =
        (1 << 19) - (1 << 17), /* until the period's end: TAGEBase.initialTCounterValue */
    BASE_LEAST = 256,
    BASE_MOST = 262144, /* so that folded histories have at most 15 bits */
    REFERENCE_TABLES = 12,
};

/* L-TAGE's twelve tables (Seznec, CBP-2 2007; gem5's LTAGE_TAGE): their sizes as the binary
 * logarithm of how much smaller than the base table they are, 16384 entries there, and the bits of
 * their tags. Other numbers of tables take each from the one of these twelve at the same place
 * between first and last; another base size scales all. */
static const uint8_t reference_smaller[REFERENCE_TABLES] = {4, 4, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5};
static const uint8_t reference_tag[REFERENCE_TABLES] = {7, 7, 8, 8, 9, 10, 11, 12, 12, 13, 14, 15};

static unsigned reference(unsigned table, unsigned tables) {
    return (table * (REFERENCE_TABLES - 1) + (tables - 1) / 2) / (tables - 1);
}

static unsigned index_bits(const struct branch_parameters *parameters, unsigned table) {
    return log2_of(parameters->size) -
           reference_smaller[reference(table, (unsigned)parameters->tables)];
}

/* The factor that leads in so many equal steps from 1 to this ratio. */
static double step_of(double ratio, unsigned steps) {
    double low = 1, high = ratio;
    for (unsigned i = 0; i < 64; i++) {
        double middle = (low + high) / 2, power = 1;
        for (unsigned step = 0; step < steps; step++)
            power *= middle;
        if (power < ratio)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* A geometric series from the shortest to the longest history, each longer than the one before. */
static void init_histories(struct tage_core *core) {
    double step = step_of((double)core->longest / SHORTEST_HISTORY, core->tables - 1);
    double length = SHORTEST_HISTORY;
    unsigned before = 0;
    for (unsigned i = 0; i < core->tables; i++, length *= step) {
        unsigned rounded = (unsigned)(length + 0.5);
        before = rounded > before ? rounded : before + 1;
        core->history[i] = (uint16_t)before;
    }
    core->history[core->tables - 1] = (uint16_t)core->longest;
}

static void init_fold(struct tage_fold *fold, unsigned table, unsigned history, unsigned length,
                      unsigned turned) {
    fold->entering[table] = (uint16_t)(1 << turned % length);
    fold->leaving[table] = (uint16_t)(1 << (history + turned) % length);
    fold->above[table] = (uint16_t)(1 << length);
}

/* The path is turned by another amount in each table, so that it and the directions do not cancel
 * each other out. */
static void init_table(struct tage_core *core, unsigned i, unsigned bits) {
    unsigned number = i + 1, tag_bits = reference_tag[reference(i, core->tables)];
    unsigned path_bits = core->history[i] < PATH_BITS ? core->history[i] : PATH_BITS;
    core->index_mask[i] = (uint16_t)((1 << bits) - 1);
    core->tag_mask[i] = (uint16_t)((1 << tag_bits) - 1);
    core->address_shift[i] = (uint16_t)((bits > number ? bits - number : number - bits) + 1);
    if (core->history[i] < TAGE_PIECE)
        core->enters_at[i] = (uint16_t)(1 << (TAGE_PIECE - core->history[i]));
    core->pieces_ago[i] = (uint16_t)((core->history[i] + TAGE_PIECE - 1) / TAGE_PIECE);
    core->piece_shift[i] =
        (uint16_t)(TAGE_PIECE - (core->pieces_ago[i] * TAGE_PIECE - core->history[i]));
    core->path_oldest[i] = (uint16_t)(1 << (path_bits - 1));
    init_fold(&core->path_fold, i, path_bits, bits, number);
    init_fold(&core->index_fold, i, core->history[i], bits, 0);
    init_fold(&core->tag_fold, i, core->history[i], tag_bits, 0);
    init_fold(&core->tag_fold_shorter, i, core->history[i], tag_bits - 1, 0);
}

size_t tage_tables_size(const struct branch_parameters *parameters) {
    size_t entries = 0;
    for (unsigned i = 0; i < parameters->tables; i++)
        entries += (size_t)1 << index_bits(parameters, i);
    return entries * sizeof(struct tage_entry) + parameters->size + parameters->size / BASES_A_SURE;
}

void tage_init(struct tage_core *core, const struct branch_parameters *parameters, void *tables) {
    core->tables = (unsigned)parameters->tables;
    core->longest = (unsigned)parameters->history;
    core->base_mask = (uint32_t)parameters->size - 1;
    core->until_ageing = AGEING_FIRST;
    core->random = 1;
    init_histories(core);
    struct tage_entry *entries = tables;
    for (unsigned i = 0; i < core->tables; i++) {
        unsigned bits = index_bits(parameters, i);
        core->entries[i] = entries;
        entries += (size_t)1 << bits;
        init_table(core, i, bits);
    }
    core->base = (uint8_t *)entries;
    core->base_sure = core->base + parameters->size;
    for (uint64_t i = 0; i < parameters->size / BASES_A_SURE; i++)
        core->base_sure[i] = 1; /* together: not taken, but not surely */
}

const char *tage_check(const struct branch_parameters *parameters, const char **key) {
    *key = "branch.size";
    if (!is_power_of_two(parameters->size) || parameters->size < BASE_LEAST ||
        parameters->size > BASE_MOST)
        return "the tagged tables are 1/8 to 1/32 of the base table: a power of two from 256 to "
               "262144";
    *key = "branch.tables";
    if (parameters->tables < 2 || parameters->tables > TAGE_TABLES_MOST)
        return "their histories are a series from 4 bits to branch.history: 2 to 16";
    *key = "branch.history";
    if (parameters->history < 4 * parameters->tables || parameters->history > TAGE_HISTORY_MOST)
        return "each table's history is longer than the last one's: "
               "at least four times branch.tables, at most 4096";
    return NULL;
}
