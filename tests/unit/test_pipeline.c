/* The pipelined cores, in order and out of order: rates, windows, misses that overlap, branches, by
 * hand-computed cycles or against those of a machine that differs in one thing. */
#include "program.h"

/* Pipelines. The same segment over and over is a program without fetches or branches. */

/* add rax, rax; add rcx, rcx; … add rdi, rdi without rsp's: seven chains */
#define SEVEN_ADDS                                                                                 \
    "\x48\x01\xc0\x48\x01\xc9\x48\x01\xd2\x48\x01\xdb\x48\x01\xed\x48\x01\xf6\x48\x01\xff"

/* Cycles of a thousand times this code, once it is under way. */
static uint64_t steady(const struct model_parameters *parameters, const struct code *code) {
    struct model *model = make(parameters);
    run_often(model, code, 100);
    uint64_t cycles = run_often(model, code, 1000);
    model_free(model);
    return cycles;
}

static void test_adds(void **state) {
    autofree struct code *chain = REPEAT(CODE, ADD_RAX, 14), *free_of = REPEAT(CODE, SEVEN_ADDS, 2);
    struct model_parameters inorder = shipped("inorder"), ooo = shipped("skylake");
    assert_int_equal(steady(&inorder, chain), 14000);
    assert_int_equal(steady(&inorder, free_of), 14000 / 2);
    assert_int_equal(steady(&ooo, chain), 14000);
    assert_int_equal(steady(&ooo, free_of), 14000 / 4); /* front_width */
    for (unsigned width = 1; width <= 3; width++) {
        ooo.core.issue_width = width;
        assert_in_range(steady(&ooo, free_of), 14000 / width, 14000 / width + 20);
    }
    ooo.core.issue_width = 8;
    ooo.core.units[UNITS_INTEGER] = 1;
    assert_in_range(steady(&ooo, free_of), 14000, 14020);
}

/* The last kind of unit is counted like the others. Renamed once all before it has committed, an
 * RDTSC is issued 2 cycles later, read 3 later, split into halves 1 later, those commit 2 later,
 * and the next one is renamed in the cycle after. */
static void test_system_unit(void **state) {
    autofree struct code *code = REPEAT(CODE, RDTSC, 14);
    struct model_parameters ooo = shipped("skylake");
    assert_in_range(steady(&ooo, code), 9 * 14000, 9 * 14000 + 20);
}

/* Nothing is under way any more: 1400 cycles, or more, of code that waits for nothing. Its line is
 * at hand then. */
static void drain(struct model *model) {
    autofree struct code *idle = REPEAT(CODE, SEVEN_ADDS, 2);
    run_often(model, idle, 400);
    model_forget_code(model);
}

/* Cycles of this code, each of whose stride-th instructions accesses another missing line. */
static uint64_t miss(const struct model_parameters *parameters, const struct code *code,
                     unsigned loads, unsigned stride, bool store) {
    struct model *model = make(parameters);
    struct access accesses[SEGMENT_MOST];
    for (unsigned i = 0; i < loads; i++)
        accesses[i] = access_at(i * stride, DATA + i * LINE, 8, store);
    drain(model);
    uint64_t cycles = run(model, code, accesses, loads, 0);
    model_free(model);
    return cycles;
}

static void test_overlapping_misses(void **state) {
    autofree struct code *apart = REPEAT(CODE, LOAD_RAX, 8), *chain = REPEAT(CODE, CHASE_RAX, 8);
    autofree struct code *single = REPEAT(CODE, LOAD_RAX, 1), *stores = REPEAT(CODE, STORE_RAX, 8);
    autofree struct code *five = REPEAT(CODE, STORE_RAX, 5);
    struct model_parameters inorder = shipped("inorder"), ooo = shipped("skylake");
    uint64_t one = miss(&inorder, single, 1, 1, false);
    assert_in_range(one, 160, 180);
    assert_in_range(miss(&inorder, chain, 8, 1, false), 8 * (one - 5), 8 * (one + 5));
    /* in pairs: behind a load that is waited for as the oldest, no other one is passed on */
    assert_in_range(miss(&inorder, apart, 8, 1, false), 8 / 2 * one, 8 / 2 * (one + 2));
    /* the eighth waits until three have left the store buffer of five, two at a time */
    assert_in_range(miss(&inorder, stores, 8, 1, true), 2 * one, 2 * (one + 8));
    assert_in_range(miss(&inorder, five, 5, 1, true), 1, 10);

    one = miss(&ooo, single, 1, 1, false);
    assert_in_range(one, 180, 260);
    assert_in_range(miss(&ooo, chain, 8, 1, false), 8 * (one - 10), 8 * (one + 5));
    assert_in_range(miss(&ooo, apart, 8, 1, false), one, one + 20);
    ooo.l1d.mshrs = 2;
    assert_in_range(miss(&ooo, apart, 8, 1, false), 8 / 2 * (one - 10), 8 / 2 * (one + 5));
}

