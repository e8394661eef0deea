/* Reading the shipped systems, and copies of them with one thing wrong: each must be refused with
 * its line and key. */
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
#include "common/paths.h"
#include "system/number.h"
#include "system/system.h"

static char *systems;

/* Instead of the one of common/paths.c: a test has no executable with data beside it. */
const char *paths_systems(void) {
    return systems;
}

static char *read_shipped(const char *name) {
    struct error err = {0};
    autofree char *path = format_string("%s/%s.yaml", systems, name);
    char *text = file_read(path, NULL, &err);
    if (!text)
        fail_msg("%s", err.text);
    return text;
}

/* Parse this text; the error's text behind the file's name, or "" when it was accepted. */
static const char *parse(const char *text, size_t size, struct model_parameters *parameters) {
    static struct error err;
    err = (struct error){0};
    if (system_parse("FILE", text, size, parameters, &err) == 0)
        return "";
    assert_int_equal(err.status, 1);
    assert_memory_equal(err.text, "FILE:", 5);
    assert_null(strchr(err.text, '\n'));
    return err.text + strlen("FILE");
}

static const char *parse_text(const char *text, struct model_parameters *parameters) {
    return parse(text, strlen(text), parameters);
}

static int line_at(const char *text, const char *place) {
    int line = 1;
    for (const char *c = text; c < place; c++)
        line += *c == '\n';
    return line;
}

static const char *find(const char *text, const char *part) {
    const char *place = strstr(text, part);
    if (!place)
        fail_msg("the shipped file has no `%s`", part);
    return place;
}

/* One change to a shipped system: the first `from` behind `after` becomes `to`. The message must
 * begin with the line of `from` (or of `at`, where that is given) and the key, and hold `why`. */
struct mistake {
    const char *system, *after, *from, *to, *key, *why, *at;
};

static void check_mistake(const struct mistake *m) {
    struct model_parameters p;
    autofree char *text = read_shipped(m->system);
    const char *place = find(find(text, m->after), m->from);
    autofree char *changed =
        format_string("%.*s%s%s", (int)(place - text), text, m->to, place + strlen(m->from));
    int line = line_at(changed,
                       m->at ? find(changed, m->at) + (*m->at == '\n') : changed + (place - text));
    autofree char *start = format_string(":%d: %s: ", line, m->key);
    const char *message = parse_text(changed, &p);
    if (strncmp(message, start, strlen(start)) != 0 || !strstr(message, m->why))
        fail_msg("%s, `%s` for `%s`: expected `%s … %s`, got `%s`", m->system, m->to, m->from,
                 start, m->why, message);
}

static void check_mistakes(const struct mistake *mistakes, size_t count) {
    for (size_t i = 0; i < count; i++)
        check_mistake(&mistakes[i]);
}
#define CHECK_MISTAKES(mistakes) check_mistakes(mistakes, sizeof(mistakes) / sizeof *(mistakes))

