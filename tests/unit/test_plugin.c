/* The plugin without QEMU: what it makes of code, page tables, arguments and regions. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "plugin/arguments.h"
#include "plugin/implied.h"
#include "plugin/regions.h"
#include "plugin/segment.h"
#include "plugin/stream.h"
#include "plugin/translations.h"

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

static struct instruction_view view(uint64_t address, const char *bytes, size_t size) {
    struct instruction_view view = {
        .virtual_address = address, .physical_address = address & 0xffffff, .size = (uint8_t)size};
    memcpy(view.bytes, bytes, size);
    instruction_classify(&view);
    return view;
}
#define TRAITS(bytes) (view(0x1000, bytes, sizeof bytes - 1).traits)

static void test_kinds(void **state) {
    struct instruction_traits mark = TRAITS("\x0f\x1f\x84\x00\x5a\x00\x53\x53");
    assert_int_equal(mark.kind, SEGMENT_MARK);
    assert_int_equal(mark.operation, 0x5a);
    assert_int_equal(TRAITS("\x0f\x1f\x84\x00\x5a\x00\x53\x54").kind, SEGMENT_PLAIN);
    assert_int_equal(TRAITS("\xf3\x48\xa5").kind, SEGMENT_REPEATED);   /* rep movsq */
    assert_int_equal(TRAITS("\xf2\xae").kind, SEGMENT_REPEATED);       /* repne scasb */
    assert_int_equal(TRAITS("\x48\xa5").kind, SEGMENT_PLAIN);          /* movsq */
    assert_int_equal(TRAITS("\xf3\x90").kind, SEGMENT_PLAIN);          /* pause */
    assert_int_equal(TRAITS("\x0f\x01\x38").kind, SEGMENT_TRANSLATES); /* invlpg */
    assert_int_equal(TRAITS("\x0f\x22\xe0").kind, SEGMENT_TRANSLATES); /* mov cr4,rax */
    assert_int_equal(TRAITS("\x0f\x20\xd8").kind, SEGMENT_PLAIN);      /* mov rax,cr3 */
}

static void test_cr3(void **state) {
    assert_int_equal(TRAITS("\x0f\x22\xdf").cr3_source, 7);      /* mov cr3,rdi */
    assert_int_equal(TRAITS("\x41\x0f\x22\xdb").cr3_source, 11); /* mov cr3,r11 */
    assert_int_equal(TRAITS("\x0f\x22\xe0").cr3_source, NOT_CR3);
    assert_int_equal(TRAITS("\x90").cr3_source, NOT_CR3);
}

/* What touches memory or may raise something must never be said to stay. */
static void test_stays(void **state) {
    assert_true(TRAITS("\x48\x01\xd8").stays);             /* add rax,rbx */
    assert_true(TRAITS("\x8d\x04\x5b").stays);             /* lea eax,[rbx+rbx*2] */
    assert_true(TRAITS("\x0f\x1f\x40\x00").stays);         /* nop [rax] */
    assert_true(TRAITS("\xeb\x10").stays);                 /* jmp */
    assert_true(TRAITS("\x0f\x84\x00\x01\x00\x00").stays); /* je */
    assert_true(TRAITS("\xb8\x01\x00\x00\x00").stays);     /* mov eax,1 */
    assert_true(TRAITS("\x0f\x44\xc1").stays);             /* cmove eax,ecx */

    assert_false(TRAITS("\x48\x01\x18").stays);         /* add [rax],rbx */
    assert_false(TRAITS("\x0f\x44\x01").stays);         /* cmove eax,[rcx] */
    assert_false(TRAITS("\x55").stays);                 /* push rbp */
    assert_false(TRAITS("\xc3").stays);                 /* ret */
    assert_false(TRAITS("\xe8\x00\x00\x00\x00").stays); /* call */
    assert_false(TRAITS("\xff\xe0").stays);             /* jmp rax */
    assert_false(TRAITS("\x8e\xd8").stays);             /* mov ds,eax: reads a descriptor */
    assert_false(TRAITS("\xa1\x00\x00\x00\x00\x00\x00\x00\x00").stays); /* mov eax,[moffs] */
    assert_false(TRAITS("\xf7\xf1").stays);                             /* div ecx */
    assert_false(TRAITS("\xf0\x01\xd8").stays);     /* lock add eax,ebx: invalid */
    assert_false(TRAITS("\xcc").stays);             /* int3 */
    assert_false(TRAITS("\x0f\x05").stays);         /* syscall */
    assert_false(TRAITS("\xf3\x0f\x58\xc1").stays); /* addss xmm0,xmm1: may be disabled */
    assert_false(TRAITS("\xd9\xc0").stays);         /* fld st(0) */
    assert_false(TRAITS("\x0f\x22\xd8").stays);     /* mov cr3,rax */
    assert_false(TRAITS("\xf3\xaa").stays);         /* rep stosb */
    /* 32-bit code during the boot: mov eax,[0x12345678] is no whole instruction in 64-bit mode */
    assert_false(TRAITS("\xa1\x78\x56\x34\x12").stays);
}

