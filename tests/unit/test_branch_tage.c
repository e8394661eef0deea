/* The inside of TAGE and of its corrector: folded histories against a slow computation of them, and
 * single steps of training. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/branch_corrector.h"
#include "model/branch_tage_core.h"

/* Those of gem5's LTAGE. */
static const struct branch_parameters ltage = {.size = 16384, .history = 640, .tables = 12};

static uint64_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005 + 1442695040888963407;
    return *state >> 33;
}

/* Bit `age` of the history, 0 the youngest, lies at (age + turned) % length of the fold. */
static unsigned fold_slowly(const uint8_t *youngest, unsigned history, unsigned length,
                            unsigned turned) {
    unsigned fold = 0;
    for (unsigned age = 0; age < history; age++)
        fold ^= (unsigned)youngest[-(int)age] << (age + turned) % length;
    return fold;
}

static void check_folds(const struct tage_core *core, const uint8_t *direction,
                        const uint8_t *path) {
    static const unsigned histories[] = {4, 6, 10, 16, 25, 40, 64, 101, 160, 254, 403, 640};
    static const unsigned index_bits[] = {10, 10, 11, 11, 11, 11, 10, 10, 10, 10, 9, 9};
    static const unsigned tag_bits[] = {7, 7, 8, 8, 9, 10, 11, 12, 12, 13, 14, 15};
    for (unsigned t = 0; t < 12; t++) {
        unsigned history = histories[t], bits = index_bits[t],
                 path_bits = history < 16 ? history : 16;
        assert_int_equal(core->history[t], history);
        unsigned index =
            fold_slowly(direction, history, bits, 0) ^ fold_slowly(path, path_bits, bits, t + 1);
        assert_int_equal(core->index_hash[t], index);
        unsigned tag = fold_slowly(direction, history, tag_bits[t], 0) ^
                       fold_slowly(direction, history, tag_bits[t] - 1, 0) << 1;
        assert_int_equal(core->tag_hash[t], tag);
    }
}

static void test_tage_histories(void **state) {
    struct branch_parameters p = ltage;
    struct tage_core *core = calloc(1, sizeof *core);
    void *tables = calloc(1, tage_tables_size(&p));
    enum { BRANCHES = 40000, BEFORE = 1000 }; /* three times around the buffer */
    uint8_t *directions = calloc(BEFORE + BRANCHES, 1), *path = calloc(BEFORE + BRANCHES, 1);
    assert_true(core && tables && directions && path);
    tage_init(core, &p, tables);
    uint64_t random = 3;
    for (unsigned i = BEFORE; i < BEFORE + BRANCHES; i++) {
        directions[i] = next_random(&random) & 1;
        path[i] = next_random(&random) & 1;
        tage_remember(core, 0x400000 + 4 * path[i], directions[i]);
        if (i % 97 == 0)
            check_folds(core, &directions[i], &path[i]);
    }
    free(path);
    free(directions);
    free(tables);
    free(core);
}

/* A TAGE of its own, without a unit around it. */
struct tage {
    struct tage_core core;
    struct tage_lookup lookup; /* the last one */
    void *tables;
};

static struct tage *new_tage(void) {
    struct branch_parameters p = ltage;
    struct tage *tage = calloc(1, sizeof *tage);
    assert_non_null(tage);
    tage->tables = calloc(1, tage_tables_size(&p));
    assert_non_null(tage->tables);
    tage_init(&tage->core, &p, tage->tables);
    return tage;
}

static void free_tage(struct tage *tage) {
    free(tage->tables);
    free(tage);
}

enum { BRANCH = 0x400154 }; /* none of its tags is 0, as those of unused entries are */

static struct tage_entry *entry_at(struct tage *tage, unsigned table) {
    return &tage->core.entries[table][tage->lookup.index[table]];
}

/* A look-up, with the histories as they were before. */
static void look_up(struct tage *tage) {
    tage_look_up(&tage->core, BRANCH, &tage->lookup);
}

static void train(struct tage *tage, bool taken) {
    look_up(tage);
    tage_train(&tage->core, &tage->lookup, taken);
    look_up(tage);
}

/* An entry of the fourth table, as if it had been trained. */
static void put_entry(struct tage *tage, int8_t counter, uint8_t useful) {
    look_up(tage);
    *entry_at(tage, 3) = (struct tage_entry){tage->lookup.tag[3], counter, useful};
    look_up(tage);
    assert_int_equal(tage->lookup.hit, 3);
    assert_int_equal(tage->lookup.alternate, TAGE_BASE);
}

