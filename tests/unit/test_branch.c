/* Branch prediction against what theory says of made-up branches,
 * and against gem5 24.0's rules for targets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/branch.h"

/* The parameters of gem5's LTAGE, and what the others need. */
static struct branch_parameters parameters_of(const char *direction) {
    struct branch_parameters p = {
        .size = 16384,
        .local_size = 2048,
        .history = 640,
        .tables = 12,
        .btb_entries = 4096,
        .btb_associativity = 1,
        .ras_entries = 16,
        .indirect_sets = 256,
        .indirect_ways = 2,
    };
    snprintf(p.direction, sizeof p.direction, "%s", direction);
    if (strcmp(direction, "gshare") == 0)
        p.history = 14;
    if (strcmp(direction, "tournament") == 0)
        p.size = 8192;
    return p;
}

static struct branch_unit *make(const struct branch_parameters *p) {
    const struct direction_predictor *direction = direction_find(p->direction);
    assert_non_null(direction);
    const char *key, *wrong = direction->check ? direction->check(p, &key) : NULL;
    if (wrong)
        fail_msg("%s: %s", key, wrong);
    struct branch_unit *unit = branch_unit_new(p);
    assert_non_null(unit);
    return unit;
}

enum { LENGTH = 5, FAR = 0x1000 }; /* bytes of every branch, and how far direct ones go */

static struct branch_prediction run(struct branch_unit *unit, enum branch_kind kind,
                                    uint64_t address, uint64_t next) {
    bool direct = kind == BRANCH_CONDITIONAL || kind == BRANCH_JUMP || kind == BRANCH_CALL;
    struct instruction branch = {
        .branch = kind, .length = LENGTH, .target = direct ? address + FAR : 0};
    return branch_predict(unit, &branch, address, next);
}

/* Whether a conditional branch was mispredicted. */
static unsigned misses(struct branch_unit *unit, uint64_t address, bool taken) {
    uint64_t next = address + (taken ? FAR : LENGTH);
    return run(unit, BRANCH_CONDITIONAL, address, next).outcome != BRANCH_PREDICTED;
}

static uint64_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005 + 1442695040888963407;
    return *state >> 33;
}

/* A program: calls misses() for one round of its
 * branches and returns how many were mispredicted. */
typedef unsigned (*program)(struct branch_unit *unit, unsigned round, uint64_t *random);

/* Mispredictions in `rounds` rounds after `warm` ones. */
static unsigned count_with(const struct branch_parameters *p, program run_round, unsigned warm,
                           unsigned rounds) {
    struct branch_unit *unit = make(p);
    uint64_t random = 42;
    unsigned count = 0;
    for (unsigned round = 0; round < warm + rounds; round++) {
        unsigned missed = run_round(unit, round, &random);
        count += round >= warm ? missed : 0;
    }
    branch_unit_free(unit);
    return count;
}

static unsigned count(const char *direction, program run_round, unsigned warm, unsigned rounds) {
    struct branch_parameters p = parameters_of(direction);
    return count_with(&p, run_round, warm, rounds);
}

#define assert_at_most(value, bound) assert_in_range(value, 0, bound)

static unsigned always_taken(struct branch_unit *unit, unsigned round, uint64_t *random) {
    return misses(unit, 0x400100, true);
}

static unsigned never_taken(struct branch_unit *unit, unsigned round, uint64_t *random) {
    return misses(unit, 0x400100, false);
}

static unsigned coin(struct branch_unit *unit, unsigned round, uint64_t *random) {
    return misses(unit, 0x400100, next_random(random) & 1);
}

static void test_every_predictor(void **state) {
    for (const char *const *name = direction_names; *name; name++) {
        assert_string_equal(direction_find(*name)->name, *name);
        if (strcmp(*name, "none") == 0) { /* fetch goes on behind every branch */
            assert_int_equal(count(*name, always_taken, 100, 1000), 1000);
            assert_int_equal(count(*name, never_taken, 0, 1000), 0);
            continue;
        }
        assert_int_equal(count(*name, always_taken, 100, 1000), 0);
        assert_int_equal(count(*name, never_taken, 0, 1000), 0);
        /* Nobody predicts a coin: half of 20000, give or take four standard deviations. */
        assert_in_range(count(*name, coin, 0, 20000), 9717, 10283);
    }
    assert_null(direction_find("perfect"));
    assert_null(direction_find(""));
}

static unsigned alternating(struct branch_unit *unit, unsigned round, uint64_t *random) {
    return misses(unit, 0x400100, round & 1);
}