/* Eight instructions across two lines, with a mark among them. */
static size_t example(struct instruction_view *views) {
    static const struct {
        const char *bytes;
        size_t size;
    } code[] = {
        {"\x48\x01\xd8", 3},                     /* 0x103a add rax,rbx */
        {"\x48\x8b\x03", 3},                     /* 0x103d mov rax,[rbx] */
        {"\x48\x01\xd8", 3},                     /* 0x1040 add: the next line */
        {"\x0f\x1f\x84\x00\x5b\x00\x53\x53", 8}, /* 0x1043 a mark */
        {"\x48\x89\x03", 3},                     /* 0x104b mov [rbx],rax */
        {"\x48\x01\xd8", 3},                     /* 0x104e */
        {"\x48\x01\xd8", 3},                     /* 0x1051 */
        {"\xeb\xe4", 2},                         /* 0x1054 jmp */
    };
    uint64_t address = 0x40103a;
    for (size_t i = 0; i < 8; i++) {
        views[i] = view(address, code[i].bytes, code[i].size);
        address += code[i].size;
    }
    return 8;
}

static void test_segments(void **state) {
    struct instruction_view views[8];
    size_t count = example(views);
    const struct segment_options options = {.line_size = 64, .fetch_width = 8, .decode = true};
    const struct block *block = block_make(views, count, NULL, 0, &options);
    assert_non_null(block);
    assert_int_equal(block->instructions, 8);
    assert_int_equal(block->segments, 4);
    static const struct {
        uint64_t address;
        unsigned count, kind;
    } expected[] = {{0x40103a, 2, SEGMENT_PLAIN},
                    {0x401040, 1, SEGMENT_PLAIN},
                    {0x401043, 1, SEGMENT_MARK},
                    {0x40104b, 4, SEGMENT_PLAIN}};
    const struct segment *segment = block_first(block);
    for (size_t i = 0; i < 4; i++, segment = segment_behind(segment)) {
        assert_int_equal(segment->address, expected[i].address);
        assert_int_equal(segment->line, expected[i].address & 0xffffff);
        assert_int_equal(segment->count, expected[i].count);
        assert_int_equal(segment->kind, expected[i].kind);
        assert_int_equal(segment->mode, MODEL_USER);
        assert_false(segment->spills);
        assert_true(segment->code);
        for (unsigned j = 0; j < segment->count; j++)
            assert_true(segment->code[j].micro_op_count >= 1);
    }
    segment = block_first(block);
    assert_int_equal(segment->instruction[1].offset, 3);
    assert_int_equal(segment->instruction[0].fetches, 1); /* 0x3a … 0x3c */
    assert_int_equal(segment->instruction[1].fetches, 2); /* 0x3d … 0x3f */
    assert_int_equal(block_of(block_word(block, 500)), block);
    blocks_clear();
}