static void test_values(void **state) {
    static const struct mistake mistakes[] = {
        {"simple", "l1d:", "16 kB", "16", "caches.l1d.size", "the unit is missing"},
        {"simple", "l1d:", "16 kB", "16 kb", "caches.l1d.size", "the unit is wrong"},
        {"simple", "l1d:", "16 kB", "16 ns", "caches.l1d.size", "B, kB, KiB, MB"},
        {"simple", "l1d:", "16 kB", "-16 kB", "caches.l1d.size", "not a number"},
        {"simple", "l1d:", "16 kB", "0x10 kB", "caches.l1d.size", "the unit is wrong"},
        {"simple", "l1d:", "16 kB", "1.0001 kB", "caches.l1d.size", "not a whole number"},
        {"simple", "l1d:", "16 kB", "9999999999999999999 kB", "caches.l1d.size", "too many digits"},
        {"simple", "l1d:", "16 kB", "2 GB", "caches.l1d.size", "64 B to 1 GB"},
        {"simple", "l1d:", "16 kB", "[16 kB]", "caches.l1d.size", "a list or a section"},
        {"simple", "l1d:", "16 kB", "{16: kB}", "caches.l1d.size", "a list or a section"},
        {"simple", "l1d:", "16 kB", "\"16\\0 kB\"", "caches.l1d.size", "a NUL character"},
        {"simple", "l1d:", "associativity: 8", "associativity: 8 ways", "caches.l1d.associativity",
         "not a plain number"},
        {"simple", "l1d:", "associativity: 8", "associativity: 0", "caches.l1d.associativity",
         "0 is out of range: 1 to 64"},
        {"simple", "  llc:\n    size", "tag_latency: 12 cycles", "tag_latency: 12 ns",
         "caches.llc.tag_latency", "cycle, cycles"},
        {"simple", "  llc:\n    size", "lru", "recent", "caches.llc.replacement", "one of lru"},
        {"simple", "  llc:\n    size", "lru", "", "caches.llc.replacement", "empty: needs a text"},
        {"simple", "  llc:\n    size", "lru", "\"\\e[31mlru\"", "caches.llc.replacement",
         "no `?[31mlru`: one of lru"},
        {"simple", "cores:", "cores: 2", "cores: 65", "cores", "65 is out of range"},
        {"simple", "clock", "2.5 GHz", "2.5 kHz", "clock", "out of range: 1 MHz"},
        {"simple", "\ncore:", "blocking", "superscalar", "core.model",
         "one of blocking, inorder, ooo"},
        {"simple", "\nmemory:", "50 ns", "2.5 GHz", "memory.latency", "ps, ns, us"},
        {"simple", "name:", "simple", "my system", "name", "needs at most 64 letters"},
        {"simple", "name:", "simple", "../simple", "name", "the first a letter"},
        {"simple", "name:", "simple", "\"a\\x1b[2Jb\"", "name", "control characters"},
        {"simple", "description:", "Two", "\"\\u2028\" #", "description", "control characters"},
        {"simple", "description:",
         "Two blocking in-order cores, 16 kB L1 caches, 128 kB shared LLC, "
         "memory at a fixed latency.",
         "", "description", "empty"},
        {"skylake", "int_alu:", "integer", "intger", "core.operations.int_alu.unit",
         "one of integer, multiply"},
        {"icelake", "dtlb:", "64", "64 B", "mmu.dtlb.entries", "not a plain number"},
    };
    CHECK_MISTAKES(mistakes);
}

static void test_keys(void **state) {
    static const struct mistake mistakes[] = {
        {"simple", "  llc:\n    size", "mshrs", "mhsrs", "caches.llc.mhsrs",
         "did you mean mshrs? Known here are: size, associativity"},
        {"simple", "\ncore:", "core:", "kore:", "kore",
         "did you mean core? Known here are: name, description, clock, cores, core, branch, mmu"},
        {"simple", "\ncores:", "cores", "caches.l1d.size", "caches.l1d.size",
         "no such parameter: use one of: name"},
        {"simple", "\ncores:", "cores", "\"cores\\0\"", "cores", "no such parameter"},
        {"simple", "  llc:\n    size", "llc", "l4", "caches.l4", "did you mean l2?"},
        {"simple", "  llc:\n    size", "mshrs", "\"\\e[31m\"", "caches.llc.?[31m",
         "no such parameter"},
        {"simple", "  llc:\n    size", "mshrs: 20", "size: 1 kB", "caches.llc.size",
         "given twice, first in line"},
        {"simple", "\nmemory:", "memory", "core", "core", "given twice, first in line 13"},
        {"simple", "\nmemory:", "size: 2 GB", "", "memory.size",
         "is missing: add it, a number and "
         "its unit: B, kB",
         "\nmemory:"},
        {"skylake", "int_alu:", "latency: 1 cycle, ", "", "core.operations.int_alu.latency",
         "is missing", "int_alu:"},
        {"simple", "caches:", "caches:", "caches: 3 #", "caches", "must be a section"},
    };
    CHECK_MISTAKES(mistakes);
}