/* The same machine with less of one thing needs at least so many cycles more for these misses. */
static void check_costs(size_t parameter, uint64_t less, const struct code *code, unsigned loads,
                        unsigned stride, bool store, uint64_t least) {
    struct model_parameters ooo = shipped("skylake");
    uint64_t before = miss(&ooo, code, loads, stride, store);
    memcpy((char *)&ooo + parameter, &less, sizeof less);
    uint64_t after = miss(&ooo, code, loads, stride, store);
    if (after < before + least)
        fail_msg("parameter at %zu: %" PRIu64 " cycles, %" PRIu64 " with less", parameter, before,
                 after);
}
#define CHECK_COSTS(parameter, ...)                                                                \
    check_costs(offsetof(struct model_parameters, core.parameter), __VA_ARGS__)

/* Four misses that a large enough core has under way together. */
static void test_windows(void **state) {
    /* a load into rcx, and three adds that do not wait for it; the same, waiting */
    autofree struct code *apart = REPEAT(CODE, "\x48\x8b\x0b" ADD_RAX ADD_RAX ADD_RAX, 4);
    autofree struct code *waiting = REPEAT(CODE, "\x48\x8b\x03" ADD_RAX ADD_RAX ADD_RAX, 4);
    autofree struct code *stores = REPEAT(CODE, STORE_RAX, 8);
    enum { MISS = 180 };
    CHECK_COSTS(window, 4, apart, 4, 4, false, 3 * MISS);
    CHECK_COSTS(window, 8, apart, 4, 4, false, MISS);
    CHECK_COSTS(issue_queue, 3, waiting, 4, 4, false, 2 * MISS);
    CHECK_COSTS(load_queue, 1, apart, 4, 4, false, 3 * MISS);
    CHECK_COSTS(load_queue, 2, apart, 4, 4, false, MISS);
    CHECK_COSTS(store_buffer, 1, stores, 8, 1, true, 6 * MISS);
    CHECK_COSTS(store_buffer, 4, stores, 8, 1, true, 3 * MISS);
}

static void test_forwarding(void **state) {
    struct model *model = make_shipped("skylake");
    autofree struct code *code = ASSEMBLE(CODE, STORE_RAX "\x48\x8b\x0b"); /* mov rcx, [rbx] */
    struct access accesses[] = {access_at(0, DATA, 8, true), access_at(1, DATA, 8, false)};
    run(model, code, accesses, 2, 0);
    drain(model);
    accesses[0].address = accesses[1].address = DATA + PAGE; /* the store misses, nobody waits */
    assert_in_range(run(model, code, accesses, 2, 0), 1, 20);
    drain(model);
    accesses[0].address = DATA + 2 * PAGE;
    accesses[1].address = DATA + 3 * PAGE;
    assert_in_range(run(model, code, accesses, 2, 0), 180, 500);
    model_free(model);
}

/* Where its last instruction jumps to. */
static uint64_t target_of(const struct code *code) {
    return code->instruction[code->segment.count - 1].target;
}

/* Code that ends in a jump on a condition, where it goes then, and where it falls through to: these
 * two are the same, and jump back. All begin with NOPs, as functions do with ENDBR64: what is
 * waited for must not be lost with them. */
struct fork {
    struct code *start, *taken, *not_taken;
};

static struct fork make_fork(void) {
    char start[LINE], end[LINE];
    memcpy(start, NOP NOP SEVEN_ADDS SEVEN_ADDS SEVEN_ADDS, 62);
    memcpy(end, NOP NOP SEVEN_ADDS, 8);
    memcpy(start + LINE - 2, "\x74\x40", 2); /* je, a line further */
    memcpy(end + 8, "\xe9\xb3\xff\xff\xff", 5);
    struct fork fork = {assemble(CODE, start, LINE), NULL, assemble(CODE + LINE, end, 13)};
    memcpy(end + 8, "\xe9\x73\xff\xff\xff", 5);
    fork.taken = assemble(CODE + 2 * LINE, end, 13);
    assert_int_equal(target_of(fork.start), CODE + 2 * LINE);
    assert_int_equal(target_of(fork.taken), CODE);
    assert_int_equal(target_of(fork.not_taken), CODE);
    return fork;
}

static void free_fork(const struct fork *fork) {
    free(fork->start);
    free(fork->taken);
    free(fork->not_taken);
}

struct spent {
    uint64_t cycles, branch, mispredicts;
};

static struct spent spent(struct model *model) {
    return (struct spent){cycles_of(model, 0), value_of(model, "system.cpu0.cpiStack.branch::user"),
                          value_of(model, "system.cpu0.branchPred.mispredicted::user")};
}

