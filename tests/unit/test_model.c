/* The timing model as a whole: the blocking core's cycles by hand; random programs on every shipped
 * system, and what must hold of their statistics. Caches, memory, TLBs, prefetchers and branch
 * prediction have tests of their own, as the pipelined cores have. */
#include "program.h"

/* The sum of all statistics of a name with this start and end; none is an error. */
static uint64_t sum_of(struct model *model, const char *start, const char *end) {
    autofree uint64_t *values = read_values(model);
    uint64_t sum = 0;
    unsigned found = 0;
    for (size_t i = 0; i < model_statistic_count(model); i++) {
        const char *name = model_statistic(model, i)->name;
        size_t length = strlen(name);
        if (strncmp(name, start, strlen(start)) == 0 && length >= strlen(end) &&
            strcmp(name + length - strlen(end), end) == 0) {
            sum += values[i];
            found++;
        }
    }
    assert_int_not_equal(found, 0);
    return sum;
}

/* Blocking */

static void test_blocking_latencies(void **state) {
    struct model *model = make_shipped("simple");
    autofree struct code *code = ASSEMBLE(CODE, LOAD_RAX), *idle = ASSEMBLE(CODE, NOP);
    struct access access = load_of(DATA);
    assert_int_equal(run(model, idle, NULL, 0, 0), 164);
    assert_int_equal(run(model, idle, NULL, 0, 0), 1);
    /* each with a cycle for its fetch */
    assert_int_equal(run(model, code, &access, 1, 0), 1 + 164);
    assert_int_equal(run(model, code, &access, 1, 0), 1 + 1);
    for (unsigned way = 1; way <= 8; way++) { /* all eight ways of its set in the L1D */
        struct access other = load_of(DATA + way * 2048);
        run(model, code, &other, 1, 0);
    }
    assert_int_equal(run(model, code, &access, 1, 0), 1 + 17);
    assert_int_equal(value_of(model, "system.cpu0.dcache.overallAccesses::user"), 11);
    assert_int_equal(value_of(model, "system.cpu0.dcache.overallMisses::user"), 10);
    model_flush(model, FLUSH_ALL);
    assert_int_equal(run(model, code, &access, 1, 0), 164 + 164);
    model_free(model);
}

/* Cores that are not measured keep time as a blocking core would, if the system says so. */
static void test_measured_core(void **state) {
    static const char *const others[] = {"blocking", "same"};
    for (unsigned same = 0; same < 2; same++) {
        struct model_parameters parameters = shipped("inorder");
        snprintf(parameters.core.others, sizeof parameters.core.others, "%s", others[same]);
        struct model *model = model_new(&parameters);
        assert_non_null(model);
        model_measure(model, 1);
        autofree struct code *one = ASSEMBLE(CODE, ADD_RAX),
                             *other = ASSEMBLE(CODE + 4096, ADD_RAX);
        struct step step = {.segment = &one->segment, .end = 1};
        model_run(model, 0, &step);
        step.segment = &other->segment;
        model_run(model, 1, &step);
        assert_true((cycles_of(model, 0) == 164) == !same);
        assert_true((cycles_of(model, 0) == cycles_of(model, 1)) == same);
        assert_int_equal(value_of(model, "system.cpu0.icache.overallMisses::total"), 1);
        model_free(model);
    }
}

static void test_blocking_fetches(void **state) {
    struct model *model = make_shipped("simple");
    /* bytes 0–2, 3–5, 6–8 in two chunks of eight, 9–11 */
    autofree struct code *code = REPEAT(CODE, ADD_RAX, 4), *spilling = ASSEMBLE(CODE + 62, ADD_RAX);
    struct step step = {.segment = &code->segment, .first = 0, .end = 4};
    model_run(model, 0, &step);
    uint64_t before = cycles_of(model, 0);
    assert_int_equal(run(model, code, NULL, 0, 0), 5);
    step.first = 1, step.end = 3;
    model_run(model, 0, &step);
    assert_int_equal(cycles_of(model, 0) - before, 5 + 3);
    assert_int_equal(value_of(model, "simInsts"), 4 + 4 + 2);
    assert_int_equal(value_of(model, "system.cpu0.icache.overallAccesses::user"), 5 + 5 + 3);
    assert_int_equal(value_of(model, "system.cpu0.icache.overallMisses::user"), 1);

    assert_int_equal(run(model, spilling, NULL, 0, 0), 1 + 164); /* its other half is there */
    assert_int_equal(run(model, spilling, NULL, 0, 0), 2);
    assert_int_equal(value_of(model, "system.cpu0.icache.overallAccesses::user"), 13 + 4);
    assert_int_equal(value_of(model, "system.cpu0.icache.overallMisses::user"), 2);
    model_free(model);
}

