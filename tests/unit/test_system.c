/* Reading systems/simple.yaml, and copies of it with one thing wrong: each must be refused with its
 * line. */
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
#include "common/paths.h"
#include "system/system.h"

static char *systems, *simple_path, *simple_text;

/* Instead of the one of common/paths.c: a test has no executable with data beside it. */
const char *paths_systems(void) {
    return systems;
}

/* Load this text as a file; the error's text without the path, or "" when it was accepted. */
static const char *load_text(const char *text, struct model_parameters *parameters) {
    static struct error err;
    char path[] = "/tmp/slsuite-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    err = (struct error){0};
    int status = system_load(path, parameters, &err);
    unlink(path);
    if (status == 0)
        return "";
    assert_int_equal(err.status, 1);
    assert_memory_equal(err.text, path, strlen(path));
    return err.text + strlen(path);
}

/* simple.yaml with the first `from` behind `after` replaced. *line is where it stands. */
static char *changed(const char *after, const char *from, const char *to, int *line) {
    const char *start = strstr(simple_text, after);
    assert_non_null(start);
    const char *place = strstr(start, from);
    assert_non_null(place);
    *line = 1;
    for (const char *c = simple_text; c < place; c++)
        *line += *c == '\n';
    return format_string("%.*s%s%s", (int)(place - simple_text), simple_text, to,
                         place + strlen(from));
}

static void test_simple(void **state) {
    struct model_parameters p;
    struct error err = {0};
    if (system_load(simple_path, &p, &err))
        fail_msg("%s", err.text);
    assert_string_equal(p.name, "simple");
    assert_int_equal(p.cores, 2);
    assert_int_equal(p.clock, 2500000000);
    assert_string_equal(p.core_model, "blocking");
    assert_int_equal(p.fetch_width, 8);
    assert_int_equal(p.line_size, 64);
    const struct cache_parameters *l1s[] = {&p.l1i, &p.l1d};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(l1s[i]->size, 16 * 1024);
        assert_int_equal(l1s[i]->associativity, 8);
        assert_int_equal(l1s[i]->tag_latency, 1);
        assert_int_equal(l1s[i]->data_latency, 1);
        assert_int_equal(l1s[i]->response_latency, 2);
        assert_int_equal(l1s[i]->mshrs, 4);
        assert_string_equal(l1s[i]->replacement, "lru");
    }
    assert_int_equal(p.llc.size, 128 * 1024);
    assert_int_equal(p.llc.associativity, 8);
    assert_int_equal(p.llc.tag_latency, 12);
    assert_int_equal(p.llc.data_latency, 12);
    assert_int_equal(p.llc.response_latency, 12);
    assert_int_equal(p.llc.mshrs, 20);
    assert_int_equal(p.llc_bus.width, 32);
    assert_int_equal(p.memory_bus.frontend_latency, 3);
    assert_int_equal(p.memory_bus.snoop_filter_latency, 1);
    assert_int_equal(p.memory_size, INT64_C(2) << 30);
    assert_int_equal(p.memory_latency, 50000);
}

/* `change` as in changed(); the message must begin with the line of the change (or of `line_at`)
 * and the key, and hold `why`. */
static const struct {
    const char *after, *from, *to, *key, *why, *line_at;
} mistakes[] = {
    {"l1d:", "16 kB", "16", "caches.l1d.size", "the unit is missing"},
    {"l1d:", "16 kB", "16 kb", "caches.l1d.size", "the unit is wrong"},
    {"l1d:", "16 kB", "16 ns", "caches.l1d.size", "B, kB, KiB, MB"},
    {"l1d:", "16 kB", "-16 kB", "caches.l1d.size", "not a number"},
    {"l1d:", "16 kB", "0x10 kB", "caches.l1d.size", "the unit is wrong"},
    {"l1d:", "16 kB", "1.0001 kB", "caches.l1d.size", "not a whole number"},
    {"l1d:", "16 kB", "9999999999999999999 kB", "caches.l1d.size", "too many digits"},
    {"l1d:", "16 kB", "24 kB", "caches.l1d.size", "power of two"},
    {"l1d:", "16 kB", "1000 B", "caches.l1d.size", "not whole sets"},
    {"l1d:", "16 kB", "2 GB", "caches.l1d.size", "64 B to 1 GB"},
    {"l1d:", "16 kB", "[16 kB]", "caches.l1d.size", "a list or a section"},
    {"l1d:", "associativity: 8", "associativity: 8 ways", "caches.l1d.associativity",
     "plain number"},
    {"l1d:", "associativity: 8", "associativity: 0", "caches.l1d.associativity", "1 to 64"},
    {"  llc:\n    size", "tag_latency: 12 cycles", "tag_latency: 12 ns", "caches.llc.tag_latency",
     "cycle, cycles"},
    {"  llc:\n    size", "replacement: lru", "replacement: plru", "caches.llc.replacement",
     "one of lru"},
    {"  llc:\n    size", "replacement: lru", "replacement:", "caches.llc.replacement", "empty"},
    {"  llc:\n    size", "mshrs", "mhsrs", "caches.llc.mhsrs",
     "no such parameter: use one of: size, associativity"},
    {"cores:", "cores", "caches.l1d.size", "caches.l1d.size", "no such parameter"},
    {"cores:", "cores: 2", "cores: 65", "cores", "65 is out of range"},
    {"clock", "2.5 GHz", "2.5 kHz", "clock", "out of range: 1 MHz"},
    {"core:", "core:", "kore:", "kore",
     "use one of: name, description, clock, cores, core, caches"},
    {"core:", "model: blocking", "model: superscalar", "core.model", "one of blocking"},
    {"  llc:\n    size", "mshrs: 20", "size: 1 kB", "size", "given twice"},
    {"\nmemory:", "size: 2 GB", "", "memory.size", "is missing", "\nmemory:"},
    {"\nmemory:", "latency: 50 ns", "latency: 2.5 GHz", "memory.latency", "ps, ns, us"},
};