enum { TURNS = 500 };

/* TURNS times, taken as often as given in 16, at random; once warm. */
static struct spent run_fork(const char *system, unsigned sixteenths) {
    struct model *model = make_shipped(system);
    struct fork fork = make_fork();
    struct spent warm = {0};
    uint64_t random = 4711;
    for (unsigned i = 0; i < 2 * TURNS; i++) {
        bool taken = next_random(&random) % 16 < sixteenths;
        const struct code *end = taken ? fork.taken : fork.not_taken;
        if (i == TURNS)
            warm = spent(model);
        run(model, fork.start, NULL, 0, end->segment.address);
        run(model, end, NULL, 0, CODE);
    }
    struct spent all = spent(model);
    assert_int_equal(value_of(model, "system.cpu0.branchPred.committed::total"), 4 * TURNS);
    free_fork(&fork);
    model_free(model);
    return (struct spent){all.cycles - warm.cycles, all.branch - warm.branch,
                          all.mispredicts - warm.mispredicts};
}

static void test_branches_unpredicted(void **state) {
    struct spent taken = run_fork("inorder", 16), not_taken = run_fork("inorder", 0);
    assert_int_equal(not_taken.mispredicts, TURNS); /* the jump back alone */
    assert_int_equal(taken.mispredicts, 2 * TURNS);
    assert_in_range(taken.cycles - not_taken.cycles, 3 * TURNS, 20 * TURNS);
    assert_true(taken.branch >= not_taken.branch + 3 * TURNS);
}

static void test_branches_predicted(void **state) {
    struct spent always = run_fork("skylake", 16), never = run_fork("skylake", 0);
    struct spent random = run_fork("skylake", 8);
    assert_int_equal(always.mispredicts + never.mispredicts, 0);
    assert_int_equal(always.branch + never.branch, 0);
    assert_in_range(random.mispredicts, TURNS / 4, TURNS * 3 / 4);
    /* a mispredict empties a pipeline of seven stages at least */
    uint64_t lost = random.cycles - (always.cycles > never.cycles ? always.cycles : never.cycles);
    assert_in_range(lost, random.mispredicts * 3, random.mispredicts * 40);
    assert_in_range(random.branch, lost * 3 / 4, lost * 3 / 2);
}

/* A branch that is taken and was not expected to be: the line behind it has been asked for in vain,
 * if its page can be known. */
static void test_wrong_path(void **state) {
    struct model *model = make_shipped("skylake");
    struct fork fork = make_fork();
    run(model, fork.start, NULL, 0, fork.taken->segment.address);
    assert_int_equal(value_of(model, "system.cpu0.branchPred.mispredicted::user"), 1);
    assert_int_equal(value_of(model, "system.cpu0.icache.overallMisses::user"), 2);
    run(model, fork.taken, NULL, 0, CODE);
    assert_int_equal(value_of(model, "system.cpu0.icache.overallMisses::user"), 3);
    drain(model);
    uint64_t misses = value_of(model, "system.cpu0.icache.overallMisses::user");
    run(model, fork.not_taken, NULL, 0, CODE);
    assert_int_equal(value_of(model, "system.cpu0.icache.overallMisses::user"), misses);
    free_fork(&fork);
    model_free(model);
}

/* A direct jump whose target was not known is put right by the decoder: no mispredict. */
static void test_unknown_target(void **state) {
    struct model *model = make_shipped("skylake");
    autofree struct code *jump = ASSEMBLE(CODE, "\xeb\x3e"); /* to the next line */
    autofree struct code *back = ASSEMBLE(CODE + LINE, NOP "\xeb\xbd");
    assert_int_equal(target_of(jump), CODE + LINE);
    assert_int_equal(target_of(back), CODE);
    uint64_t cycles[3];
    for (unsigned i = 0; i < 3; i++) {
        uint64_t before = cycles_of(model, 0);
        run(model, jump, NULL, 0, CODE + LINE);
        run(model, back, NULL, 0, CODE);
        cycles[i] = cycles_of(model, 0) - before;
    }
    assert_int_equal(value_of(model, "system.cpu0.branchPred.BTBMispredicted"), 2);
    assert_int_equal(value_of(model, "system.cpu0.branchPred.mispredicted::user"), 0);
    assert_in_range(cycles[2], 1, 6);
    model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adds),
        cmocka_unit_test(test_system_unit),
        cmocka_unit_test(test_overlapping_misses),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_forwarding),
        cmocka_unit_test(test_branches_unpredicted),
        cmocka_unit_test(test_branches_predicted),
        cmocka_unit_test(test_wrong_path),
        cmocka_unit_test(test_unknown_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
