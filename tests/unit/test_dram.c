/* Memory models against times counted by hand: cycles of 400 ps. */
#include "machine.h"

#include "model/dram.h"

/* DDR4-2400 as gem5 has it (src/mem/DRAMInterface.py): 16 banks, 8 kB rows. */
static struct model_parameters ddr4(void) {
    struct model_parameters p = simple();
    p.memory = (struct memory_parameters){
        .size = UINT64_C(2) << 30,
        .model = "ddr4",
        .latency = 20000, /* 50 cycles */
        .channels = 1,
        .ranks = 2,
        .banks = 16,
        .row_size = 8192,
        .t_rcd = 14160,
        .t_cl = 14160,
        .t_rp = 14160,
        .t_ras = 32000,
        .t_burst = 3330,
    };
    return p;
}

enum {
    CLOSED = 80 + 50,         /* 14.16 + 14.16 + 3.33 ns = 79.125 cycles, and the controller */
    HIT = 44 + 50,            /* 14.16 + 3.33 ns = 43.725 */
    CONFLICT = 115 + 50,      /* 3 × 14.16 + 3.33 ns = 114.525 */
    ROW = 8192,               /* bytes until the next bank */
    SAME_BANK = 8192 * 2 * 16 /* bytes until the next row of a bank */
};

static uint64_t read(struct dram *dram, uint64_t address, uint64_t now) {
    return dram_access(dram, 0, address, false, now) - now;
}

static void init(struct dram *dram, struct model_parameters p) {
    assert_true(dram_init(dram, &p));
}

static void test_fixed(void **state) {
    struct dram dram;
    init(&dram, simple());
    assert_int_equal(read(&dram, 0, 0), 125);
    assert_int_equal(read(&dram, 64, 0), 125);
    assert_int_equal(dram_access(&dram, 1, 0, true, 500), 500);
    assert_int_equal(dram.counts.reads, 2);
    assert_int_equal(dram.counts.writes, 1);
    dram_free(&dram);
}

static void test_rows(void **state) {
    struct dram dram;
    init(&dram, ddr4());
    assert_int_equal(read(&dram, 0, 1000), CLOSED);
    assert_int_equal(read(&dram, 8128, 2000), HIT);
    assert_int_equal(read(&dram, ROW, 3000), CLOSED); /* the next bank */
    assert_int_equal(read(&dram, 0, 4000), HIT);      /* whose neighbour's row stays open */
    assert_int_equal(read(&dram, SAME_BANK, 5000), CONFLICT);
    assert_int_equal(read(&dram, SAME_BANK + 64, 6000), HIT);
    assert_int_equal(read(&dram, 0, 7000), CONFLICT);
    assert_int_equal(read(&dram, 16 * ROW, 8000), CLOSED); /* the other rank */
    assert_int_equal(dram.counts.row_closed, 3);
    assert_int_equal(dram.counts.row_hits, 3);
    assert_int_equal(dram.counts.row_conflicts, 2);
    dram_free(&dram);
}

/* A row opened at 0 must stay open for 32 ns = 80 cycles; then 114.525 more. */
static void test_row_active_time(void **state) {
    struct dram dram;
    init(&dram, ddr4());
    read(&dram, 0, 0);
    assert_int_equal(read(&dram, SAME_BANK, 60), 80 - 60 + CONFLICT);
    dram_free(&dram);
}

/* Two banks answer side by side, but the bus takes one burst after the other; with two channels,
 * each has its own. A bank takes a second command when the first one's burst time has passed. */
static void test_bus_and_banks(void **state) {
    struct dram dram;
    init(&dram, ddr4());
    assert_int_equal(read(&dram, 0, 0), CLOSED);
    assert_int_equal(read(&dram, ROW, 0), 88 + 50); /* 31.65 + 3.33 ns = 87.45 cycles */
    assert_int_equal(read(&dram, 2 * ROW, 0), 96 + 50);
    dram_free(&dram);

    struct model_parameters p = ddr4();
    p.memory.channels = 2;
    init(&dram, p);
    assert_int_equal(read(&dram, 0, 0), CLOSED);
    assert_int_equal(read(&dram, 64, 0), CLOSED);   /* the next line is the other channel's */
    assert_int_equal(read(&dram, 128, 0), 88 + 50); /* 17.49 + 17.49 ns: open, but busy */
    dram_free(&dram);
}