static void test_spill(void **state) {
    const struct segment_options options = {.line_size = 64, .fetch_width = 8};
    struct instruction_view across = view(0xffffffff8100003e, "\x48\x01\xd8", 3);
    const struct segment *segment = block_first(block_make(&across, 1, NULL, 0, &options));
    assert_true(segment->spills);
    assert_int_equal(segment->mode, MODEL_KERNEL);
    assert_int_equal(segment->instruction[0].fetches, 2);
    assert_null(segment->code);
    /* The next page may lie anywhere. */
    struct instruction_view page = view(0xffe, "\x48\x01\xd8", 3);
    assert_false(block_first(block_make(&page, 1, NULL, 0, &options))->spills);
    blocks_clear();
}

/* Of the example, only the instructions 1 and 4 can be left. */
static void test_left(void **state) {
    struct instruction_view views[8];
    size_t count = example(views);
    static const unsigned expected[] = {6, 6, 3, 3, 3, 0, 0, 0};
    for (size_t i = 0; i < count; i++)
        assert_int_equal(block_left(views, count, i), expected[i]);
}

/* Code whose accesses are counted out by hand. */
struct expected {
    unsigned index, leader;
    int distance;
    unsigned size;
    bool store;
};
#define VIEW(bytes) view(0x401000, bytes, sizeof bytes - 1)

static const struct implied *implied_of(const struct instruction_view *views, size_t count,
                                        const struct expected *expected, size_t implied_count) {
    static struct implied implied;
    implied_find(views, count, true, &implied);
    assert_int_equal(implied.count, implied_count);
    for (size_t i = 0; i < implied_count; i++) {
        assert_int_equal(implied.access[i].index, expected[i].index);
        assert_int_equal(implied.access[i].leader, expected[i].leader);
        assert_int_equal(implied.access[i].distance, expected[i].distance);
        assert_int_equal(implied.access[i].size, expected[i].size);
        assert_int_equal(implied.access[i].store, expected[i].store);
    }
    return &implied;
}
#define ASSERT_IMPLIED(views, ...)                                                                 \
    implied_of(views, sizeof views / sizeof views[0], (const struct expected[]){__VA_ARGS__},      \
               sizeof((const struct expected[]){__VA_ARGS__}) / sizeof(struct expected))
#define ASSERT_NOTHING_IMPLIED(views) implied_of(views, sizeof views / sizeof views[0], NULL, 0)

static void test_implied_stack(void **state) {
    struct instruction_view function[] = {
        VIEW("\x55"),                 /* 0 push rbp: leads */
        VIEW("\x48\x89\xe5"),         /* 1 mov rbp,rsp */
        VIEW("\x48\x83\xec\x20"),     /* 2 sub rsp,32 */
        VIEW("\x8b\x45\xf0"),         /* 3 mov eax,[rbp-16] */
        VIEW("\x66\x89\x44\x24\x08"), /* 4 mov [rsp+8],ax */
        VIEW("\x48\x8d\x65\xf8"),     /* 5 lea rsp,[rbp-8] */
        VIEW("\x5b"),                 /* 6 pop rbx */
        VIEW("\xe8\x00\x00\x00\x00"), /* 7 call */
    };
    const struct implied *implied =
        ASSERT_IMPLIED(function, {3, 0, -16, 4, false}, {4, 0, -24, 2, true}, {6, 0, -8, 8, false},
                       {7, 0, -8, 8, true});
    assert_true(implied->instruction[0].leads && !implied->instruction[0].store);
    assert_int_equal(implied->instruction[0].below, 24);
    assert_int_equal(implied->instruction[0].above, 0);
    assert_true(implied->instruction[3].load && implied->instruction[4].store);
    assert_false(implied->instruction[3].leads || implied->instruction[3].store);
}

/* A load says nothing of whether the last instruction may store. */
static void test_implied_last(void **state) {
    struct instruction_view stores[] = {VIEW("\x48\x8b\x03"), VIEW("\x48\x89\x03")};
    ASSERT_NOTHING_IMPLIED(stores); /* mov rax,[rbx]; mov [rbx],rax */
    struct instruction_view loads[] = {VIEW("\x48\x8b\x03"), VIEW("\x48\x8b\x43\x08")};
    ASSERT_IMPLIED(loads, {1, 0, 8, 8, false});
    struct instruction_view alone[] = {VIEW("\x48\x01\x03")}; /* add [rbx],rax */
    ASSERT_NOTHING_IMPLIED(alone);
    struct instruction_view followed[] = {VIEW("\x48\x01\x03"), VIEW("\x90")};
    ASSERT_IMPLIED(followed, {0, 0, 0, 8, true});
}