static void test_blocking_accesses(void **state) {
    struct model *model = make_shipped("simple");
    autofree struct code *code = ASSEMBLE(CODE, LOAD_RAX);
    struct access wide = access_at(0, DATA, 16, false);
    struct access split = access_at(0, DATA + 10 * LINE - 4, 8, false);
    struct access uncached = load_of(DATA);
    uncached.uncached = true;
    run(model, code, &wide, 1, 0);
    assert_int_equal(run(model, code, &wide, 1, 0), 1 + 2);
    assert_int_equal(value_of(model, "system.cpu0.dcache.overallAccesses::user"), 4);
    assert_int_equal(value_of(model, "system.cpu0.dcache.overallMisses::user"), 1);

    /* the second line is asked for a cycle later, while the first is on its way */
    assert_int_equal(run(model, code, &split, 1, 0), 1 + 1 + 164);
    assert_int_equal(run(model, code, &split, 1, 0), 1 + 1 + 1);
    assert_int_equal(value_of(model, "system.cpu0.dcache.overallAccesses::user"), 4 + 4);
    assert_int_equal(value_of(model, "system.cpu0.dcache.overallMisses::user"), 1 + 2);

    uint64_t took = run(model, code, &uncached, 1, 0);
    assert_in_range(took, 126, 165); /* memory alone takes 50 ns, 125 cycles */
    assert_int_equal(run(model, code, &uncached, 1, 0), took);
    assert_int_equal(value_of(model, "system.cpu0.cpiStack.uncached::user"), 2 * (took - 2));
    assert_int_equal(value_of(model, "system.cpu0.dcache.overallMshrUncacheable::total"), 2);
    assert_int_equal(value_of(model, "system.cpu0.dcache.overallAccesses::user"), 8);
    model_free(model);
}

static void test_instructions(void **state) {
    static const char *const systems[] = {"simple", "inorder", "skylake"};
    for (unsigned i = 0; i < sizeof systems / sizeof *systems; i++) {
        struct model *model = make_shipped(systems[i]);
        autofree struct code *user = REPEAT(CODE, NOP, 5), *kernel = REPEAT(CODE + PAGE, NOP, 3);
        autofree struct code *copy = ASSEMBLE(CODE + 2 * PAGE, "\xf3\xa4"); /* rep movsb */
        kernel->segment.mode = MODEL_KERNEL;
        struct access moves[] = {access_at(0, DATA, 1, false), access_at(0, DATA + PAGE, 1, true)};
        struct step step = {.segment = &copy->segment, .accesses = moves, .access_count = 2};
        run(model, user, NULL, 0, 0);
        run(model, kernel, NULL, 0, 0);
        run(model, copy, moves, 2, 0);
        uint64_t before = cycles_of(model, 0);
        model_run(model, 0, &step);
        model_run(model, 0, &step);
        assert_in_range(cycles_of(model, 0) - before, 1, 180); /* the first store is under way */
        assert_int_equal(value_of(model, "system.cpu0.modeInsts::user"), 5 + 1);
        assert_int_equal(value_of(model, "system.cpu0.modeInsts::kernel"), 3);
        assert_int_equal(value_of(model, "system.cpu0.dcache.overallAccesses::user"), 6);
        assert_int_equal(value_of(model, "system.cpu0.dcache.overallAccesses::kernel"), 0);
        assert_int_equal(value_of(model, "system.cpu1.commitStats0.numInsts"), 0);
        model_free(model);
    }
}

/* Random programs */

enum { BLOCKS = 300, RUNS = 3000, HOT = 64 };

static const struct template {
    const char *bytes;
    uint8_t size, access; /* bytes of each access; 0: none */
    bool load, store;
}
templates[] = {
    {"\x48\x01\xd8", 3, 0, false, false},     /* add rax, rbx */
    {"\x48\x0f\xaf\xc1", 4, 0, false, false}, /* imul rax, rcx */
    {"\x48\xf7\xf1", 3, 0, false, false},     /* div rcx */
    {"\x48\x8b\x0c\x24", 4, 8, true, false},  /* mov rcx, [rsp] */
    {"\x48\x8b\x1b", 3, 8, true, false},      /* mov rbx, [rbx] */
    {"\x48\x89\x06", 3, 8, false, true},      /* mov [rsi], rax */
    {"\x48\x01\x07", 3, 8, true, true},       /* add [rdi], rax */
    {"\xf0\x48\x01\x07", 4, 8, true, true},   /* lock add [rdi], rax */
    {"\x50", 1, 8, false, true},              /* push rax */
    {"\x0f\x10\x06", 3, 16, true, false},     /* movups xmm0, [rsi] */
    {"\x0f\x11\x07", 3, 16, false, true},     /* movups [rdi], xmm0 */
    {"\xf2\x0f\x59\xc1", 4, 0, false, false}, /* mulsd xmm0, xmm1 */
    {"\x0f\xae\xf0", 3, 0, false, false},     /* mfence */
    {"\x90", 1, 0, false, false},             /* nop */
};
enum { TEMPLATES = sizeof templates / sizeof *templates };