static void test_alternating(void **state) {
    /* Its counter goes 0, 1, 0, 1: "not taken" for ever. */
    assert_int_equal(count("bimodal", alternating, 100, 1000), 500);
    assert_int_equal(count("gshare", alternating, 100, 1000), 0);
    assert_int_equal(count("tournament", alternating, 100, 1000), 0);
    assert_int_equal(count("tage", alternating, 1000, 1000), 0);
    assert_int_equal(count("ltage", alternating, 1000, 1000), 0);
    assert_int_equal(count("tage_sc_l", alternating, 1000, 1000), 0);
}

static unsigned loop_of(struct branch_unit *unit, unsigned iterations) {
    unsigned missed = 0;
    for (unsigned i = 1; i <= iterations; i++)
        missed += misses(unit, 0x400100, i < iterations);
    return missed;
}

static unsigned loop_of_9(struct branch_unit *unit, unsigned round, uint64_t *random) {
    return loop_of(unit, 9);
}

static unsigned loop_of_100(struct branch_unit *unit, unsigned round, uint64_t *random) {
    return loop_of(unit, 100);
}

static unsigned loop_of_2000(struct branch_unit *unit, unsigned round, uint64_t *random) {
    return loop_of(unit, 2000);
}

static unsigned loop_of_2000_with_another(struct branch_unit *unit, unsigned round,
                                          uint64_t *random) {
    unsigned missed = 0;
    for (unsigned i = 1; i <= 2000; i++) {
        missed += misses(unit, 0x400200, false);
        missed += misses(unit, 0x400100, i < 2000);
    }
    return missed;
}

static void test_loops(void **state) {
    /* Strongly taken, once not: only the end is missed. */
    assert_int_equal(count("bimodal", loop_of_9, 10, 100), 100);
    /* A history of at least nine tells the end. */
    assert_int_equal(count("gshare", loop_of_9, 100, 100), 0);
    assert_int_equal(count("tournament", loop_of_9, 100, 100), 0);
    assert_int_equal(count("tage", loop_of_9, 200, 100), 0);
    /* 14 and 11 do not reach 100 back, 640 do. */
    assert_int_equal(count("gshare", loop_of_100, 100, 100), 100);
    assert_int_equal(count("tournament", loop_of_100, 100, 100), 100);
    assert_at_most(count("tage", loop_of_100, 300, 100), 5);
    /* Beyond all histories, only counting helps. */
    assert_in_range(count("tage", loop_of_2000, 20, 50), 45, 100);
    assert_int_equal(count("ltage", loop_of_2000_with_another, 20, 50), 0);
    /* The last iteration is still in flight, so this one is not thought to be the end. */
    assert_in_range(count("ltage", loop_of_2000, 20, 50), 45, 100);
    assert_at_most(count("tage_sc_l", loop_of_2000, 20, 50), 5);
}

/* One that nobody knows, and one that does the same. */
static unsigned correlated(struct branch_unit *unit, unsigned round, uint64_t *random) {
    bool taken = next_random(random) & 1;
    misses(unit, 0x400100, taken);
    return misses(unit, 0x400200, taken);
}

static void test_correlated(void **state) {
    assert_in_range(count("bimodal", correlated, 100, 1000), 400, 600);
    /* All 2^14 histories lead to other counters: each must be met before it is known. */
    assert_at_most(count("gshare", correlated, 100000, 1000), 10);
    assert_at_most(count("tage", correlated, 5000, 1000), 10);
    assert_at_most(count("ltage", correlated, 5000, 1000), 10);
    assert_at_most(count("tage_sc_l", correlated, 5000, 1000), 10);
    /* The history selects the global counter, whatever the address: but the second branch always
     * finds its own direction as the youngest bit. */
    assert_at_most(count("tournament", correlated, 50000, 1000), 20);
}

/* The second does what the first did, 60 always taken branches earlier. */
static unsigned distant(struct branch_unit *unit, unsigned round, uint64_t *random) {
    bool taken = next_random(random) & 1;
    misses(unit, 0x400100, taken);
    for (unsigned i = 0; i < 60; i++)
        misses(unit, 0x401000 + 16 * i, true);
    return misses(unit, 0x400200, taken);
}

/* Only a jump before the branch tells what it will do. */
static unsigned after_jump(struct branch_unit *unit, unsigned round, uint64_t *random) {
    bool taken = next_random(random) & 1;
    misses(unit, 0x400100, false);
    if (taken)
        run(unit, BRANCH_JUMP, 0x400180, 0);
    return misses(unit, 0x400200, taken);
}