static void test_what_does_not_apply(void **state) {
    static const struct mistake mistakes[] = {
        {"simple", "\nmmu:", "mmu:", "branch: {size: 2}\nmmu:", "branch.size",
         "not for branch.direction none, nor for core.model blocking: remove it"},
        {"simple", "  model: blocking", "  model: blocking", "  window: 3\n  model: blocking",
         "core.window", "only for core.model inorder or ooo: remove it"},
        {"skylake", "int_alu:", "interval: 1 cycle", "interval: 1 cycle, slack: 1 cycle",
         "core.operations.int_alu.slack", "only for core.model inorder"},
        {"skylake", "model: ooo", "model: ooo", "model: inorder", "core.rename_width",
         "only for core.model ooo", "rename_width"},
        {"skylake", "history:", "history: 640", "local_size: 2\n  history: 640",
         "branch.local_size", "only for branch.direction tournament"},
        {"skylake", "indirect_sets:", "256", "0", "branch.indirect_ways",
         "only with branch.indirect_sets above 0", "indirect_ways"},
        {"simple", "model: ideal", "model: ideal", "walk_cache: 0\n  model: ideal",
         "mmu.walk_cache", "only for mmu.model tlb"},
        {"icelake", "stlb:", "2048", "0", "mmu.stlb.associativity",
         "only with mmu.stlb.entries above 0"},
        {"simple", "l1i:", "prefetcher: none", "prefetcher: {name: none, degree: 1}",
         "caches.l1i.prefetcher.degree", "only with a prefetcher"},
        {"simple", "l1d:", "prefetcher: none",
         "prefetcher: {name: next_line, degree: 1, "
         "distance: 1, entries: 1}",
         "caches.l1d.prefetcher.entries", "not for the prefetchers none and next_line"},
        {"icelake", "name: fdip", "degree: 4", "degree: 4, distance: 1",
         "caches.l1i.prefetcher.distance", "not for the prefetchers none and fdip"},
        {"simple", "\nbuses:", "  llc:", "  l3: {width: 1 B}\n  llc:", "buses.l3.width",
         "only with a section caches.l3"},
        {"skylake", "  l2:", "  l2:", "  l3: {}\n  l2:", "caches.l3.size", "is missing"},
        {"simple", "model: fixed", "model: fixed", "t_cl: 1 ns\n  model: fixed", "memory.t_cl",
         "only for memory.model ddr4"},
        {"simple", "model: fixed", "model: fixed", "model: ddr4", "memory.channels", "is missing",
         "\nmemory:"},
    };
    CHECK_MISTAKES(mistakes);
}

static void test_impossible_machines(void **state) {
    static const struct mistake mistakes[] = {
        {"simple", "l1d:", "16 kB", "24 kB", "caches.l1d.size", "a power of two"},
        {"simple", "l1d:", "16 kB", "1000 B", "caches.l1d.size", "not whole sets"},
        {"simple", "line_size:", "64 B", "48 B", "caches.line_size", "must be a power of two"},
        {"simple", "fetch_width:", "8 B", "12 B", "core.fetch_width", "must be a power of two"},
        {"simple", "fetch_width:", "8 B", "128 B", "core.fetch_width",
         "more than caches.line_size"},
        {"inorder", "memory_issue_width:", "1", "3", "core.memory_issue_width",
         "3 is more than core.issue_width: at most 2"},
        {"inorder", "  units:", "system: 1", "system: 0", "core.operations.system.unit",
         "core.units.system is 0", "system: {"},
        {"skylake", "integer_registers:", "280", "38", "core.integer_registers",
         "more than the 38"},
        {"skylake", "float_registers:", "268", "48", "core.float_registers", "more than the 48"},
        {"skylake", "  size:", "16384", "16000", "branch.size", "a power of two"},
        {"skylake", "btb_entries:", "4096", "4095", "branch.btb_entries", "a power of two"},
        {"icelake", "btb_entries:", "5120", "5121", "branch.btb_entries", "not whole sets"},
        {"skylake", "indirect_sets:", "256", "255", "branch.indirect_sets", "a power of two"},
        {"icelake", "itlb:", "128", "100", "mmu.itlb.entries", "not whole sets"},
        {"icelake", "dtlb:", "64", "60", "mmu.dtlb.entries", "makes 15 sets"},
        {"icelake", "stlb:", "2048", "2000", "mmu.stlb.entries", "makes 125 sets"},
        {"icelake", "name: stride", "256", "255", "caches.l1d.prefetcher.entries", "power of two"},
        {"icelake", "name: fdip", "1024", "1000", "caches.l1i.prefetcher.entries", "power of two"},
        {"icelake", "channels:", "8", "6", "memory.channels", "power of two"},
        {"icelake", "ranks:", "2", "3", "memory.ranks", "power of two"},
        {"icelake", "banks:", "16", "12", "memory.banks", "power of two"},
        {"icelake", "row_size:", "8 kB", "6 kB", "memory.row_size", "power of two"},
        {"icelake", "t_ras:", "32", "3", "memory.t_ras", "at least memory.t_rcd"},
        {"icelake", "\nmemory:", "2 GB", "1 MB", "memory.size", "a multiple of channels"},
    };
    CHECK_MISTAKES(mistakes);
}

