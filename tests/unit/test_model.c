/* The timing model as a whole, on the shipped systems: x86 code is decoded as the plugin does it and
 * fed as steps; cycles are checked against hand-computed ones or against those of a machine that
 * differs in one thing. Caches, memory, TLBs, prefetchers and branch prediction have tests of their
 * own. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "decode/decode.h"
#include "model/model.h"
#include "system/system.h"

enum { LINE = 64, PAGE = 4096, CODE = 0x400000, DATA = 0x1000000 };

/* Machines */

static struct model_parameters shipped(const char *name) {
    struct error err = {0};
    struct model_parameters parameters;
    autofree char *path = format_string("%s/systems/%s.yaml", getenv("SLS_SOURCE") ?: ".", name);
    if (system_load(path, &parameters, &err) != 0)
        fail_msg("%s", err.text);
    return parameters;
}

static struct model *make(const struct model_parameters *parameters) {
    struct parameters_problem problem;
    if (!parameters_check(parameters, &problem))
        fail_msg("%s: %s", problem.key, problem.text);
    struct model *model = model_new(parameters);
    assert_non_null(model);
    return model;
}

static struct model *make_shipped(const char *name) {
    struct model_parameters parameters = shipped(name);
    return make(&parameters);
}

static uint64_t *read_values(struct model *model) {
    uint64_t *values = calloc(model_statistic_count(model), sizeof *values);
    assert_non_null(values);
    model_read_statistics(model, values);
    return values;
}

static uint64_t value_of(struct model *model, const char *name) {
    autofree uint64_t *values = read_values(model);
    for (size_t i = 0; i < model_statistic_count(model); i++)
        if (strcmp(model_statistic(model, i)->name, name) == 0)
            return values[i];
    fail_msg("no statistic %s", name);
    return 0;
}

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

static uint64_t cycles_of(const struct model *model, unsigned core) {
    return model_cycles(model, core, MODEL_USER) + model_cycles(model, core, MODEL_KERNEL);
}

/* Programs */

/* A segment with its decoded instructions, in one block of memory. */
struct code {
    struct micro_op ops[SEGMENT_MOST][DECODE_MOST];
    struct instruction instruction[SEGMENT_MOST];
    struct segment segment;
    struct segment_instruction places[SEGMENT_MOST]; /* the segment's own */
};

/* Code that lies at its physical address; fetched eight bytes at a time. */
static struct code *assemble(uint64_t address, const void *bytes, size_t size) {
    struct code *code = calloc(1, sizeof *code);
    assert_non_null(code);
    struct segment *segment = &code->segment;
    *segment = (struct segment){.address = address, .line = address, .code = code->instruction};
    uint64_t fetches = 0;
    for (size_t offset = 0; offset < size; segment->count++) {
        struct instruction *instruction = &code->instruction[segment->count];
        assert_in_range(segment->count, 0, SEGMENT_MOST - 1);
        decode_instruction((const uint8_t *)bytes + offset, (unsigned)(size - offset),
                           address + offset, instruction, code->ops[segment->count]);
        uint64_t first = address + offset, last = first + instruction->length - 1;
        fetches += last / 8 - first / 8 + 1;
        segment->instruction[segment->count] =
            (struct segment_instruction){(uint8_t)offset, (uint8_t)fetches};
        offset += instruction->length;
    }
    segment->spills = address / LINE != (address + size - 1) / LINE;
    return code;
}
#define ASSEMBLE(address, bytes) assemble(address, bytes, sizeof(bytes) - 1)

static struct code *repeat(uint64_t address, const char *bytes, size_t size, unsigned times) {
    char all[LINE];
    assert_in_range(size * times, 1, sizeof all);
    for (unsigned i = 0; i < times; i++)
        memcpy(all + i * size, bytes, size);
    return assemble(address, all, size * times);
}
#define REPEAT(address, bytes, times) repeat(address, bytes, sizeof(bytes) - 1, times)

static struct access access_at(unsigned instruction, uint64_t address, uint8_t size, bool store) {
    return (struct access){.address = address,
                           .virtual_address = address,
                           .size = size,
                           .instruction = (uint8_t)instruction,
                           .store = store};
}

