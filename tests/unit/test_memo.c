/* The in-order core's memory of what its pipeline did: random programs, computed and remembered,
 * must have the same statistics, all of them, at any time. */
#define DATA DATA_PLACE /* the model has another DATA */
#include "program.h"
#undef DATA

#include "model/core_inorder_memo.h"
#include "model/state.h"

enum { BLOCKS = 40, RUNS = 20000, HOT_LINES = 24, MOST_ACCESSES = 3 * SEGMENT_MOST };
enum { PER_FLUSH = RUNS / 2 / FLUSH_ALL }; /* each choice of parts is flushed twice */

static const struct template {
    const char *bytes;
    uint8_t size, load, store; /* load, store: bytes of each access; 0: none */
}
templates[] = {
    {"\x48\x01\xd8", 3, 0, 0},     /* add rax, rbx */
    {"\x48\x01\xc9", 3, 0, 0},     /* add rcx, rcx */
    {"\x48\x0f\xaf\xc1", 4, 0, 0}, /* imul rax, rcx */
    {"\x48\xf7\xf1", 3, 0, 0},     /* div rcx */
    {"\x48\x8b\x0c\x24", 4, 8, 0}, /* mov rcx, [rsp] */
    {"\x48\x8b\x1b", 3, 8, 0},     /* mov rbx, [rbx] */
    {"\x48\x89\x06", 3, 0, 8},     /* mov [rsi], rax */
    {"\x88\x06", 2, 0, 1},         /* mov [rsi], al */
    {"\x48\x01\x07", 3, 8, 8},     /* add [rdi], rax */
    {"\x50", 1, 0, 8},             /* push rax */
    {"\x50", 1, 0, 8},
    {"\x0f\x10\x06", 3, 16, 0},    /* movups xmm0, [rsi] */
    {"\x0f\x11\x07", 3, 0, 16},    /* movups [rdi], xmm0 */
    {"\xdb\x2e", 2, 10, 0},        /* fld tbyte [rsi] */
    {"\xf2\x0f\x59\xc1", 4, 0, 0}, /* mulsd xmm0, xmm1 */
    {"\x90", 1, 0, 0},             /* nop */
    {"\xf0\x48\x01\x07", 4, 8, 8}, /* lock add [rdi], rax: the rare ones */
    {"\x0f\xae\xf0", 3, 0, 0},     /* mfence */
    {"\x0f\x31", 2, 0, 0},         /* rdtsc */
    {"\x0f\x18\x0e", 3, 0, 0},     /* prefetcht0 [rsi] */
    {"\x48\x8b\x06", 3, 24, 0},    /* more is accessed than its micro-operations do */
};
enum { TEMPLATES = sizeof templates / sizeof *templates, USUAL = 16 };

struct block {
    struct code *code;
    struct access accesses[MOST_ACCESSES]; /* without addresses */
    unsigned access_count;
};

static uint64_t address_of(unsigned block) {
    return CODE + block * LINE + (block % 4 == 1 ? 3 : 0);
}

/* Fills its line from the start, or three bytes in, to its end or three bytes further; ends in a
 * jump to one of a few blocks before or after it. Every seventh is a string instruction. */
static void make_block(struct block *block, unsigned index, uint64_t *random) {
    uint8_t bytes[2 * LINE];
    unsigned end = LINE - (index % 4 == 1 ? 3 : 0) + (index % 4 == 0 && index + 1 < BLOCKS ? 3 : 0);
    unsigned size = 0, count = 0, most = (unsigned)(next_random(random) % 3 ? SEGMENT_MOST : 4);
    block->access_count = 0;
    while (size < end - 6) {
        unsigned kinds = next_random(random) % 16 ? USUAL : TEMPLATES;
        const struct template *template = &templates[next_random(random) % kinds];
        if (size + template->size > end - 6 || count >= most)
            template = &templates[USUAL - 1];
        memcpy(bytes + size, template->bytes, template->size);
        size += template->size;
        struct access *access = block->accesses + block->access_count;
        if (template->load)
            *access++ = access_at(count, 0, template->load, false);
        if (template->store)
            *access++ = access_at(count, 0, template->store, true);
        block->access_count = (unsigned)(access - block->accesses);
        count++;
    }
    unsigned target =
        (unsigned)(next_random(random) % 4 ? index / 8 * 8 : next_random(random) % BLOCKS);
    int32_t distance = (int32_t)(address_of(target) - address_of(index) - end);
    memcpy(bytes + size, "\x0f\x84", 2); /* je */
    memcpy(bytes + size + 2, &distance, 4);
    struct code *code = index % 7 == 6 ? ASSEMBLE(address_of(index), "\xf3\xa4") /* rep movsb */
                                       : assemble(address_of(index), bytes, end);
    if (index % 7 == 6) {
        block->accesses[0] = access_at(0, 0, 1, false);
        block->accesses[1] = access_at(0, 0, 1, true);
        block->access_count = 2;
    }
    code->segment.mode = index % 10 >= 8 ? MODEL_KERNEL : MODEL_USER;
    code->segment.region = index % 3;
    block->code = code;
}

/* One hot line of a few as a rule: those hit. */
static uint64_t data_address(uint64_t *random) {
    uint64_t line =
        next_random(random) % 64 ? next_random(random) % HOT_LINES : next_random(random) % 100000;
    uint64_t offset = next_random(random) % 64 ? next_random(random) % (LINE / 16) * 16
                                               : next_random(random) % LINE;
    return DATA_PLACE + line * LINE + offset;
}