static void test_implied_places(void **state) {
    struct instruction_view places[] = {
        VIEW("\x8b\x04\x8b"),                 /* 0 mov eax,[rbx+rcx*4]: leads */
        VIEW("\xff\xc1"),                     /* 1 inc ecx: another rcx */
        VIEW("\x8b\x04\x8b"),                 /* 2 the same: leads */
        VIEW("\x48\xff\xc1"),                 /* 3 inc rcx */
        VIEW("\x8b\x04\x8b"),                 /* 4 four bytes above it */
        VIEW("\x64\x8b\x04\x8b"),             /* 5 mov eax,fs:[rbx+rcx*4] */
        VIEW("\x67\x8b\x03"),                 /* 6 mov eax,[ebx] */
        VIEW("\x48\x8b\x83\x00\x10\x00\x00"), /* 7 mov rax,[rbx+4096]: leads */
        VIEW("\x48\x8b\x43\x01"),             /* 8 mov rax,[rbx+1] */
        VIEW("\x48\x8b\x03"),                 /* 9 mov rax,[rbx]: too far from it */
        VIEW("\x90"),
    };
    ASSERT_IMPLIED(places, {4, 2, 4, 4, false}, {8, 7, -4095, 8, false});
}

/* Not looked at: locked and repeated ones, string instructions, vectors. They change registers. */
static void test_implied_others(void **state) {
    struct instruction_view others[] = {
        VIEW("\x48\x8b\x06"),     /* 0 mov rax,[rsi] */
        VIEW("\xf0\x48\x01\x06"), /* 1 lock add [rsi],rax */
        VIEW("\x0f\x10\x06"),     /* 2 movups xmm0,[rsi] */
        VIEW("\x48\xa5"),         /* 3 movsq: changes rsi */
        VIEW("\x48\x8b\x06"),     /* 4 mov rax,[rsi] */
        VIEW("\xf3\x48\xa5"),     /* 5 rep movsq */
        VIEW("\x48\x8b\x06"),     /* 6 mov rax,[rsi] */
        VIEW("\x87\xf3"),         /* 7 xchg ebx,esi */
        VIEW("\x48\x8b\x06"),     /* 8 mov rax,[rsi] */
        VIEW("\x5e"),             /* 9 pop rsi */
        VIEW("\x48\x8b\x06"),     /* 10 mov rax,[rsi] */
        VIEW("\x48\x8b\x46\x7f"), /* 11 mov rax,[rsi+127] */
        VIEW("\x65\x48\x8b\x00"), /* 12 mov rax,gs:[rax] */
        VIEW("\x0f\x01\xf8"),     /* 13 swapgs */
        VIEW("\x65\x48\x8b\x00"), /* 14 mov rax,gs:[rax] */
        VIEW("\x90"),
    };
    ASSERT_IMPLIED(others, {11, 10, 127, 8, false});
    static struct implied implied;
    implied_find(others, sizeof others / sizeof others[0], false, &implied);
    assert_int_equal(implied.count, 0);
    assert_false(implied.instruction[10].leads || implied.instruction[11].load);
}

static struct regions *regions_of(const char *text, struct error *err) {
    char path[] = "/tmp/slsuite-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    struct regions *regions = regions_read(path, err);
    unlink(path);
    return regions;
}