/* Who asks from before what is known does not wait for it. */
static void test_out_of_order(void **state) {
    struct dram dram;
    init(&dram, ddr4());
    assert_int_equal(read(&dram, 0, 9000), CLOSED);
    assert_int_equal(read(&dram, ROW, 500), CLOSED);
    assert_int_equal(read(&dram, 64, 600), HIT);
    assert_int_equal(read(&dram, 128, 9000), 88 + 50); /* as ever: after the first burst */
    dram_free(&dram);
}

/* Writes wait in a queue; reads find them there; together they keep banks and bus from reads. */
static void test_writes(void **state) {
    struct dram dram;
    init(&dram, ddr4());
    read(&dram, 0, 0);
    for (uint64_t i = 0; i < 53; i++)
        assert_int_equal(dram_access(&dram, 0, SAME_BANK + 64 * i, true, 1000), 1000);
    assert_int_equal(read(&dram, SAME_BANK + 64, 1000), 50);
    assert_int_equal(dram.counts.forwarded, 1);
    dram_access(&dram, 0, SAME_BANK + 64, true, 1000); /* is queued already */
    assert_int_equal(read(&dram, 0, 1000), HIT);       /* the row is still open */
    assert_int_equal(dram.counts.row_conflicts, 0);
    dram_access(&dram, 0, SAME_BANK + 64 * 53, true, 2000);
    assert_int_equal(dram.counts.row_conflicts, 1); /* 22 are written, to one row */
    assert_int_equal(dram.counts.row_hits, 22);
    /* 45.81 + 21 × 3.33 ns for the writes; the row's activation was long ago; then a conflict */
    uint64_t waited = read(&dram, 0, 2000) - CONFLICT;
    assert_in_range(waited, 224, 256); /* 31.65 + 21 × 3.33 ns until the last column command */
    assert_int_equal(dram.counts.writes, 55);
    dram_free(&dram);
}

/* Each core has its clock; the machine's goes on from where it stood. */
static void test_clocks_of_cores(void **state) {
    struct dram dram;
    init(&dram, ddr4());
    assert_int_equal(dram_access(&dram, 0, 0, false, 1000000), 1000000 + CLOSED);
    assert_int_equal(dram_access(&dram, 1, 64, false, 500), 500 + 88 + 50);
    assert_int_equal(dram_access(&dram, 1, 128, false, 1500), 1500 + HIT);
    /* right behind the other's last: the bank's command waits for 3.33 ns */
    assert_int_equal(dram_access(&dram, 0, 192, false, 1000900), 1000900 + 53 + 50);
    assert_int_equal(dram_access(&dram, 1, 256, false, 5000000), 5000000 + HIT);
    dram_free(&dram);
}

static void test_behind_the_caches(void **state) {
    struct hierarchy *h = make(ddr4());
    /* 164 with 125 cycles of memory */
    assert_int_equal(ask(h, 0, LOAD, 0, 0).ready, 164 - 125 + CLOSED);
    assert_int_equal(ask(h, 0, LOAD, 64, 1000).ready, 1000 + 164 - 125 + HIT);
    assert_int_equal(hierarchy_dram_counts(h)->row_hits, 1);
    hierarchy_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed),           cmocka_unit_test(test_rows),
        cmocka_unit_test(test_row_active_time), cmocka_unit_test(test_bus_and_banks),
        cmocka_unit_test(test_out_of_order),    cmocka_unit_test(test_writes),
        cmocka_unit_test(test_clocks_of_cores), cmocka_unit_test(test_behind_the_caches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
