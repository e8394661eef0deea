/* The stream and its consumer: blocks of real code and their events in, the model's counts out. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/file.h"
#include "common/mark.h"
#include "plugin/clock.h"
#include "plugin/implied.h"
#include "plugin/samples.h"
#include "plugin/segment.h"
#include "plugin/stream.h"
#include "plugin/translations.h"
#include "system/system.h"

/* QEMU's, which address_ask() calls; nothing here does. */
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(qemu_plugin_meminfo_t info, uint64_t vaddr) {
    abort();
}
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *hardware) {
    abort();
}
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *hardware) {
    abort();
}

static struct model *model;
static char samples[] = "/tmp/slsuite-test-XXXXXX", profile_path[] = "/tmp/slsuite-test-XXXXXX";

static uint64_t statistic(const char *name) {
    size_t count = model_statistic_count(model);
    uint64_t *values = malloc(count * sizeof *values);
    model_read_statistics(model, values);
    for (size_t i = 0; i < count; i++)
        if (strcmp(model_statistic(model, i)->name, name) == 0) {
            uint64_t value = values[i];
            free(values);
            return value;
        }
    fail_msg("no statistic %s", name);
    return 0;
}

struct code {
    const char *bytes;
    size_t size;
};
#define CODE(bytes)                                                                                \
    { bytes, sizeof bytes - 1 }
#define MOST 16

static const struct block *make(uint64_t address, const struct code *code, size_t count) {
    const struct segment_options options = {
        .line_size = 64, .fetch_width = 8, .decode = model_decodes(model)};
    static struct instruction_view views[MOST];
    for (size_t i = 0; i < count; address += code[i++].size) {
        views[i] = (struct instruction_view){.virtual_address = address,
                                             .physical_address = address & 0xffffff,
                                             .size = (uint8_t)code[i].size};
        memcpy(views[i].bytes, code[i].bytes, code[i].size);
        instruction_classify(&views[i]);
    }
    static struct implied implied;
    implied_find(views, count, true, &implied);
    return block_make(views, count, implied.access, implied.count, &options);
}

static void push_block(const struct block *block) {
    stream_push(block_word(block, 0));
}

static void push_access(enum event kind, unsigned index, uint64_t address) {
    stream_reserve();
    *stream_next++ = EVENT_TRANSLATION;
    stream_next +=
        translations_write(stream_next, &(struct translation){0}, address, address & 0xfff000);
    stream_push(access_word(access_constant(kind, index), address, 3 << ACCESS_SIZE_SHIFT));
}

/* The page beside the last leading access's. */
static void push_beside(unsigned index, uint64_t address, uint64_t frame) {
    stream_reserve();
    *stream_next++ = (uint64_t)index << 4 | EVENT_BESIDE;
    stream_next += translations_write(stream_next, &(struct translation){0}, address, frame);
}

static void push_mark(unsigned index, uint64_t operation) {
    stream_reserve();
    *stream_next++ = operation << 16 | index << 4 | EVENT_MARK;
    *stream_next++ = 0;
    *stream_next++ = 0;
}

static void push_flush(uint64_t core) {
    push_mark(2, MARK_FLUSH);
    stream_next[-2] = core;
}

static void push_core(uint64_t core) {
    stream_push(core << 4 | EVENT_CORE);
}

/* A mark among other instructions, and code that begins in the middle of the same. */
static const struct code marked[] = {
    CODE("\x48\x01\xd8"),                     /* add rax,rbx */
    CODE("\x48\x8b\x03"),                     /* mov rax,[rbx] */
    CODE("\x0f\x1f\x84\x00\x5a\x00\x53\x53"), /* work-begin */
    CODE("\x48\x89\x03"),                     /* mov [rbx],rax */
    CODE("\x48\x01\xd8"),
};
static const struct code movs[] = {CODE("\xf3\x48\xa5")};