struct program {
    struct code *block[BLOCKS];
    struct access accesses[BLOCKS][2 * SEGMENT_MOST]; /* without addresses */
    unsigned access_count[BLOCKS];
    struct translation code_page[BLOCKS / (PAGE / LINE) + 1], data_page[HOT];
    uint64_t fed; /* instructions */
};

static void make_translation(struct translation *translation, uint64_t page) {
    *translation =
        (struct translation){.page = page, .frame = page, .levels = WALK_LEVELS, .page_shift = 12};
    for (unsigned i = 0; i < WALK_LEVELS; i++)
        translation->walk[i] = 0x8000000 + i * 0x100000 + ((page >> (39 - 9 * i)) & 511) * 8;
}

/* A line that the L1I holds, of a page that only the second-level TLB holds: that one's latency is
 * waited for. */
static void test_second_level_tlb(void **state) {
    struct model_parameters parameters = shipped("simple"), with_tlbs = shipped("icelake");
    parameters.mmu = with_tlbs.mmu;
    struct model *model = make(&parameters);
    uint64_t sets = parameters.mmu.itlb.entries / parameters.mmu.itlb.associativity;
    struct translation page[16]; /* stay valid as long as the TLBs may hold them */
    assert_in_range(parameters.mmu.itlb.associativity, 1, 15);
    make_translation(&page[0], CODE);
    autofree struct code *code = ASSEMBLE(CODE, NOP);
    code->segment.translation = &page[0];
    run(model, code, NULL, 0, 0);
    assert_int_equal(run(model, code, NULL, 0, 0), 1);
    for (uint64_t way = 1; way <= parameters.mmu.itlb.associativity; way++) {
        uint64_t address = CODE + way * sets * PAGE + way * LINE; /* other sets of the L1I */
        make_translation(&page[way], address & -PAGE);
        autofree struct code *other = ASSEMBLE(address, NOP);
        other->segment.translation = &page[way];
        run(model, other, NULL, 0, 0);
    }
    uint64_t itlb = value_of(model, "system.cpu0.cpiStack.itlb::user");
    assert_int_equal(run(model, code, NULL, 0, 0), 1 + parameters.mmu.stlb.latency);
    assert_int_equal(value_of(model, "system.cpu0.cpiStack.itlb::user"),
                     itlb + parameters.mmu.stlb.latency);
    model_free(model);
}

/* Block `index` fills the code from its line's start (or three bytes in) to that of the next, where
 * it falls through unless its last instruction, a jump on a condition, goes to another one. */
static void make_block(struct program *program, unsigned index, uint64_t *random) {
    uint8_t bytes[2 * LINE];
    bool spilt = index % 4 == 1, spills = index % 4 == 0 && index + 1 < BLOCKS;
    uint64_t address = CODE + index * LINE + (spilt ? 3 : 0);
    unsigned end = LINE - (spilt ? 3 : 0) + (spills ? 3 : 0), size = 0, count = 0;
    while (size < end - 6) {
        const struct template *template = &templates[next_random(random) % TEMPLATES];
        if (size + template->size > end - 6)
            continue;
        memcpy(bytes + size, template->bytes, template->size);
        size += template->size;
        struct access *access = program->accesses[index] + program->access_count[index];
        if (template->load)
            *access++ = access_at(count, 0, template->access, false);
        if (template->store)
            *access++ = access_at(count, 0, template->access, true);
        program->access_count[index] = (unsigned)(access - program->accesses[index]);
        count++;
    }
    unsigned target = (unsigned)(next_random(random) % BLOCKS);
    int32_t distance = (int32_t)(CODE + target * LINE + (target % 4 == 1 ? 3 : 0) - address - end);
    memcpy(bytes + size, "\x0f\x84", 2); /* je */
    memcpy(bytes + size + 2, &distance, 4);
    struct code *code = program->block[index] = assemble(address, bytes, end);
    code->segment.translation = &program->code_page[index / (PAGE / LINE)];
    code->segment.mode = index % 10 == 9 ? MODEL_KERNEL : MODEL_USER;
    code->segment.region = index % 3;
}