static void test_mistakes(void **state) {
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct model_parameters p;
        int line;
        char *text = changed(mistakes[i].after, mistakes[i].from, mistakes[i].to, &line);
        if (mistakes[i].line_at)
            free(changed(mistakes[i].line_at, mistakes[i].line_at + 1, "", &line));
        char *start = format_string(":%d: %s: ", line, mistakes[i].key);
        const char *message = load_text(text, &p);
        if (strncmp(message, start, strlen(start)) != 0 || !strstr(message, mistakes[i].why) ||
            strchr(message, '\n'))
            fail_msg("mistake %zu: expected `%s … %s`, got `%s`", i, start, mistakes[i].why,
                     message);
        free(start);
        free(text);
    }
}

static void test_not_a_system(void **state) {
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", ":1: the file is empty"},
        {"# only this\n", ":1: the file is empty"},
        {"just words\n", ":1: the file: must be a section"},
        {"name: x\n  bad: [\n", ":2: not YAML: "},
        {"name: x\ncache: [1, 2\n", ":3: not YAML: "},
        {"name: x\n? [a]\n: b\n", ":2: a key must be a word"},
        {"name: x\ncores: 2\nname: y\n", ":3: name: given twice, first in line 1"},
        {"name: x\n", ":1: description: is missing"},
        {"core: fast\n", ":1: core: must be a section"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct model_parameters p;
        const char *message = load_text(cases[i].text, &p);
        if (strncmp(message, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("expected `%s`, got `%s`", cases[i].message, message);
    }
    struct model_parameters p;
    struct error err;
    char *twice = format_string("%s---\nname: more\n", simple_text);
    assert_non_null(strstr(load_text(twice, &p), ": a second document: "));
    free(twice);
    assert_int_equal(system_load("/nonexistent.yaml", &p, &err), -1);
    assert_non_null(strstr(err.text, "/nonexistent.yaml"));
}

/* Every parameter, left out, is missed: none has a silent default. */
static void test_every_parameter_is_required(void **state) {
    struct model_parameters p;
    for (const struct parameter *parameter = parameters_table; parameter->key; parameter++) {
        assert_true(*parameter->description);
        /* follow the key's words down the file, then blank the line */
        char *text = strdup(simple_text), *place = text - 1, *key = strdup(parameter->key);
        int indent = 0;
        for (char *word = strtok(key, "."); word; word = strtok(NULL, "."), indent += 2) {
            char *line = format_string("\n%*s%s:", indent, "", word);
            place = strstr(place + 1, line);
            assert_non_null(place);
            free(line);
        }
        for (char *c = place + 1; *c != '\n'; c++)
            *c = ' ';
        char *expected = format_string(": %s: is missing", parameter->key);
        assert_non_null(strstr(load_text(text, &p), expected));
        free(expected);
        free(key);
        free(text);
    }
}

static void test_find(void **state) {
    struct error err = {0};
    char *path = system_find("simple", &err);
    assert_string_equal(path, simple_path);
    free(path);
    path = system_find("./mine.yaml", &err);
    assert_string_equal(path, "./mine.yaml");
    free(path);
    assert_null(system_find("simpel", &err));
    assert_non_null(strstr(err.text, "`simpel`"));
    assert_non_null(strstr(err.text, "simple"));
    assert_int_equal(err.status, 2);
}

static void test_describe(void **state) {
    struct model_parameters p;
    struct error err = {0};
    char *text = NULL;
    size_t size;
    assert_int_equal(system_load(simple_path, &p, &err), 0);
    FILE *stream = open_memstream(&text, &size);
    system_describe(stream, &p);
    fclose(stream);
    for (const struct parameter *parameter = parameters_table; parameter->key; parameter++)
        assert_non_null(strstr(text, parameter->key));
    assert_non_null(strstr(text, "2.5 GHz"));
    assert_non_null(strstr(text, "16 kB"));
    assert_non_null(strstr(text, "12 cycles"));
    assert_non_null(strstr(text, "50 ns"));
    free(text);
}

int main(void) {
    struct error err = {0};
    systems = format_string("%s/systems", getenv("SLS_SOURCE") ?: ".");
    simple_path = format_string("%s/simple.yaml", systems);
    simple_text = file_read(simple_path, NULL, &err);
    if (!simple_text) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_simple),       cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_not_a_system), cmocka_unit_test(test_every_parameter_is_required),
        cmocka_unit_test(test_find),         cmocka_unit_test(test_describe),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(simple_text);
    free(simple_path);
    free(systems);
    return failed;
}