/* The last mark's value of simInsts, the first statistic in simple's samples. */
static uint64_t sampled_instructions(void) {
    char *text = file_read(samples, NULL, NULL), *mark = NULL;
    size_t index = 0, line = 0;
    for (char *rest = text, *next; (next = strsep(&rest, "\n"));)
        if (strncmp(next, "stat\t", 5) == 0) {
            if (strncmp(next + 5, "simInsts\t", 9) == 0)
                index = line;
            line++;
        } else if (strncmp(next, "mark\t", 5) == 0) {
            mark = next;
        }
    assert_non_null(mark);
    for (size_t i = 0; i < 4 + index; i++)
        mark = strchr(mark, '\t') + 1;
    uint64_t value = strtoull(mark, NULL, 10);
    free(text);
    return value;
}

/* The caches are flushed when the core in the mark's
 * argument next executes a user's instruction. */
static void test_flush(void **state) {
    const struct block *user = make(0x402000, marked, 2),
                       *kernel = make(0xffffffff81000000, marked, 2);
    uint64_t misses[4];
    push_core(0);
    push_block(user);
    push_block(kernel);
    push_flush(0);
    push_core(0);
    stream_drain();
    for (unsigned i = 0; i < 4; i++) {
        misses[i] = statistic("system.cpu0.icache.overallMisses::total");
        push_block(i == 1 ? user : kernel);
        push_core(0);
        stream_drain();
    }
    uint64_t last = statistic("system.cpu0.icache.overallMisses::total");
    assert_int_equal(misses[1] - misses[0], 0); /* kernel: not yet */
    assert_int_equal(misses[2] - misses[1], 1); /* user: flushed before it */
    assert_int_equal(misses[3] - misses[2], 1); /* and the kernel's line has gone, too */
    assert_int_equal(last - misses[3], 0);      /* once */
}

static void test_mark(void **state) {
    const struct block *block = make(0x401000, marked, 5);
    uint64_t before = statistic("simInsts"),
             accesses = statistic("system.cpu0.dcache.overallAccesses::total");
    push_core(0);
    push_block(block);
    push_access(EVENT_LOAD, 1, 0x7fff12345678);
    push_mark(2, 0x77);
    push_access(EVENT_STORE, 3, 0x7fff12345678);
    push_core(0);
    stream_drain();
    assert_int_equal(sampled_instructions(), before + 2);
    assert_int_equal(statistic("simInsts"), before + 5);
    assert_int_equal(statistic("system.cpu0.dcache.overallAccesses::total"), accesses + 2);
}

/* The load faults, the kernel looks to it, the load is executed again: it counts once. */
static void test_fault(void **state) {
    const struct block *block = make(0x402000, marked, 5);
    const struct block *kernel = make(0xffffffff81000000, marked, 1);
    const struct block *resumed = make(0x402003, marked + 1, 4);
    uint64_t user = statistic("system.cpu0.modeInsts::user"),
             all = statistic("system.cpu0.modeInsts::kernel");
    push_core(0);
    push_block(block);
    stream_push(3 << 4 | EVENT_PARTIAL);
    push_block(kernel);
    push_block(resumed);
    push_access(EVENT_LOAD, 0, 0x7fff12345678);
    push_access(EVENT_STORE, 2, 0x7fff12345678);
    push_core(0);
    stream_drain();
    assert_int_equal(statistic("system.cpu0.modeInsts::user"), user + 5);
    assert_int_equal(statistic("system.cpu0.modeInsts::kernel"), all + 1);
}

/* Repeated string instructions count once, however often they are interrupted and on whichever core
 * others run in between; two of them in a row are two. */
static void test_repeated(void **state) {
    const struct block *first = make(0x403000, movs, 1), *second = make(0x403003, movs, 1);
    const struct block *other = make(0x404000, marked, 5);
    uint64_t before = statistic("simInsts"),
             accesses = statistic("system.cpu1.dcache.overallAccesses::total");
    push_core(1);
    for (unsigned i = 0; i < 10; i++) {
        push_block(first);
        push_access(EVENT_LOAD, 0, 0x7fff00000000 + 8 * i);
        push_access(EVENT_STORE, 0, 0x7fff00004000 + 8 * i);
        if (i == 5) {
            push_core(0);
            push_block(other);
            push_core(1);
        }
    }
    push_block(second);
    push_block(second);
    push_core(0);
    stream_drain();
    assert_int_equal(statistic("simInsts"), before + 1 + 5 + 1);
    assert_int_equal(statistic("system.cpu1.dcache.overallAccesses::total"), accesses + 20);
}