static void test_regions(void **state) {
    struct error err = {0};
    struct regions *regions = regions_of("7000 8000 libc.so.6\n1000 2000 the server\n"
                                         "9000 a000 libc.so.6\n\n2000 2001 [vdso]\n",
                                         &err);
    assert_non_null(regions);
    assert_int_equal(regions_count(regions), 3);
    assert_string_equal(regions_names(regions)[0], "libc.so.6");
    assert_string_equal(regions_names(regions)[1], "the server");
    assert_int_equal(regions_find(regions, 0x0fff), 0);
    assert_int_equal(regions_find(regions, 0x1000), 2);
    assert_int_equal(regions_find(regions, 0x1fff), 2);
    assert_int_equal(regions_find(regions, 0x2000), 3);
    assert_int_equal(regions_find(regions, 0x2001), 0);
    assert_int_equal(regions_find(regions, 0x7fff), 1);
    assert_int_equal(regions_find(regions, 0x9fff), 1);
    assert_int_equal(regions_find(regions, 0xa000), 0);
    assert_int_equal(regions_find(NULL, 0x1000), 0);
    regions_free(regions);

    assert_null(regions_of("1000 2000 a\n1fff 3000 b\n", &err));
    assert_non_null(strstr(err.text, "1000 and 1fff overlap"));
    static const char *const wrong[] = {"1000 2000", "2000 1000 a", "x 2000 a", "1000 1000 a"};
    for (size_t i = 0; i < 4; i++) {
        assert_null(regions_of(wrong[i], &err));
        assert_non_null(strstr(err.text, "line 1"));
    }
    regions = regions_of("", &err);
    assert_int_equal(regions_count(regions), 0);
    regions_free(regions);
}

static void test_arguments(void **state) {
    struct plugin_arguments arguments;
    struct error err = {0};
    char *good[] = {"system=a", "samples=b", "profile=c=d", "core=1", "events=7"};
    assert_int_equal(arguments_read(5, good, &arguments, &err), 0);
    assert_string_equal(arguments.system, "a");
    assert_string_equal(arguments.profile, "c=d");
    assert_int_equal(arguments.core, 1);
    assert_int_equal(arguments.profile_marks, 1);
    assert_int_equal(arguments.events, 7);
    assert_null(arguments.regions);
    assert_int_equal(arguments_read(1, good, &arguments, &err), -1);
    char *wrong[] = {"system=a", "samples=b", "profile_marks=-1"};
    assert_int_equal(arguments_read(3, wrong, &arguments, &err), -1);
    wrong[2] = "sample=x";
    assert_int_equal(arguments_read(3, wrong, &arguments, &err), -1);
    assert_non_null(strstr(err.text, "sample=x"));
}