static void load(const char *name, struct model_parameters *p) {
    struct error err = {0};
    autofree char *path = system_find(name, &err);
    if (!path || system_load(path, p, &err))
        fail_msg("%s", err.text);
}

static void expect_problem(const struct model_parameters *p, const char *key, const char *why) {
    struct parameters_problem problem = {"", ""};
    assert_false(parameters_check(p, NULL));
    assert_false(parameters_check(p, &problem));
    if (strcmp(problem.key, key) != 0 || !strstr(problem.text, why))
        fail_msg("expected `%s: … %s`, got `%s: %s`", key, why, problem.key, problem.text);
}

/* What takes two changes to get wrong, and what no file can say. */
static void test_levels(void **state) {
    struct model_parameters p;
    struct cache_parameters *l2 = &p.level[LEVEL_L2], *l3 = &p.level[LEVEL_L3],
                            *llc = &p.level[LEVEL_LLC];
    load("skylake", &p);
    strcpy(l2->sharing, "shared");
    assert_true(parameters_check(&p, NULL));
    strcpy(llc->sharing, "private");
    expect_problem(&p, "caches.llc.sharing", "private below a shared cache");

    load("skylake", &p);
    strcpy(llc->inclusion, "inclusive");
    assert_true(parameters_check(&p, NULL));
    l2->size = 8 << 20;
    expect_problem(&p, "caches.llc.size", "8388608 bytes cannot include the 16777216 bytes above");
    *l3 = *l2;
    p.level_bus[LEVEL_L3] = p.level_bus[LEVEL_L2];
    strcpy(l3->sharing, "shared");
    assert_true(parameters_check(&p, NULL));
    strcpy(l3->inclusion, "inclusive");
    expect_problem(&p, "caches.l3.size", "cannot include");

    load("skylake", &p);
    l2->size = 32 << 10;
    strcpy(l2->inclusion, "inclusive");
    expect_problem(&p, "caches.l2.size", "32768 bytes cannot include the 65536 bytes above");

    load("skylake", &p);
    llc->present = 0;
    expect_problem(&p, "caches", "must be present");
}

/* The predictor's own check is asked: twelve tables of LTAGE need longer histories. */
static void test_branch_check(void **state) {
    struct model_parameters p;
    load("skylake", &p);
    p.branch.history = 11;
    expect_problem(&p, "branch.history", "at least");
}

