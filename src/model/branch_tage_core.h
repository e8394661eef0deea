/* TAGE (Seznec and Michaud, JILP 2006): a table of counters by address, and tagged tables by
 * address and ever longer history. The longest history whose entry has the right tag predicts; a
 * misprediction takes an entry of a longer one. What `tage`, `ltage` and `tage_sc_l` share. */
#ifndef SLS_MODEL_BRANCH_TAGE_CORE_H
#define SLS_MODEL_BRANCH_TAGE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/parameters.h"

enum {
    TAGE_TABLES_MOST = 16,    /* tagged */
    TAGE_HISTORY_MOST = 4096, /* bits */
    TAGE_BASE = -1,           /* as a table's number: the base table */
    TAGE_PIECE = 16,          /* bits of history in a number */
    TAGE_PIECES = 512,        /* more than the longest history has */
};

struct tage_entry {
    uint16_t tag;
    int8_t counter; /* 3 bits, at least 0 means taken */
    uint8_t useful; /* 2 bits: how often it knew better than the shorter histories */
};

/* A number for each tagged table, side by side: vectors. */
typedef uint16_t tage_lanes[TAGE_TABLES_MOST] __attribute__((aligned(16)));

/* Each table's history folded into `length` bits, the exclusive-or of its pieces of that length,
 * and turned by some bits. It is kept up to date as bits enter the history and leave it. */
struct tage_fold {
    tage_lanes value;
    tage_lanes entering, leaving; /* places of the bit that enters and of the one that leaves */
    tage_lanes above;             /* 1 << length */
};

struct tage_core {
    unsigned tables;
    unsigned longest; /* bits of history */
    struct tage_entry *entries[TAGE_TABLES_MOST];
    tage_lanes history; /* bits */
    tage_lanes index_mask, tag_mask;
    tage_lanes address_shift; /* a second, shifted copy of the address goes into the index */

    uint8_t *base;      /* a bit each: the prediction */
    uint8_t *base_sure; /* a bit for four of them: taken twice to change it */
    uint32_t base_mask;

    int8_t trust_alternate; /* 4 bits, at least 0: new entries are worse than what they replace */
    uint32_t until_ageing;  /* branches until `useful` is halved everywhere */
    uint32_t random;

    /* What the address is mixed with to give an index and a tag: folded histories. */
    tage_lanes index_hash, tag_hash;
    struct tage_fold index_fold, tag_fold, tag_fold_shorter; /* by one bit */
    struct tage_fold path_fold;
    tage_lanes path_oldest; /* the bit that leaves next */
    uint32_t path;          /* a bit of each of the last branches' addresses */

    /* The directions of all branches, piece by piece, the earliest in a piece's highest bit; the
     * last ones, and how many there have been. */
    uint16_t pieces[TAGE_PIECES];
    uint16_t recent;
    unsigned remembered;
    /* The directions that leave each table's history with the next branches, the next one highest.
     * They are looked up for a whole piece of branches: so many pieces ago they begin, in two
     * pieces that are shifted together. Where the history is shorter than a piece, each direction
     * is put in its place when it enters. */
    tage_lanes leaving_next, enters_at;
    tage_lanes pieces_ago, piece_shift;
};

/* What one look-up found; for its training, and for those who build on it. */
struct tage_lookup {
    uint32_t base; /* index */
    tage_lanes index, tag;
    int hit, alternate;      /* the tables with the longest history and the next, or TAGE_BASE */
    bool longest_prediction; /* the hit's */
    bool alternate_prediction;
    bool unsure;         /* the hit is as good as new */
    bool prediction;     /* TAGE's: one of the two */
    unsigned confidence; /* of the hit or the base, 0 (none) to 3 */
};

/* Bytes that the tables take, which lie behind the predictor's own state. */
size_t tage_tables_size(const struct branch_parameters *parameters);
void tage_init(struct tage_core *core, const struct branch_parameters *parameters, void *tables);
const char *tage_check(const struct branch_parameters *parameters, const char **key);

void tage_look_up(const struct tage_core *core, uint64_t address, struct tage_lookup *lookup);
/* Learn that the branch looked up was `taken`. */
void tage_train(struct tage_core *core, const struct tage_lookup *lookup, bool taken);
/* A branch of any kind enters the history; after its training. */
void tage_remember(struct tage_core *core, uint64_t address, bool taken);

#endif