/* A step of the block on both models: as a rule all of it. Returns the block it goes to. */
static unsigned run_block(struct model *models[2], unsigned core, const struct block *blocks,
                          unsigned index, uint64_t *random) {
    const struct block *block = &blocks[index];
    const struct segment *segment = &block->code->segment;
    struct access accesses[MOST_ACCESSES];
    struct step step = {.segment = segment, .end = segment->count, .accesses = accesses};
    if (next_random(random) % 100 == 0)
        step.end = (unsigned)(next_random(random) % (segment->count + 1u));
    if (next_random(random) % 100 == 0)
        step.first = (unsigned)(next_random(random) % (step.end + 1u));
    for (unsigned i = 0; i < block->access_count; i++) {
        struct access *access = &accesses[step.access_count];
        *access = block->accesses[i];
        if (access->instruction > step.end || next_random(random) % 500 == 0)
            continue;
        step.access_count++;
        access->address = access->virtual_address = data_address(random);
        access->uncached = next_random(random) % 1000 == 0;
    }
    const struct instruction *last = &block->code->instruction[segment->count - 1];
    bool jumps = last->branch && (next_random(random) % 3 == 0 || index + 1 == BLOCKS);
    unsigned next = (index + 1) % BLOCKS;
    if (jumps)
        next = (unsigned)((last->target - CODE) / LINE);
    if (next_random(random) % 100)
        step.next = &blocks[next].code->segment;
    if (next_random(random) % 200 == 0) /* an interrupt */
        next = (unsigned)(next_random(random) % BLOCKS);
    model_run(models[0], core, &step);
    model_run(models[1], core, &step);
    return next;
}

static void compare(struct model *models[2]) {
    autofree uint64_t *computed = read_values(models[0]), *remembered = read_values(models[1]);
    for (size_t i = 0; i < model_statistic_count(models[0]); i++)
        if (computed[i] != remembered[i])
            fail_msg("%s: %" PRIu64 ", remembered %" PRIu64, model_statistic(models[0], i)->name,
                     computed[i], remembered[i]);
}

/* Other code in the same places of the host's memory. */
static void rewrite(struct model *models[2], struct block *blocks, uint64_t *random) {
    model_forget_code(models[0]);
    model_forget_code(models[1]);
    for (unsigned i = 0; i < BLOCKS; i++) {
        struct code *place = blocks[i].code;
        make_block(&blocks[i], i, random);
        struct code *code = blocks[i].code;
        if (place) {
            memcpy(place, code, sizeof *code);
            place->segment.code = place->instruction;
            blocks[i].code = place;
            free(code);
        }
    }
}

static void check(const struct model_parameters *parameters, uint64_t random) {
    static const char *const regions[] = {"one", "two"};
    struct model *models[2] = {make(parameters), make(parameters)};
    struct block *blocks = calloc(BLOCKS, sizeof *blocks);
    assert_non_null(blocks);
    unsigned at[2] = {0, BLOCKS / 2};
    for (unsigned i = 0; i < 2; i++)
        assert_true(model_set_regions(models[i], regions, 2));
    for (unsigned core = 0; core < 2; core++)
        inorder_memo_off(&models[0]->cores[core]);
    for (unsigned i = 0; i < RUNS; i++) {
        if (i % (RUNS / 2) == 0)
            rewrite(models, blocks, &random);
        if (i % PER_FLUSH == PER_FLUSH - 1)
            for (unsigned j = 0; j < 2; j++)
                model_flush(models[j], 1 + i / PER_FLUSH % FLUSH_ALL);
        unsigned core = i / 64 % 4 == 0;
        at[core] = run_block(models, core, blocks, at[core], &random);
        assert_int_equal(cycles_of(models[0], core), cycles_of(models[1], core));
        if (i % 100 == 0)
            compare(models);
    }
    compare(models);
    for (unsigned i = 0; i < 2; i++)
        model_free(models[i]);
    for (unsigned i = 0; i < BLOCKS; i++)
        free(blocks[i].code);
    free(blocks);
}

static void test_shipped(void **state) {
    struct model_parameters parameters = shipped("inorder");
    for (uint64_t random = 1; random <= 8; random++)
        check(&parameters, random);
}

static void test_predicted(void **state) {
    struct model_parameters parameters = shipped("inorder");
    parameters.branch = shipped("skylake").branch;
    check(&parameters, 11);
}

/* Cores of other sizes, */
static void test_cores(void **state) {
    struct model_parameters parameters = shipped("inorder");
    parameters.core.store_buffer = 1;
    parameters.core.operations[OP_INT_DIV].interval = 40;
    check(&parameters, 21);
    parameters = shipped("inorder");
    parameters.core.front_width = parameters.core.issue_width = 4;
    parameters.core.commit_width = 1;
    parameters.core.branch_delay = 5;
    parameters.core.operations[OP_LOAD].latency = 3;
    parameters.core.operations[OP_INT_ALU].slack = 0;
    check(&parameters, 22);
}

/* … and caches of other kinds. */
static void test_caches(void **state) {
    struct model_parameters parameters = shipped("inorder");
    parameters.l1d.tag_latency = 4;
    parameters.l1i.data_latency = 3;
    strcpy(parameters.level[LEVEL_LLC].inclusion, "inclusive");
    check(&parameters, 31);
    parameters.l1d.prefetcher = parameters.l1i.prefetcher =
        (struct prefetcher_parameters){.name = "next_line", .degree = 1, .distance = 1};
    check(&parameters, 32);
    parameters = shipped("inorder");
    strcpy(parameters.l1d.replacement, "plru");
    check(&parameters, 33);
    parameters.mmu = shipped("skylake").mmu;
    check(&parameters, 34);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_predicted),
        cmocka_unit_test(test_cores),
        cmocka_unit_test(test_caches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
