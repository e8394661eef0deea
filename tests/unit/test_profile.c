/* src/profile: the map of this very process, a hand-made kernel, hand-made profiles. */
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

#include "common/cleanup.h"
#include "common/file.h"
#include "common/process.h"
#include "profile/code_map.h"
#include "profile/profile.h"

static char folder[] = "/tmp/test_profile.XXXXXX";

static int make_folder(void **state) {
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state) {
    return folder_remove(folder, NULL);
}

static void assert_contains(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("no \"%s\" in:\n%s", part, text);
}

static struct code_map *map_of(const char *maps, const char *kallsyms) {
    struct error err = {0};
    struct code_map *map = code_map_new(maps, kallsyms, &err);
    if (!map)
        fail_msg("%s", err.text);
    return map;
}

static void assert_place(const struct code_map *map, uint64_t address, const char *region,
                         const char *symbol) {
    struct code_place place = code_map_find(map, address);
    assert_string_equal(place.region, region);
    if (symbol)
        assert_string_equal(place.symbol ? place.symbol : "(none)", symbol);
    else
        assert_null(place.symbol);
}

/* ---- user code ---- */

#define MAPS                                                                                       \
    "00400000-00401000 r--p 00000000 103:01 15                                /bin/my server\n"    \
    "00401000-004a5000 r-xp 00001000 103:01 15                                /bin/my server\n"    \
    "10e35000-10e57000 rw-p 00000000 00:00 0                                  [heap]\n"            \
    "7f0000000000-7f0000001000 rwxp 00000000 00:00 0 \n"                                           \
    "7f0000002000-7f0000003000 r-xp 00000000 103:01 7                         /lib/libz.so.1 "     \
    "(deleted)\n"                                                                                  \
    "7ffe1f954000-7ffe1f956000 r-xp 00000000 00:00 0                          [vdso]\n"            \
    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n"

static void regions_cover_everything_once(void **state) {
    /* A second process has another program at the same place: the first counts. */
    struct code_map *map =
        map_of(MAPS "00401000-00500000 r-xp 00000000 103:01 16 /bin/second\n", "");
    autofree char *regions = code_map_regions(map);
    assert_string_equal(regions, "0 401000 other\n"
                                 "401000 4a5000 my_server\n"
                                 "4a5000 500000 second\n"
                                 "500000 7f0000000000 other\n"
                                 "7f0000000000 7f0000001000 anonymous\n"
                                 "7f0000001000 7f0000002000 other\n"
                                 "7f0000002000 7f0000003000 libz.so.1\n"
                                 "7f0000003000 7ffe1f954000 other\n"
                                 "7ffe1f954000 7ffe1f956000 vdso\n"
                                 "7ffe1f956000 800000000000 other\n"
                                 "800000000000 ffffffffff600000 kernel\n"
                                 "ffffffffff600000 ffffffffff601000 vsyscall\n"
                                 "ffffffffff601000 ffffffffffffffff kernel\n");
    assert_place(map, 0x401000, "my_server", NULL);
    assert_place(map, 0x4a4fff, "my_server", NULL);
    assert_place(map, 0, "other", NULL);
    assert_place(map, UINT64_MAX, "kernel", NULL);
    assert_int_equal(code_map_file_count(map), 3);
    assert_string_equal(code_map_file(map, 0), "/bin/my server");
    assert_string_equal(code_map_file(map, 1), "/lib/libz.so.1");
    code_map_free(map);
}