static struct program *make_program(uint64_t random) {
    struct program *program = calloc(1, sizeof *program);
    assert_non_null(program);
    for (unsigned i = 0; i <= BLOCKS / (PAGE / LINE); i++)
        make_translation(&program->code_page[i], CODE + i * PAGE);
    for (unsigned i = 0; i < HOT; i++)
        make_translation(&program->data_page[i], DATA + i * PAGE);
    for (unsigned i = 0; i < BLOCKS; i++)
        make_block(program, i, &random);
    return program;
}

static void free_program(struct program *program) {
    for (unsigned i = 0; i < BLOCKS; i++)
        free(program->block[i]);
    free(program);
}

/* One block with random addresses, and where it goes; the next block's index. */
static unsigned run_block(struct model *model, unsigned core, struct program *program,
                          unsigned index, uint64_t *random) {
    struct code *code = program->block[index];
    struct access accesses[2 * SEGMENT_MOST];
    for (unsigned i = 0; i < program->access_count[index]; i++) {
        accesses[i] = program->accesses[index][i];
        const struct translation *page = &program->data_page[next_random(random) % HOT];
        uint64_t offset = next_random(random) % (PAGE - 16);
        accesses[i].address = accesses[i].virtual_address = page->page + offset;
        accesses[i].translation = page;
        accesses[i].uncached = next_random(random) % 200 == 0;
    }
    const struct instruction *jump = &code->instruction[code->segment.count - 1];
    bool taken = next_random(random) % 3 == 0 || index + 1 == BLOCKS;
    unsigned next = taken ? (unsigned)((jump->target - CODE) / LINE) : index + 1;
    program->fed += code->segment.count;
    enum model_mode mode = code->segment.mode, other = !mode;
    uint64_t before = model_cycles(model, core, mode), idle = model_cycles(model, core, other);
    model_run(
        model, core,
        &(struct step){.segment = &code->segment,
                       .end = code->segment.count,
                       .accesses = accesses,
                       .access_count = program->access_count[index],
                       .next = next_random(random) % 50 ? &program->block[next]->segment : NULL});
    assert_true(model_cycles(model, core, mode) >= before);
    assert_int_equal(model_cycles(model, core, other), idle);
    return next;
}

/* On both cores, a few blocks at a time. */
static void run_program(struct model *model, struct program *program, uint64_t random) {
    unsigned at[2] = {0, BLOCKS / 2};
    program->fed = 0;
    for (unsigned i = 0; i < RUNS; i++) {
        unsigned core = i / 10 % 2;
        at[core] = run_block(model, core, program, at[core], &random);
        if (i % 500 == 499)
            model_translations_change(model, core);
    }
}

static void check_no_name_twice(struct model *model) {
    size_t count = model_statistic_count(model);
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            assert_string_not_equal(model_statistic(model, i)->name,
                                    model_statistic(model, j)->name);
}

static void check_sums(struct model *model, const struct program *program) {
    assert_int_equal(value_of(model, "simInsts"), program->fed);
    for (unsigned core = 0; core < 2; core++) {
        autofree char *cpu = format_string("system.cpu%u.", core);
        autofree char *stack = format_string("%scpiStack.", cpu);
        autofree char *regions = format_string("%sregions.", cpu);
        uint64_t user = model_cycles(model, core, MODEL_USER);
        uint64_t kernel = model_cycles(model, core, MODEL_KERNEL);
        assert_int_equal(sum_of(model, stack, "::user"), user);
        assert_int_equal(sum_of(model, stack, "::kernel"), kernel);
        assert_int_equal(sum_of(model, cpu, "modeCycles::kernel"), kernel);
        assert_int_equal(sum_of(model, cpu, ".numInsts") - sum_of(model, regions, ".numInsts"),
                         sum_of(model, cpu, "modeInsts::user") +
                             sum_of(model, cpu, "modeInsts::kernel"));
        assert_true(user > 1000 && kernel > 100);

        uint64_t misses[MODEL_MISSES];
        model_misses(model, core, misses);
        assert_int_equal(misses[MODEL_MISSES_L1I],
                         sum_of(model, cpu, "icache.overallMisses::total"));
        assert_int_equal(misses[MODEL_MISSES_L1D],
                         sum_of(model, cpu, "dcache.overallMisses::total"));
        assert_int_equal(misses[MODEL_MISSES_LLC], sum_of(model, cpu, "llcMisses::total"));
        assert_true(misses[MODEL_MISSES_L1D] > 500);
    }
}