static void test_tage_allocation(void **state) {
    struct tage *tage = new_tage();
    look_up(tage);
    assert_int_equal(tage->lookup.hit, TAGE_BASE);
    assert_false(tage->lookup.prediction);
    /* Right: nothing to learn. Wrong: an entry of one of the next three tables. */
    train(tage, false);
    assert_int_equal(tage->lookup.hit, TAGE_BASE);
    train(tage, true);
    assert_in_range(tage->lookup.hit, 0, 2);
    assert_int_equal(entry_at(tage, (unsigned)tage->lookup.hit)->counter, 0);
    assert_true(tage->lookup.unsure);
    free_tage(tage);

    /* All entries are useful: one of the next three becomes less so, and is taken. */
    tage = new_tage();
    look_up(tage);
    for (unsigned t = 0; t < 12; t++)
        entry_at(tage, t)->useful = 3;
    train(tage, true);
    assert_in_range(tage->lookup.hit, 0, 2);
    for (unsigned t = 0; t < 12; t++)
        assert_int_equal(entry_at(tage, t)->useful, (int)t == tage->lookup.hit ? 0 : 3);
    free_tage(tage);

    /* A useful entry is not taken while there are others. */
    tage = new_tage();
    look_up(tage);
    for (unsigned t = 0; t < 7; t++)
        entry_at(tage, t)->useful = 1;
    train(tage, true);
    assert_int_equal(tage->lookup.hit, 7);
    free_tage(tage);
}

static void test_tage_usefulness(void **state) {
    struct tage *tage = new_tage();
    put_entry(tage, 2, 0); /* surer than the base, which says "not taken" */
    assert_true(tage->lookup.prediction);
    train(tage, true);
    assert_int_equal(entry_at(tage, 3)->useful, 1); /* the base was wrong */
    /* It was trained, too, as the entry had not been useful: now it says the same. */
    assert_true(tage->lookup.alternate_prediction);
    train(tage, true);
    assert_int_equal(entry_at(tage, 3)->useful, 1);
    /* The entry is wrong and the base would have been right. */
    tage->core.base[tage->lookup.base] = 0;
    train(tage, false);
    assert_int_equal(entry_at(tage, 3)->useful, 0);
    /* All are halved from time to time. */
    entry_at(tage, 3)->useful = 3;
    tage->core.until_ageing = 1;
    tage->core.base[tage->lookup.base] = 1;
    train(tage, true);
    assert_int_equal(entry_at(tage, 3)->useful, 1);
    assert_int_equal(tage->core.until_ageing, 1 << 19);
    free_tage(tage);
}

static void test_tage_trust(void **state) {
    struct tage *tage = new_tage();
    put_entry(tage, 0, 3); /* as good as new: the base is believed */
    assert_true(tage->lookup.longest_prediction);
    assert_false(tage->lookup.prediction);
    train(tage, true); /* wrongly; next time, new entries are */
    put_entry(tage, 0, 3);
    assert_true(tage->lookup.prediction);
    assert_int_equal(tage->core.trust_alternate, -1);
    train(tage, false);
    assert_int_equal(tage->core.trust_alternate, 0);
    free_tage(tage);
}

static void test_corrector_trust(void **state) {
    struct corrector *corrector = calloc(1, sizeof *corrector);
    assert_non_null(corrector);
    corrector_init(corrector);
    /* TAGE is sure, the sum is not so sure of the contrary. */
    struct corrector_lookup lookup = {.before = true, .confidence = 3, .sum = -12, .threshold = 35};
    assert_true(corrector_choose(corrector, &lookup));
    corrector_train(corrector, &lookup, BRANCH, false); /* and is right */
    assert_false(corrector_choose(corrector, &lookup));
    corrector_train(corrector, &lookup, BRANCH, true);
    assert_true(corrector_choose(corrector, &lookup));
    /* Medium confidence weighs against smaller sums. */
    lookup.confidence = 2;
    assert_false(corrector_choose(corrector, &lookup));
    lookup.sum = -7;
    assert_true(corrector_choose(corrector, &lookup));
    corrector_train(corrector, &lookup, BRANCH, false);
    assert_false(corrector_choose(corrector, &lookup));
    free(corrector);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tage_histories),  cmocka_unit_test(test_tage_allocation),
        cmocka_unit_test(test_tage_usefulness), cmocka_unit_test(test_tage_trust),
        cmocka_unit_test(test_corrector_trust),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