static struct access load_of(uint64_t address) {
    return access_at(0, address, 8, false);
}

/* All of a segment, on core 0. Returns the cycles it took. */
static uint64_t run(struct model *model, const struct code *code, const struct access *accesses,
                    unsigned count, uint64_t next) {
    uint64_t before = cycles_of(model, 0);
    model_run(model, 0,
              &(struct step){.segment = &code->segment,
                             .end = code->segment.count,
                             .accesses = accesses,
                             .access_count = count,
                             .next = next});
    return cycles_of(model, 0) - before;
}

static uint64_t run_often(struct model *model, const struct code *code, unsigned times) {
    uint64_t cycles = 0;
    while (times--)
        cycles += run(model, code, NULL, 0, 0);
    return cycles;
}

static uint64_t next_random(uint64_t *state) {
    uint64_t x = *state;
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    return *state = x;
}

/* Blocking */

#define ADD_RAX "\x48\x01\xc0"           /* add rax, rax */
#define LOAD_RAX "\x48\x8b\x03"          /* mov rax, [rbx] */
#define CHASE_RAX "\x48\x8b\x00"         /* mov rax, [rax] */
#define STORE_RAX "\x48\x89\x03"         /* mov [rbx], rax */
#define NOP "\x90"

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
    model_flush(model);
    assert_int_equal(run(model, code, &access, 1, 0), 164 + 164);
    model_free(model);
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
    assert_int_equal(value_of(model, "system.cpu0.cpiStack.uncached::user"), 2 * (took - 2) + 2);
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
        assert_in_range(cycles_of(model, 0) - before, 2, 100);
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
} templates[] = {
    {"\x48\x01\xd8", 3, 0, false, false},         /* add rax, rbx */
    {"\x48\x0f\xaf\xc1", 4, 0, false, false},     /* imul rax, rcx */
    {"\x48\xf7\xf1", 3, 0, false, false},         /* div rcx */
    {"\x48\x8b\x0c\x24", 4, 8, true, false},      /* mov rcx, [rsp] */
    {"\x48\x8b\x1b", 3, 8, true, false},          /* mov rbx, [rbx] */
    {"\x48\x89\x06", 3, 8, false, true},          /* mov [rsi], rax */
    {"\x48\x01\x07", 3, 8, true, true},           /* add [rdi], rax */
    {"\xf0\x48\x01\x07", 4, 8, true, true},       /* lock add [rdi], rax */
    {"\x50", 1, 8, false, true},                  /* push rax */
    {"\x0f\x10\x06", 3, 16, true, false},         /* movups xmm0, [rsi] */
    {"\x0f\x11\x07", 3, 16, false, true},         /* movups [rdi], xmm0 */
    {"\xf2\x0f\x59\xc1", 4, 0, false, false},     /* mulsd xmm0, xmm1 */
    {"\x0f\xae\xf0", 3, 0, false, false},         /* mfence */
    {"\x90", 1, 0, false, false},                 /* nop */
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
    *translation = (struct translation){.page = page, .frame = page, .levels = WALK_LEVELS,
                                        .page_shift = 12};
    for (unsigned i = 0; i < WALK_LEVELS; i++)
        translation->walk[i] = 0x8000000 + i * 0x100000 + ((page >> (39 - 9 * i)) & 511) * 8;
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
    model_run(model, core,
              &(struct step){.segment = &code->segment,
                             .end = code->segment.count,
                             .accesses = accesses,
                             .access_count = program->access_count[index],
                             .next = next_random(random) % 50 ? program->block[next]->segment.address
                                                              : 0});
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
    for (unsigned i = 0; i < 9; i++) { /* nine lines of a set of eight ways, twice */
        struct access access = load_of(DATA + (i % 9) * 2048);
        run(model, code, &access, 1, 0);
    }
    for (unsigned i = 0; i < 9; i++) {
        struct access access = load_of(DATA + (i % 9) * 2048);
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

/* A load of `lines` missing lines by this code, whose instruction i makes a load at each stride-th;
 * the code is in the L1I before. */
static uint64_t miss(const struct model_parameters *parameters, const struct code *code,
                     unsigned loads, unsigned stride, bool store) {
    struct model *model = make(parameters);
    struct access accesses[SEGMENT_MOST];
    for (unsigned i = 0; i < loads; i++)
        accesses[i] = access_at(i * stride, DATA, 8, store);
    for (unsigned i = 0; i < 4; i++)
        run(model, code, accesses, loads, 0);
    for (unsigned i = 0; i < loads; i++)
        accesses[i].address = accesses[i].virtual_address = DATA + PAGE + i * LINE;
    uint64_t cycles = run(model, code, accesses, loads, 0);
    model_free(model);
    return cycles;
}

static void test_overlapping_misses(void **state) {
    autofree struct code *apart = REPEAT(CODE, LOAD_RAX, 8), *chain = REPEAT(CODE, CHASE_RAX, 8);
    autofree struct code *single = REPEAT(CODE, LOAD_RAX, 1);
    struct model_parameters inorder = shipped("inorder"), ooo = shipped("skylake");
    uint64_t one = miss(&inorder, single, 1, 1, false);
    assert_in_range(one, 160, 180);
    assert_in_range(miss(&inorder, chain, 8, 1, false), 8 * (one - 5), 8 * (one + 5));
    /* two accesses are under way at most */
    assert_in_range(miss(&inorder, apart, 8, 1, false), 8 / 2 * (one - 5), 8 * (one + 5) - 20);

    one = miss(&ooo, single, 1, 1, false);
    assert_in_range(one, 180, 260);
    assert_in_range(miss(&ooo, chain, 8, 1, false), 8 * (one - 10), 8 * (one + 5));
    assert_in_range(miss(&ooo, apart, 8, 1, false), one, one + 20);
    ooo.l1d.mshrs = 2;
    assert_in_range(miss(&ooo, apart, 8, 1, false), 8 / 2 * (one - 10), 8 / 2 * (one + 5));
}

/* Cycles of code with these accesses, twice over so that the second misses are behind the first ones
 * in the window; compared with those of the same machine with less of one thing. */
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
    accesses[0].address = accesses[1].address = DATA + PAGE; /* the store misses, nobody waits */
    assert_in_range(run(model, code, accesses, 2, 0), 1, 20);
    accesses[0].address = DATA + 2 * PAGE;
    accesses[1].address = DATA + 3 * PAGE;
    assert_in_range(run(model, code, accesses, 2, 0), 180, 500);
    model_free(model);
}

/* The code before a jump on a condition, where it goes when taken and where it falls through to: the
 * same twice, in two lines, that jumps back. */
struct fork {
    struct code *start, *taken, *not_taken;
};

static struct fork make_fork(void) {
    char start[LINE], end[LINE];
    memset(start, NOP[0], sizeof start);
    memset(end, NOP[0], sizeof end);
    memcpy(start + LINE - 2, "\x74\x40", 2); /* je, a line further */
    memcpy(end + 8, "\xe9\xb3\xff\xff\xff", 5);
    struct fork fork = {assemble(CODE, start, LINE), NULL, assemble(CODE + LINE, end, 13)};
    memcpy(end + 8, "\xe9\x73\xff\xff\xff", 5);
    fork.taken = assemble(CODE + 2 * LINE, end, 13);
    assert_int_equal(fork.start->instruction[LINE - 2].target, CODE + 2 * LINE);
    assert_int_equal(fork.taken->instruction[8].target, CODE);
    assert_int_equal(fork.not_taken->instruction[8].target, CODE);
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
    return (struct spent){cycles_of(model, 0),
                          value_of(model, "system.cpu0.cpiStack.branch::user"),
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocking_latencies),
        cmocka_unit_test(test_blocking_fetches),
        cmocka_unit_test(test_blocking_accesses),
        cmocka_unit_test(test_instructions),
        cmocka_unit_test(test_every_system),
        cmocka_unit_test(test_regions),
        cmocka_unit_test(test_misses),
        cmocka_unit_test(test_adds),
        cmocka_unit_test(test_overlapping_misses),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_forwarding),
        cmocka_unit_test(test_branches_unpredicted),
        cmocka_unit_test(test_branches_predicted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