static void test_not_a_system(void **state) {
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", ":1: the file is empty"},
        {"# only this\n", ":1: the file is empty"},
        {"--- \n...\n", ":2: the file: must be a section"},
        {"just words\n", ":1: the file: must be a section"},
        {"- a\n- b\n", ":1: the file: must be a section"},
        {"name: x\n  bad: [\n", ":2: not YAML: "},
        {"name: x\ncores: 2\ncore\n", ":4: not YAML: "},
        {"name: x\n\t- tab\n", ":2: not YAML: "},
        {"name: \xff\xfe\n", ":1: not YAML: "},
        {"name: x\ncores: [1, 2\n", ":2: cores: a list or a section"},
        {"name: x\n? [a]\n: b\n", ":2: a key must be a word"},
        {"name: x\n? {a: b}\n: b\n", ":2: a key must be a word"},
        {"name: x\ncores: 2\nname: y\n", ":3: name: given twice, first in line 1"},
        {"name: x\n", ":1: description: is missing"},
        {"core: fast\n", ":1: core: must be a section"},
        {"name: &a x\n", ":1: an anchor or alias"},
        {"name: x\ndescription: *a\n", ":2: an anchor or alias"},
        {"name: x\ncore: &core {model: ooo}\n", ":2: an anchor or alias"},
        {"name: x\n<<: *base\n", ":2: <<: there is no such parameter"},
        {"&a {name: x}\n", ":1: an anchor or alias"},
        {"name: !!str x\n", ":1: a tag"},
        {"name: x\ncore: !mine {model: ooo}\n", ":2: a tag"},
        {"name: !<tag:yaml.org,2002:str> x\n", ":1: a tag"},
        {"%YAML 1.1\n---\nname: x\n...\n---\nname: y\n", ":5: a second document"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct model_parameters p;
        const char *message = parse_text(cases[i].text, &p);
        if (strncmp(message, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("`%s`: expected `%s`, got `%s`", cases[i].text, cases[i].message, message);
    }
}

/* Nothing that a file holds may take long or much memory. */
static void test_hostile(void **state) {
    enum { SIZE = (1 << 20) + 1 };
    struct model_parameters p;
    char *text = malloc(SIZE);
    memset(text, '[', SIZE);
    assert_memory_equal(parse(text, SIZE, &p), ":1: the file is too large", 25);
    assert_memory_equal(parse(text, SIZE - 1, &p), ":1: the file: must be a section", 31);
    memset(text, '{', SIZE);
    assert_memory_equal(parse(text, SIZE - 1, &p), ":1: a key must be a word", 24);
    memset(text, ' ', SIZE);
    assert_memory_equal(parse(text, SIZE - 1, &p), ":1: the file is empty", 21);
    memset(text, 'a', SIZE);
    assert_memory_equal(parse(text, SIZE - 1, &p), ":1: the file: must be a section", 31);
    memcpy(text, "core:", 5);
    assert_memory_equal(parse(text, SIZE - 1, &p), ":1: the file: must be a section", 31);
    memcpy(text, "core: ", 6);
    assert_memory_equal(parse(text, SIZE - 1, &p), ":1: core: must be a section", 27);
    free(text);

    struct error err = {0};
    assert_int_equal(system_load("/dev/zero", &p, &err), -1);
    assert_non_null(strstr(err.text, "/dev/zero:1: the file is too large"));
    assert_int_equal(system_load("/", &p, &err), -1);
    assert_non_null(strstr(err.text, "/: cannot read the system: "));
    assert_int_equal(system_load("/nonexistent.yaml", &p, &err), -1);
    assert_non_null(strstr(err.text, "/nonexistent.yaml: cannot read the system: "));
}

static char *describe(const struct model_parameters *p) {
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    system_describe(stream, p);
    fclose(stream);
    return text;
}

static void for_each_system(void (*check)(const char *name, const struct model_parameters *p)) {
    struct error err = {0};
    char **names;
    int count = system_names(&names, &err);
    assert_true(count >= 6);
    for (int i = 0; i < count; i++) {
        struct model_parameters p;
        load(names[i], &p);
        check(names[i], &p);
    }
    system_names_free(names, count);
}

/* All systems share the checkpoints of one machine. */
static void check_shipped(const char *name, const struct model_parameters *p) {
    assert_string_equal(p->name, name);
    assert_true(*p->description);
    assert_int_equal(p->cores, 2);
    assert_int_equal(p->memory.size, UINT64_C(2) << 30);
    assert_true(p->l1i.present && p->l1d.present && p->level[LEVEL_LLC].present);
    assert_true(parameters_check(p, NULL));
}

static void test_shipped(void **state) {
    for_each_system(check_shipped);
}

static void check_describe(const char *name, const struct model_parameters *p) {
    struct model_parameters again;
    autofree char *text = describe(p);
    assert_string_equal(parse_text(text, &again), "");
    assert_memory_equal(&again, p, sizeof again);
}

/* What is shown is a system file, of the same system. */
static void test_describe(void **state) {
    for_each_system(check_describe);

    struct model_parameters p, again;
    load("simple", &p);
    strcpy(p.description, "\"quoted\": \\ [and] # more, größer 'é' ");
    autofree char *text = describe(&p);
    assert_string_equal(parse_text(text, &again), "");
    assert_string_equal(again.description, p.description);
    assert_non_null(strstr(text, "\nclock: 2.5 GHz  "));
    assert_non_null(strstr(text, "\ncaches:\n  line_size: 64 B  "));
    assert_non_null(strstr(text, "\n  llc:\n    size: 128 kB  "));
    assert_non_null(strstr(text, "    tag_latency: 12 cycles  "));
    assert_non_null(strstr(text, "\n  latency: 50 ns  "));
    assert_null(strstr(text, "window"));
}

/* The line of a shown system in which its n-th parameter stands. */
static const char *line_of_parameter(const char *text, unsigned n) {
    for (const char *line = text;; line = strchr(line, '\n') + 1) {
        const char *end = strchr(line, '\n');
        assert_non_null(end);
        if (end > line && end[-1] != ':' && n-- == 0)
            return line;
    }
}

/* Each parameter of the system left out, and with a list for its value. */
static void check_each_parameter(const char *name, const struct model_parameters *p) {
    autofree char *text = describe(p);
    unsigned n = 0;
    for (const struct parameter *parameter = parameters_table; parameter->key; parameter++) {
        struct model_parameters again;
        if (!parameter_applies(p, parameter))
            continue;
        const char *line = line_of_parameter(text, n++), *value = strstr(line, ": ") + 2;
        autofree char *listed =
            format_string("%.*s[]%s", (int)(value - text), text, strchr(line, '\n'));
        autofree char *expected =
            format_string(":%d: %s: a list", line_at(text, line), parameter->key);
        assert_memory_equal(parse_text(listed, &again), expected, strlen(expected));

        /* kept if nothing else stands in its section, which would not be one without */
        if (strstr(parameter->key, "prefetcher.name") || strcmp(parameter->key, "mmu.model") == 0 ||
            (strcmp(parameter->key, "branch.direction") == 0 &&
             strcmp(p->branch.direction, "none") == 0))
            continue;
        autofree char *without =
            format_string("%.*s#%s", (int)(line - text), text, strchr(line, '\n'));
        autofree char *missing = format_string(": %s: is missing", parameter->key);
        if (!strstr(parse_text(without, &again), missing))
            fail_msg("%s: expected `%s`, got `%s`", name, missing, parse_text(without, &again));
    }
}

static void test_each_parameter(void **state) {
    for_each_system(check_each_parameter);
    for (const struct parameter *parameter = parameters_table; parameter->key; parameter++)
        assert_true(*parameter->description);
}

static void test_compare(void **state) {
    struct model_parameters a, b;
    char *text = NULL;
    size_t size;
    load("simple", &a);
    load("inorder", &b);
    FILE *stream = open_memstream(&text, &size);
    assert_int_equal(system_compare(stream, &a, &a), 0);
    fflush(stream);
    assert_int_equal(size, 0);
    unsigned differences = system_compare(stream, &a, &b), lines = 0;
    fclose(stream);
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, differences + 1);
    assert_non_null(strstr(text, "simple             inorder\ncore.model  "));
    assert_non_null(strstr(text, "\ncore.fetch_width                     8 B                -\n"));
    assert_null(strstr(text, "caches."));
    free(text);
}

static void test_find(void **state) {
    struct error err = {0};
    autofree char *path = system_find("simple", &err), *mine = system_find("./mine.yaml", &err);
    autofree char *expected = format_string("%s/simple.yaml", systems);
    assert_string_equal(path, expected);
    assert_string_equal(mine, "./mine.yaml");
    assert_null(system_find("simpel", &err));
    assert_non_null(strstr(err.text, "`simpel`"));
    assert_non_null(strstr(err.text, "icelake, inorder, neoverse-n1, simple, skylake, zen4"));
    assert_int_equal(err.status, 2);
}

/* Every number, as it is written, is read back. */
static void test_numbers(void **state) {
    static const struct {
        enum parameter_unit unit;
        uint64_t number;
        const char *text;
    } cases[] = {
        {UNIT_COUNT, 0, "0"},
        {UNIT_COUNT, 224, "224"},
        {UNIT_BYTES, 0, "0 B"},
        {UNIT_BYTES, 1000, "1000 B"},
        {UNIT_BYTES, 1280 << 10, "1.25 MB"},
        {UNIT_BYTES, UINT64_C(1) << 40, "1024 GB"},
        {UNIT_HERTZ, 2500000000, "2.5 GHz"},
        {UNIT_HERTZ, 1, "1 Hz"},
        {UNIT_PICOSECONDS, 16666, "16.666 ns"},
        {UNIT_PICOSECONDS, 999, "999 ps"},
        {UNIT_CYCLES, 1, "1 cycle"},
        {UNIT_CYCLES, 0, "0 cycles"},
        {UNIT_CYCLES, 44, "44 cycles"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        uint64_t number;
        parameter_format(cases[i].unit, cases[i].number, text, sizeof text);
        assert_string_equal(text, cases[i].text);
        assert_null(number_parse(text, cases[i].unit, &number));
        assert_int_equal(number, cases[i].number);
    }
}

int main(void) {
    systems = format_string("%s/systems", getenv("SLS_SOURCE") ?: ".");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_what_does_not_apply),
        cmocka_unit_test(test_impossible_machines),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_branch_check),
        cmocka_unit_test(test_not_a_system),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_each_parameter),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_numbers),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(systems);
    return failed;
}