/* Four page tables in a file that is mapped as the guest's RAM is. */
static void test_walk(void **state) {
    static char path[] = "/tmp/slsuite-test-XXXXXX";
    int fd = mkstemp(path);
    const size_t size = 16 << 20;
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    char *ram = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    assert_true(ram != MAP_FAILED);
    address_set_ram(path);
    uint64_t *table[4];
    for (unsigned i = 0; i < 4; i++)
        table[i] = (uint64_t *)(ram + 0x1000 * (i + 1));
    const uint64_t no_execute = UINT64_C(1) << 63;
    table[0][0x1ff] = 0x2000 | 7;
    table[1][1] = 0x3000 | 7;
    table[1][2] = 0x40000000 | 1 << 7 | 1; /* 1 GB */
    table[2][3] = 0x4000 | 7;
    table[2][4] = 0x00a00000 | 1 << 12 | 1 << 8 | 1 << 7 | 3 | no_execute; /* 2 MB, PAT, global */
    table[3][5] = 0x00123000 | 1 << 8 | 1 | no_execute;

    const uint64_t base = 0xffffff8000000000;
    uint64_t address = base + (UINT64_C(1) << 30) + (3 << 21) + (5 << 12) + 0x678;
    struct translation translation;
    address_walk(0x1000 | 0xfff, address, 0x123000, &translation);
    assert_int_equal(translation.levels, 4);
    assert_int_equal(translation.page_shift, 12);
    assert_true(translation.global);
    assert_int_equal(translation.page, address & ~UINT64_C(0xfff));
    assert_int_equal(translation.frame, 0x123000);
    assert_int_equal(translation.walk[0], 0x1000 + 8 * 0x1ff);
    assert_int_equal(translation.walk[1], 0x2000 + 8 * 1);
    assert_int_equal(translation.walk[2], 0x3000 + 8 * 3);
    assert_int_equal(translation.walk[3], 0x4000 + 8 * 5);

    uint64_t large = base + (UINT64_C(1) << 30) + (4 << 21) + 0x3456;
    address_walk(0x1000, large, 0x00a03000, &translation);
    assert_int_equal(translation.levels, 3);
    assert_int_equal(translation.page_shift, 21);
    assert_int_equal(translation.page, large & ~UINT64_C(0x1fffff));
    assert_int_equal(translation.frame, 0x00a00000);
    assert_true(translation.global);

    uint64_t huge = base + (UINT64_C(2) << 30) + 0x12345678;
    address_walk(0x1000, huge, 0x52345000, &translation);
    assert_int_equal(translation.levels, 2);
    assert_int_equal(translation.page_shift, 30);
    assert_false(translation.global);

    /* elsewhere, not present, no such RAM, not known */
    address_walk(0x1000, address, 0x124000, &translation);
    assert_int_equal(translation.levels, 0);
    address_walk(0x1000, address + 0x1000, 0x123000, &translation);
    assert_int_equal(translation.levels, 0);
    address_walk(0x7ffff000, address, 0x123000, &translation);
    assert_int_equal(translation.levels, 0);
    address_walk(ADDRESS_NO_CR3, address, 0x123000, &translation);
    assert_int_equal(translation.levels, 0);

    assert_int_equal(address_of_code(ram + 0x1234, 0x401234), 0x1234);
    assert_true(address_of_code(NULL, 0x401234) >= UINT64_C(1) << 51);
    munmap(ram, size);
    close(fd);
    unlink(path);
}

static void test_translations(void **state) {
    struct translation_pool *pool = translation_pool_new();
    struct translations translations = {.pool = pool};
    const struct translation *kept[5000];
    for (unsigned i = 0; i < 5000; i++) {
        struct translation translation = {.page = (uint64_t)i << 12,
                                          .frame = (uint64_t)(i + 7) << 12,
                                          .walk = {1, 2, 3, i},
                                          .levels = 4,
                                          .page_shift = 12};
        uint64_t words[STREAM_LONGEST];
        uint64_t address = translation.page | 0x123;
        assert_int_equal(translations_write(words, &translation, address, translation.frame), 7);
        assert_int_equal(translations_read(&translations, words), 7);
        assert_int_equal(translations_physical(&translations, address), translation.frame | 0x123);
        kept[i] = translations.entry[address_index(address)].translation;
        assert_non_null(kept[i]);
    }
    assert_int_equal(translation_pool_count(pool), 5000);
    for (unsigned i = 0; i < 5000; i++) {
        assert_int_equal(kept[i]->frame, (uint64_t)(i + 7) << 12);
        struct translation copy = *kept[i];
        assert_ptr_equal(translation_intern(pool, &copy), kept[i]);
    }
    assert_int_equal(translation_pool_count(pool), 5000);
    /* Without a walk, the page is still found, and free. */
    uint64_t words[STREAM_LONGEST];
    translations_write(words, &(struct translation){0}, 0x5678, 0x9000);
    assert_int_equal(translations_read(&translations, words), 3);
    assert_int_equal(translations_physical(&translations, 0x5678), 0x9678);
    assert_null(translations.entry[address_index(0x5678)].translation);
    translation_pool_clear(pool);
    assert_int_equal(translation_pool_count(pool), 0);
    translation_pool_free(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),          cmocka_unit_test(test_cr3),
        cmocka_unit_test(test_stays),          cmocka_unit_test(test_segments),
        cmocka_unit_test(test_spill),          cmocka_unit_test(test_left),
        cmocka_unit_test(test_regions),        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_walk),           cmocka_unit_test(test_translations),
        cmocka_unit_test(test_implied_stack),  cmocka_unit_test(test_implied_last),
        cmocka_unit_test(test_implied_places), cmocka_unit_test(test_implied_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