static void bad_maps_are_refused(void **state) {
    static const struct {
        const char *maps, *kallsyms, *why;
    } cases[] = {
        {"nonsense\n", "", "memory map: line 1"},
        {"00400000-00401000 r-xp\n", "", "memory map: line 1"},
        {MAPS "00402000-00401000 r-xp 00000000 00:00 0 \n", "", "memory map: line 8"},
        {"00400000-00401000 r-x 0 00:00 0 /a\n", "", "memory map: line 1"},
        {"", "ffffffff81000000 T _stext\nffffffff8100", "symbols: line 2"},
        {"", "ffffffff81000000 T \n", "symbols: line 1"},
        {"", "ffffffff81000000\n", "symbols: line 1"},
        {"", "zz T name\n", "symbols: line 1"},
        {"", "0000000000000000 T _stext\n", "kptr_restrict"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        assert_null(code_map_new(cases[i].maps, cases[i].kallsyms, &err));
        assert_contains(err.text, cases[i].why);
    }
}

/* A function that is found by its name. */
__attribute__((noinline)) static int known_function(int value) {
    __asm__ volatile("" : "+r"(value));
    return value * 3;
}

static struct code_map *own_map(const char *program) {
    autofree char *maps = file_read("/proc/self/maps", NULL, NULL);
    autofree char *self = realpath("/proc/self/exe", NULL);
    struct error err = {0};
    struct code_map *map = map_of(maps, "");
    for (size_t i = 0; i < code_map_file_count(map); i++) {
        const char *path = code_map_file(map, i);
        if (code_map_add_symbols(map, i, strcmp(path, self) == 0 ? program : path, &err) < 0)
            fail_msg("%s", err.text);
    }
    return map;
}

/* This test is linked as most programs are: position-independent, with shared libraries. */
static void symbols_come_from_the_files(void **state) {
    struct code_map *map = own_map("/proc/self/exe");
    assert_int_equal(known_function(2), 6);
    for (int byte = 0; byte < 4; byte++)
        assert_place(map, (uintptr_t)known_function + byte, "test_profile", "known_function");
    struct code_place place = code_map_find(map, (uintptr_t)known_function);
    assert_true(place.start == (uintptr_t)known_function);
    /* Debian's C library has no .symtab, only .dynsym. */
    place = code_map_find(map, (uintptr_t)mkdtemp + 1);
    assert_string_equal(place.region, "libc.so.6");
    assert_non_null(place.symbol);
    assert_contains(place.symbol, "mkdtemp");
    code_map_free(map);
}

static void stripped_programs_have_regions_only(void **state) {
    const char *const strip[] = {"strip", "-o", "stripped", "/proc/self/exe", NULL};
    struct error err = {0};
    if (process_run(strip, NULL, &err) < 0)
        fail_msg("%s", err.text);
    struct code_map *map = own_map("stripped");
    assert_place(map, (uintptr_t)known_function, "test_profile", NULL);
    code_map_free(map);
}

static void other_files_have_no_symbols(void **state) {
    struct error err = {0};
    struct code_map *map = map_of(MAPS, "");
    file_write("text", "no ELF file\n", 12, NULL);
    file_write("cut", "\177ELF\2\1\1", 7, NULL);
    file_write("empty", "", 0, NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            code_map_add_symbols(map, 0, (const char *[]){"text", "cut", "empty"}[i], &err), 0);
    /* A program cut off in the middle: its section table is gone. */
    size_t size;
    autofree char *whole = file_read("/proc/self/exe", &size, NULL);
    file_write("half", whole, size / 2, NULL);
    assert_int_equal(code_map_add_symbols(map, 0, "half", &err), 0);
    assert_place(map, 0x401000, "my_server", NULL);
    assert_int_equal(code_map_add_symbols(map, 0, "missing", &err), -1);
    assert_contains(err.text, "cannot read the symbols of /bin/my server");
    code_map_free(map);
}

/* ---- the kernel's code ---- */

/* As Debian's kernel has it, in small. */
#define KALLSYMS                                                                                   \
    "ffffffff81000000 T _stext\n"                                                                  \
    "ffffffff81000000 T startup_64\n"                                                              \
    "ffffffff81010000 T raw_spin_rq_lock_nested\n"                                                 \
    "ffffffff81010100 t update_curr\n"                                                             \
    "ffffffff81010200 T complete\n"                                                                \
    "ffffffff81010300 T mutex_trylock\n"                                                           \
    "ffffffff81020000 T sock_from_file\n"                                                          \
    "ffffffff81021000 t tcp_ack\n"                                                                 \
    "ffffffff81022000 T l3mdev_link_scope_lookup\n"                                                \
    "ffffffff81022100 W memcpy\n"                                                                  \
    "ffffffff81022100 t __memcpy\n"                                                                \
    "ffffffff81030000 T __entry_text_start\n"                                                      \
    "ffffffff81030000 T entry_SYSCALL_64\n"                                                        \
    "ffffffff81031000 T __entry_text_end\n"                                                        \
    "ffffffffc0201010 t nf_hook\t[nf_conntrack]\n"                                                 \
    "ffffffffc0202f00 t nf_exit\t[nf_conntrack]\n"                                                 \
    "ffffffffc0300000 t veth_xmit\t[veth]\n"

static void parts_of_the_kernel(void **state) {
    struct code_map *map = map_of("", KALLSYMS);
    autofree char *regions = code_map_regions(map);
    assert_string_equal(regions, "0 800000000000 other\n"
                                 "800000000000 ffffffff81010000 kernel\n"
                                 "ffffffff81010000 ffffffff81010300 kernel.scheduler\n"
                                 "ffffffff81010300 ffffffff81020000 kernel\n"
                                 "ffffffff81020000 ffffffff81022100 kernel.network\n"
                                 "ffffffff81022100 ffffffff81030000 kernel\n"
                                 "ffffffff81030000 ffffffff81031000 kernel.entry\n"
                                 "ffffffff81031000 ffffffffc0201000 kernel\n"
                                 "ffffffffc0201000 ffffffffc0203000 kernel.netfilter\n"
                                 "ffffffffc0203000 ffffffffc0300000 kernel\n"
                                 "ffffffffc0300000 ffffffffc0301000 kernel.veth\n"
                                 "ffffffffc0301000 ffffffffffffffff kernel\n");
    assert_place(map, 0xffffffff81010150, "kernel.scheduler", "update_curr");
    assert_place(map, 0xffffffff810102ff, "kernel.scheduler", "complete");
    assert_place(map, 0xffffffff81021fff, "kernel.network", "tcp_ack");
    assert_place(map, 0xffffffff81022100, "kernel", "memcpy");                 /* W before t */
    assert_place(map, 0xffffffff81030010, "kernel.entry", "entry_SYSCALL_64"); /* no boundary */
    assert_place(map, 0xffffffff81000010, "kernel", "startup_64");
    assert_place(map, 0xffffffffc0202fff, "kernel.netfilter", "nf_exit");
    assert_place(map, 0xffffffffc0250000, "kernel", NULL); /* between two modules */
    assert_place(map, 0xffffffffc0300800, "kernel.veth", "veth_xmit");
    code_map_free(map);
}

/* A kernel that is not linked folder by folder has no parts, but its symbols. */
static void mixed_kernels_have_no_parts(void **state) {
    struct code_map *map = map_of("", "ffffffff81010000 T sock_from_file\n"
                                      "ffffffff81010100 T vfs_read\n"
                                      "ffffffff81010200 T tcp_v4_rcv\n"
                                      "ffffffff81010300 T seq_read\n"
                                      "ffffffff81010400 T other\n");
    autofree char *regions = code_map_regions(map);
    assert_string_equal(regions, "0 800000000000 other\n800000000000 ffffffffffffffff kernel\n");
    assert_place(map, 0xffffffff81010180, "kernel", "vfs_read");
    code_map_free(map);
}

/* ---- profile.tsv ---- */

#define HEADER "# slsuite profile 1\n"

static struct profile *read_text(const char *text, const struct code_map *map, struct error *err) {
    assert_int_equal(file_write("profile.tsv", text, strlen(text), NULL), 0);
    *err = (struct error){0};
    return profile_read("profile.tsv", map, err);
}

static void profiles_are_summed_by_symbol(void **state) {
    struct error err;
    struct code_map *map = map_of(MAPS, KALLSYMS);
    struct profile *profile = read_text(HEADER "kernel\tffffffff81021040\t10\t100\t1\t2\t3\t0\n"
                                               "user\t401040\t20\t150\t0\t0\t0\t1\n"
                                               "kernel\tffffffff81021000\t5\t200\t1\t1\t1\t1\n"
                                               "kernel\tffffffff81021040\t1\t1\t1\t1\t1\t1\n"
                                               "user\t402000\t20\t50\t0\t0\t0\t0\n"
                                               "kernel\tffffffff81010110\t4\t8\t0\t0\t0\t0\n"
                                               "user\t10\t1\t2\t0\t0\t0\t0\n",
                                        map, &err);
    assert_non_null(profile);
    assert_int_equal(profile->symbol_count, 4);
    const struct profile_symbol *symbols = profile->symbols;
    assert_string_equal(symbols[0].name, "tcp_ack");
    assert_string_equal(symbols[0].region, "kernel.network");
    assert_int_equal(symbols[0].counts[PROFILE_CYCLES], 301);
    assert_int_equal(symbols[0].counts[PROFILE_INSTRUCTIONS], 16);
    assert_int_equal(symbols[0].counts[PROFILE_LLC_MISSES], 5);
    assert_int_equal(symbols[0].line_count, 2); /* one address twice */
    assert_true(profile->lines[symbols[0].first_line].address == 0xffffffff81021000);
    assert_int_equal(profile->lines[symbols[0].first_line + 1].counts[PROFILE_CYCLES], 101);
    /* Unknown symbols of a region are one. */
    assert_string_equal(symbols[1].name, "[unknown]");
    assert_string_equal(symbols[1].region, "my_server");
    assert_int_equal(symbols[1].counts[PROFILE_CYCLES], 200);
    assert_string_equal(symbols[2].name, "update_curr");
    assert_string_equal(symbols[3].region, "other");
    assert_int_equal(profile->totals[PROFILE_CYCLES], 511);
    assert_int_equal(profile->totals[PROFILE_MISPREDICTS], 3);
    profile_free(profile);

    profile = read_text(HEADER, map, &err); /* nothing ran */
    assert_non_null(profile);
    assert_int_equal(profile->symbol_count, 0);
    profile_free(profile);
    code_map_free(map);
}

static void bad_profiles_are_refused(void **state) {
    static const struct {
        const char *text, *where, *why;
    } cases[] = {
        {"", "profile.tsv", "empty"},
        {"# slsuite profile 2\n", "line 1", "not \"# slsuite profile 1\""},
        {"user\t1\t1\t1\t1\t1\t1\t1\n", "line 1", "not \"# slsuite"},
        {HEADER "user\t1\t1\t1\t1\t1\t1\t1", "line 2", "not whole"},
        {HEADER "user\t1\t1\t1\t1\t1\t1\n", "line 2", "six counts"},
        {HEADER "user\t1\t1\t1\t1\t1\t1\t1\t1\n", "line 2", "more than six"},
        {HEADER "user\t1\t1\t1\t1\t1\t1\t-1\n", "line 2", "six counts"},
        {HEADER "user\t1\t1\t1\t1\t1\t1\t99999999999999999999\n", "line 2", "six counts"},
        {HEADER "user\txyz\t1\t1\t1\t1\t1\t1\n", "line 2", "hexadecimal"},
        {HEADER "user\n", "line 2", "hexadecimal"},
        {HEADER "guest\t1\t1\t1\t1\t1\t1\t1\n", "line 2", "neither user nor kernel"},
        {HEADER "\n", "line 2", "neither user nor kernel"},
    };
    struct code_map *map = map_of(MAPS, KALLSYMS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        assert_null(read_text(cases[i].text, map, &err));
        assert_int_equal(err.status, 1);
        assert_contains(err.text, "reading profile.tsv");
        assert_contains(err.text, cases[i].where);
        assert_contains(err.text, cases[i].why);
    }
    struct error err = {0};
    file_write("profile.tsv", HEADER "\0x\n", sizeof HEADER + 2, NULL);
    assert_null(profile_read("profile.tsv", map, &err));
    assert_contains(err.text, "NUL");
    assert_null(profile_read("missing", map, &err));
    code_map_free(map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_cover_everything_once),
        cmocka_unit_test(bad_maps_are_refused),
        cmocka_unit_test(symbols_come_from_the_files),
        cmocka_unit_test(stripped_programs_have_regions_only),
        cmocka_unit_test(other_files_have_no_symbols),
        cmocka_unit_test(parts_of_the_kernel),
        cmocka_unit_test(mixed_kernels_have_no_parts),
        cmocka_unit_test(profiles_are_summed_by_symbol),
        cmocka_unit_test(bad_profiles_are_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