static void test_unconditional(void **state) {
    assert_at_most(count("tage", after_jump, 5000, 1000), 10);
    assert_at_most(count("ltage", after_jump, 5000, 1000), 10);
    assert_at_most(count("tage_sc_l", after_jump, 5000, 1000), 10);
    /* In its global table the other branch is in the way: better than a guess is all it can be. */
    assert_at_most(count("tournament", after_jump, 50000, 1000), 300);
    assert_in_range(count("gshare", after_jump, 50000, 1000), 400, 600);
}

static void test_distant(void **state) {
    assert_in_range(count("gshare", distant, 3000, 1000), 400, 600);
    assert_at_most(count("tage", distant, 3000, 1000), 30);
    assert_at_most(count("ltage", distant, 3000, 1000), 30);
}

/* Each branch of eight repeats a pattern of its own, among coins that spoil the global history. */
static unsigned own_pattern(struct branch_unit *unit, unsigned round, uint64_t *random) {
    static const char *const patterns[] = {"1101", "10110", "110", "1110010"};
    unsigned missed = 0;
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned j = 0; j < 4; j++)
            misses(unit, 0x500000 + 16 * (4 * i + j), next_random(random) & 1);
        missed += misses(unit, 0x400100 + 16 * i, patterns[i][round % strlen(patterns[i])] == '1');
    }
    return missed;
}

static void test_own_pattern(void **state) {
    unsigned tournament = count("tournament", own_pattern, 2000, 1000);
    assert_at_most(tournament, 400); /* of 4000; those whose choice has not settled on "local" */
    assert_in_range(count("gshare", own_pattern, 2000, 1000), 3 * tournament, 4000);
    /* The corrector has local histories, TAGE has none. */
    assert_true(count("tage_sc_l", own_pattern, 2000, 1000) <
                count("ltage", own_pattern, 2000, 1000) * 3 / 4);
}

/* Taken nine times of ten, for no reason, at 32 places. */
static unsigned biased(struct branch_unit *unit, unsigned round, uint64_t *random) {
    return misses(unit, 0x400100 + 64 * (round & 31), next_random(random) % 10 != 0);
}

static void test_biased(void **state) {
    /* The best is 2000 misses of 20000, always "taken"; a standard deviation is 42. */
    assert_in_range(count("bimodal", biased, 2000, 20000), 1830, 2500);
    unsigned tage = count("tage", biased, 20000, 20000);
    unsigned corrected = count("tage_sc_l", biased, 20000, 20000);
    assert_in_range(tage, 1830, 4000);
    assert_in_range(corrected, 1830, 2300);
    assert_true(corrected < tage);
}

/* A branch of any kind. */
static struct branch_prediction run_random(struct branch_unit *unit, uint64_t draw) {
    uint64_t address = 0x400000 + draw % 4096;
    enum branch_kind kind = BRANCH_CONDITIONAL + draw / 4096 % BRANCH_RETURN;
    uint64_t next = kind == BRANCH_CONDITIONAL ? address + (draw >> 24 & 1 ? FAR : LENGTH)
                                               : 0x600000 + (draw >> 24) % 7;
    return run(unit, kind, address, next);
}

/* Two units that were fed the same say the same: both new, or one flushed after other branches. */
static void test_determinism(void **state) {
    for (const char *const *name = direction_names; *name; name++) {
        struct branch_parameters p = parameters_of(*name);
        struct branch_unit *one = make(&p), *other = make(&p), *flushed = make(&p);
        uint64_t random = 99;
        for (unsigned i = 0; i < 10000; i++)
            run_random(flushed, next_random(&random));
        branch_unit_flush(flushed, &p);
        random = 7;
        for (unsigned i = 0; i < 50000; i++) {
            uint64_t draw = next_random(&random);
            struct branch_prediction first = run_random(one, draw);
            struct branch_prediction second = run_random(other, draw);
            struct branch_prediction third = run_random(flushed, draw);
            assert_int_equal(first.outcome, second.outcome);
            assert_int_equal(first.outcome, third.outcome);
            assert_int_equal(first.predicted_taken, second.predicted_taken);
            assert_int_equal(first.predicted_taken, third.predicted_taken);
        }
        branch_unit_free(one);
        branch_unit_free(other);
        branch_unit_free(flushed);
    }
}

/* Smallest, largest and odd tables: for the sanitizers, and to see that they learn at all. */
static void test_tage_sizes(void **state) {
    static const struct {
        unsigned size, tables, history;
    } cases[] = {{256, 2, 8}, {256, 16, 64}, {262144, 16, 4096}, {4096, 7, 130}, {8192, 5, 4096}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct branch_parameters p = parameters_of("tage_sc_l");
        p.size = cases[i].size;
        p.tables = cases[i].tables;
        p.history = cases[i].history;
        assert_at_most(count_with(&p, loop_of_9, 2000, 100), 10);
    }
}