/* An access to a device, in a block of which only its instruction and those before have started. */
static void test_uncached(void **state) {
    const struct block *block = make(0x405000, marked, 5);
    uint64_t before = statistic("simInsts"),
             accesses = statistic("system.cpu0.dcache.overallAccesses::total"),
             cycles = model_cycles(model, 0, MODEL_USER);
    push_core(0);
    push_block(block);
    push_access(EVENT_LOAD, 1, 0x7fff12345678);
    stream_push(access_word(access_constant(EVENT_UNCACHED_STORE, 1), 0x7fff00000000, 0));
    stream_push(1 << 4 | EVENT_PARTIAL);
    push_core(0);
    stream_drain();
    assert_int_equal(statistic("simInsts"), before + 4);
    assert_int_equal(statistic("system.cpu0.dcache.overallAccesses::total"), accesses + 1);
    assert_true(model_cycles(model, 0, MODEL_USER) > cycles);
}

/* Pushes, of which the first one is reported; a load of which nothing is known; the pops. */
static const struct code saving[] = {
    CODE("\x55"),             /* push rbp */
    CODE("\x53"),             /* push rbx */
    CODE("\x48\x8b\x03"),     /* mov rax,[rbx] */
    CODE("\x48\xff\x43\x08"), /* inc qword [rbx+8] */
    CODE("\x5b"),             /* pop rbx */
    CODE("\x5d"),             /* pop rbp */
    CODE("\xc3"),             /* ret */
};
#define SAVING_ACCESSES 8
#define STACK UINT64_C(0x7fff00003800)

static uint64_t data_accesses(void) {
    return statistic("system.cpu0.dcache.overallAccesses::total");
}

static void push_saving(const struct block *block, uint64_t stack, uint64_t frame) {
    push_block(block);
    push_access(EVENT_LEADING_STORE, 0, stack);
    push_beside(0, stack ^ 0x1000, frame);
    push_access(EVENT_LEADING_LOAD, 2, 0x7fff12345678);
}

/* Implied accesses are made, in one page or two, wherever execution goes on. */
static void test_implied(void **state) {
    const struct block *block = make(0x408000, saving, 7), *other = make(0x409000, marked, 2);
    uint64_t before = data_accesses();
    push_core(0);
    push_saving(block, STACK, 0x3000);
    push_block(other);
    push_core(0);
    stream_drain();
    assert_int_equal(data_accesses(), before + SAVING_ACCESSES);
    push_saving(block, STACK & ~UINT64_C(0xfff), 0x3000); /* the second push is in the page below */
    push_core(0);
    stream_drain();
    assert_int_equal(data_accesses(), before + 2 * SAVING_ACCESSES);
    /* Across two lines of code. */
    const struct block *across = make(0x40803d, saving, 7);
    push_saving(across, STACK, 0x3000);
    push_core(0);
    stream_drain();
    assert_int_equal(data_accesses(), before + 3 * SAVING_ACCESSES);
}

/* Those that fault are not made: at an instruction that is not the last one, or in no page. */
static void test_implied_fault(void **state) {
    const struct block *block = make(0x40a000, saving, 7);
    uint64_t before = data_accesses();
    push_core(0);
    push_saving(block, STACK, 0x3000);
    stream_push(3 << 4 | EVENT_PARTIAL); /* inc starts: its load and store are implied */
    push_core(0);
    stream_drain();
    assert_int_equal(data_accesses(), before + 3);
    push_block(block);
    push_access(EVENT_LEADING_STORE, 0, STACK & ~UINT64_C(0xfff));
    push_beside(0, STACK - 0x1000, ADDRESS_NOWHERE);
    stream_push(5 << 4 | EVENT_PARTIAL);
    push_core(0);
    stream_drain();
    assert_int_equal(data_accesses(), before + 4);
    push_saving(block, STACK & ~UINT64_C(0xfff), ADDRESS_NOWHERE);
    push_core(0);
    stream_drain();
    assert_int_equal(data_accesses(), before + 4 + SAVING_ACCESSES - 2);
}