static void test_every_system(void **state) {
    static const char *const systems[] = {"simple",  "inorder", "skylake",
                                          "icelake", "zen4",    "neoverse-n1"};
    static const char *const regions[] = {"one", "two"};
    struct program *program = make_program(88172645463325252);
    for (unsigned i = 0; i < sizeof systems / sizeof *systems; i++) {
        print_message("%s\n", systems[i]);
        struct model *model = make_shipped(systems[i]), *again = make_shipped(systems[i]);
        assert_true(model_set_regions(model, regions, 2) && model_set_regions(again, regions, 2));
        check_no_name_twice(model);
        run_program(model, program, 12345);
        check_sums(model, program);
        run_program(again, program, 12345);
        autofree uint64_t *values = read_values(model), *same = read_values(again);
        assert_memory_equal(values, same, model_statistic_count(model) * sizeof *values);
        run_program(again, program, 54321);
        autofree uint64_t *others = read_values(again);
        assert_memory_not_equal(values, others, model_statistic_count(model) * sizeof *values);
        model_free(model);
        model_free(again);
    }
    free_program(program);
}

static void test_regions(void **state) {
    static const char *const systems[] = {"simple", "inorder", "skylake"};
    static const char *const regions[] = {"one", "two"};
    for (unsigned i = 0; i < sizeof systems / sizeof *systems; i++) {
        struct model *model = make_shipped(systems[i]);
        assert_true(model_set_regions(model, regions, 2));
        autofree struct code *one = REPEAT(CODE, LOAD_RAX, 1), *two = REPEAT(CODE + PAGE, NOP, 7);
        one->segment.region = 1, two->segment.region = 2;
        uint64_t spent[2] = {0};
        for (unsigned turn = 0; turn < 20; turn++) {
            struct access access = load_of(DATA + turn * LINE);
            spent[0] += run(model, one, &access, 1, 0);
            spent[1] += run(model, two, NULL, 0, 0);
        }
        assert_int_equal(value_of(model, "system.cpu0.regions.one.numCycles"), spent[0]);
        assert_int_equal(value_of(model, "system.cpu0.regions.two.numCycles"), spent[1]);
        assert_int_equal(spent[0] + spent[1], value_of(model, "system.cpu0.numCycles"));
        assert_true(spent[0] > spent[1]);
        assert_int_equal(value_of(model, "system.cpu0.regions.one.numInsts"), 20);
        assert_int_equal(value_of(model, "system.cpu0.regions.two.numInsts"), 140);
        assert_int_equal(value_of(model, "system.cpu0.regions.one.dcacheMisses"), 20);
        assert_int_equal(value_of(model, "system.cpu0.regions.two.dcacheMisses"), 0);
        assert_int_equal(value_of(model, "system.cpu1.regions.one.numCycles"), 0);
        two->segment.region = 0; /* nobody's: in no region's sum */
        run(model, two, NULL, 0, 0);
        assert_int_equal(value_of(model, "system.cpu0.regions.two.numInsts"), 140);
        model_free(model);
    }
}

static void test_misses(void **state) {
    struct model *model = make_shipped("simple");
    autofree struct code *code = ASSEMBLE(CODE, LOAD_RAX);
    for (unsigned i = 0; i < 18; i++) { /* nine lines of a set of eight ways, twice */
        struct access access = load_of(DATA + i % 9 * 2048);
        run(model, code, &access, 1, 0);
    }
    uint64_t misses[MODEL_MISSES];
    model_misses(model, 0, misses);
    assert_int_equal(misses[MODEL_MISSES_L1I], 1);
    assert_int_equal(misses[MODEL_MISSES_L1D], 18);
    assert_int_equal(misses[MODEL_MISSES_LLC], 10);
    assert_int_equal(misses[MODEL_MISPREDICTS], 0);
    model_misses(model, 1, misses);
    assert_int_equal(misses[MODEL_MISSES_L1D] + misses[MODEL_MISSES_L1I], 0);
    model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocking_latencies),
        cmocka_unit_test(test_measured_core),
        cmocka_unit_test(test_blocking_fetches),
        cmocka_unit_test(test_blocking_accesses),
        cmocka_unit_test(test_instructions),
        cmocka_unit_test(test_every_system),
        cmocka_unit_test(test_second_level_tlb),
        cmocka_unit_test(test_regions),
        cmocka_unit_test(test_misses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