static void refused(struct branch_parameters p, const char *blamed) {
    const char *key = NULL;
    assert_non_null(direction_find(p.direction)->check(&p, &key));
    assert_string_equal(key, blamed);
}

#define refused_with(name, field, value)                                                           \
    do {                                                                                           \
        struct branch_parameters changed = parameters_of(name);                                    \
        changed.field = value;                                                                     \
        refused(changed, "branch." #field);                                                        \
    } while (0)

static void test_check(void **state) {
    refused_with("bimodal", size, 3000);
    refused_with("bimodal", size, 1 << 25);
    refused_with("gshare", size, 0);
    refused_with("gshare", history, 15);
    refused_with("tournament", size, 3000);
    refused_with("tournament", local_size, 0);
    refused_with("tage", size, 128);
    refused_with("ltage", size, 1 << 19);
    refused_with("tage_sc_l", size, 10000);
    refused_with("tage", tables, 1);
    refused_with("tage", tables, 17);
    refused_with("tage", history, 47);
    refused_with("tage", history, 4097);
}

#define expect(unit, kind, address, next, result)                                                  \
    assert_int_equal(run(unit, kind, address, next).outcome, result)

static void test_btb(void **state) {
    struct branch_parameters p = parameters_of("bimodal");
    struct branch_unit *unit = make(&p);
    const uint64_t jump = 0x400100, rival = jump + 4096 * 4, same_tag = jump + (UINT64_C(1) << 30);
    expect(unit, BRANCH_JUMP, jump, jump + FAR, BRANCH_UNKNOWN_TARGET);
    expect(unit, BRANCH_JUMP, jump, jump + FAR, BRANCH_PREDICTED);
    /* Whatever came next: an interrupt. */
    expect(unit, BRANCH_JUMP, jump, 0xffffffff81000000, BRANCH_PREDICTED);
    expect(unit, BRANCH_JUMP, rival, rival + FAR, BRANCH_UNKNOWN_TARGET);
    expect(unit, BRANCH_JUMP, jump, jump + FAR, BRANCH_UNKNOWN_TARGET);
    /* Its tag is the same: fetch goes to the other's target. */
    struct branch_prediction alias = run(unit, BRANCH_JUMP, same_tag, same_tag + FAR);
    assert_int_equal(alias.outcome, BRANCH_UNKNOWN_TARGET);
    assert_true(alias.predicted_taken);
    branch_unit_free(unit);

    p.btb_associativity = 2;
    unit = make(&p);
    for (unsigned i = 0; i < 3; i++) {
        expect(unit, BRANCH_JUMP, jump, 0, i ? BRANCH_PREDICTED : BRANCH_UNKNOWN_TARGET);
        expect(unit, BRANCH_JUMP, rival, 0, i ? BRANCH_PREDICTED : BRANCH_UNKNOWN_TARGET);
    }
    /* A third takes the place of the one not used for longest. */
    const uint64_t third = jump + 2048 * 4;
    expect(unit, BRANCH_JUMP, jump, 0, BRANCH_PREDICTED);
    expect(unit, BRANCH_JUMP, third, 0, BRANCH_UNKNOWN_TARGET);
    expect(unit, BRANCH_JUMP, jump, 0, BRANCH_PREDICTED);
    expect(unit, BRANCH_JUMP, rival, 0, BRANCH_UNKNOWN_TARGET);
    branch_unit_free(unit);
}

static void test_conditional_without_target(void **state) {
    struct branch_parameters p = parameters_of("bimodal");
    struct branch_unit *unit = make(&p);
    const uint64_t branch = 0x400100, rival = branch + 4096 * 4;
    /* Counters from "surely not taken" up. */
    expect(unit, BRANCH_CONDITIONAL, branch, branch + FAR, BRANCH_WRONG_DIRECTION);
    expect(unit, BRANCH_CONDITIONAL, branch, branch + FAR, BRANCH_WRONG_DIRECTION);
    struct branch_prediction prediction = run(unit, BRANCH_CONDITIONAL, branch, branch + FAR);
    assert_int_equal(prediction.outcome, BRANCH_PREDICTED);
    assert_true(prediction.predicted_taken);
    /* Thrown out of the BTB: "taken", but nobody knows where to. */
    expect(unit, BRANCH_JUMP, rival, rival + FAR, BRANCH_UNKNOWN_TARGET);
    prediction = run(unit, BRANCH_CONDITIONAL, branch, branch + FAR);
    assert_int_equal(prediction.outcome, BRANCH_UNKNOWN_TARGET);
    assert_false(prediction.predicted_taken);
    /* The same, but it is not taken: fetch goes on behind it, rightly. */
    expect(unit, BRANCH_JUMP, rival, rival + FAR, BRANCH_UNKNOWN_TARGET);
    expect(unit, BRANCH_CONDITIONAL, branch, branch + LENGTH, BRANCH_PREDICTED);
    branch_unit_free(unit);
}

/* Calls this deep, each from another place, and returns. Counts the mispredicted returns. */
static unsigned wrong_returns(unsigned entries, unsigned depth) {
    struct branch_parameters p = parameters_of("bimodal");
    p.ras_entries = entries;
    struct branch_unit *unit = make(&p);
    unsigned wrong = 0;
    for (unsigned i = 0; i < depth; i++)
        run(unit, i & 1 ? BRANCH_INDIRECT_CALL : BRANCH_CALL, 0x400000 + 64 * i, 0x500000);
    for (unsigned i = depth; i-- > 0;) {
        uint64_t back = 0x400000 + 64 * i + LENGTH;
        enum branch_outcome outcome = run(unit, BRANCH_RETURN, 0x500000 + 64 * i, back).outcome;
        assert_true(outcome == BRANCH_PREDICTED || outcome == BRANCH_WRONG_TARGET);
        wrong += outcome != BRANCH_PREDICTED;
    }
    branch_unit_free(unit);
    return wrong;
}

static void test_returns(void **state) {
    assert_int_equal(wrong_returns(16, 1), 0);
    assert_int_equal(wrong_returns(16, 16), 0);
    assert_int_equal(wrong_returns(16, 17), 1);
    assert_int_equal(wrong_returns(16, 21), 5);
    assert_int_equal(wrong_returns(1, 3), 2);
    /* Without a stack the BTB would have to know: each return is there for the first time. */
    assert_int_equal(wrong_returns(0, 4), 4);
}

/* An indirect jump to `targets` places in turn, with `between` taken branches in between. */
static unsigned wrong_targets(const struct branch_parameters *p, unsigned targets) {
    struct branch_unit *unit = make(p);
    unsigned wrong = 0;
    for (unsigned i = 0; i < 1200; i++) {
        enum branch_outcome outcome =
            run(unit, BRANCH_INDIRECT, 0x400100, 0x500000 + 0x140 * (i % targets)).outcome;
        assert_true(outcome == BRANCH_PREDICTED || outcome == BRANCH_WRONG_TARGET);
        wrong += i >= 200 && outcome != BRANCH_PREDICTED;
    }
    branch_unit_free(unit);
    return wrong;
}

static void test_indirect(void **state) {
    struct branch_parameters p = parameters_of("bimodal");
    assert_int_equal(wrong_targets(&p, 1), 0);
    assert_int_equal(wrong_targets(&p, 2), 0);
    assert_int_equal(wrong_targets(&p, 5), 0);
    p.indirect_sets = 0; /* the BTB knows only the last */
    assert_int_equal(wrong_targets(&p, 1), 0);
    assert_int_equal(wrong_targets(&p, 2), 1000);
    assert_int_equal(wrong_targets(&p, 5), 1000);
}

/* The target depends on how a branch before it went. */
static void test_indirect_by_direction(void **state) {
    struct branch_parameters p = parameters_of("bimodal");
    struct branch_unit *unit = make(&p);
    uint64_t random = 5;
    unsigned wrong = 0;
    for (unsigned i = 0; i < 20000; i++) {
        bool taken = next_random(&random) & 1;
        for (unsigned j = 0; j < 8; j++) /* all but it always go the same way */
            misses(unit, 0x400100 + 16 * j, true);
        misses(unit, 0x400200, taken);
        enum branch_outcome outcome =
            run(unit, BRANCH_INDIRECT, 0x400300, taken ? 0x500000 : 0x501000).outcome;
        wrong += i >= 10000 && outcome != BRANCH_PREDICTED;
    }
    assert_at_most(wrong, 500);
    branch_unit_free(unit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_predictor),
        cmocka_unit_test(test_alternating),
        cmocka_unit_test(test_loops),
        cmocka_unit_test(test_correlated),
        cmocka_unit_test(test_unconditional),
        cmocka_unit_test(test_distant),
        cmocka_unit_test(test_own_pattern),
        cmocka_unit_test(test_biased),
        cmocka_unit_test(test_determinism),
        cmocka_unit_test(test_tage_sizes),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_btb),
        cmocka_unit_test(test_conditional_without_target),
        cmocka_unit_test(test_returns),
        cmocka_unit_test(test_indirect),
        cmocka_unit_test(test_indirect_by_direction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