/* Many times the ring's size, with events of all lengths, so that its ends are met everywhere. */
static void test_long(void **state) {
    const struct block *block = make(0x406000, marked, 5);
    uint64_t before = statistic("simInsts"),
             accesses = statistic("system.cpu0.dcache.overallAccesses::total");
    const unsigned times = 200000;
    push_core(0);
    for (unsigned i = 0; i < times; i++) {
        push_block(block);
        push_access(EVENT_LOAD, 1, 0x7fff12345678 + 64 * (i % 1000));
        if (i % 1000 == 0)
            stream_flush();
    }
    push_core(0);
    stream_drain();
    assert_int_equal(statistic("simInsts"), before + 5 * times);
    assert_int_equal(statistic("system.cpu0.dcache.overallAccesses::total"), accesses + times);
}

/* What is measured is in the profile, no more and no less. */
static void test_profile(void **state) {
    const struct block *block = make(0x407000, marked, 5);
    const struct block *kernel = make(0xffffffff81000000, marked, 2);
    push_core(1);
    push_block(block);
    push_access(EVENT_LOAD, 1, 0x7fff12345678);
    push_mark(2, 0x5a);
    push_block(kernel);
    push_core(0);
    push_block(block);
    push_core(1);
    push_block(block);
    push_access(EVENT_LOAD, 1, 0x7fff22abc678);
    push_mark(2, 0x5b);
    stream_drain();
    assert_int_equal(access(profile_path, F_OK), -1); /* it was to be the second piece of work */
    push_mark(2, 0x40);
    push_block(kernel);
    push_mark(1, 0x41);
    stream_drain();

    char *text = file_read(profile_path, NULL, NULL), *rest = text;
    assert_non_null(text);
    assert_string_equal(strsep(&rest, "\n"), "# slsuite profile 1");
    /* behind work-begin the mark's own segment and the rest of its block; at the end what is before
     * the mark; and the mark again from reset on */
    static const struct {
        const char *mode;
        uint64_t address, instructions;
    } expected[] = {{"user", 0x407000, 2},
                    {"user", 0x407006, 1 + 1},
                    {"user", 0x40700e, 2 + 2},
                    {"kernel", 0xffffffff81000000, 2}};
    uint64_t cycles = 0;
    for (size_t i = 0; i < 4; i++) {
        char mode[8];
        uint64_t value[7];
        const char *line = strsep(&rest, "\n");
        assert_non_null(line);
        assert_int_equal(sscanf(line,
                                "%7s\t%" SCNx64 "\t%" SCNu64 "\t%" SCNu64 "\t%" SCNu64 "\t%" SCNu64
                                "\t%" SCNu64 "\t%" SCNu64,
                                mode, &value[0], &value[1], &value[2], &value[3], &value[4],
                                &value[5], &value[6]),
                         8);
        assert_string_equal(mode, expected[i].mode);
        assert_int_equal(value[0], expected[i].address);
        assert_int_equal(value[1], expected[i].instructions);
        if (value[0] == 0x407000)
            assert_int_equal(value[4], 1); /* the load's miss */
        cycles += value[2];
    }
    assert_true(cycles > 0 && cycles <= model_cycles(model, 1, MODEL_USER) +
                                            model_cycles(model, 1, MODEL_KERNEL));
    assert_string_equal(rest, "");
    free(text);
}

static int set_up(void **state) {
    char path[4096];
    struct error err = {0};
    static struct model_parameters parameters;
    snprintf(path, sizeof path, "%s/systems/simple.yaml", getenv("SLS_SOURCE"));
    if (system_load(path, &parameters, &err) < 0)
        fail_msg("%s", err.text);
    model = model_new(&parameters);
    close(mkstemp(samples));
    close(mkstemp(profile_path));
    unlink(profile_path);
    struct profile *profile = profile_new(profile_path, 1, 2);
    return model && profile && clock_init(model, true, profile) &&
                   samples_open(samples, -1, model) == 0 && stream_start(clock_consume) == 0
               ? 0
               : -1;
}

static int tear_down(void **state) {
    unlink(samples);
    unlink(profile_path);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mark),     cmocka_unit_test(test_flush),
        cmocka_unit_test(test_fault),    cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_uncached), cmocka_unit_test(test_long),
        cmocka_unit_test(test_implied),  cmocka_unit_test(test_implied_fault),
        cmocka_unit_test(test_profile),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
