/* src/common: the checksum that finds damaged checkpoints; command lines as words. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/hash.h"
#include "common/words.h"

#define SIZE (200l << 20) /* several of the windows that are read at a time */

static char folder[] = "/tmp/slsuite-test-XXXXXX";

static int make_folder(void **state) {
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state) {
    return unlink("file") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

/* The checksum of a file of holes but for `text` at `place`, and written zeros at `zeros`. */
static void sum(off_t size, off_t place, const char *text, off_t zeros, char hex[HASH_HEX]) {
    static const char nothing[3 << 12];
    struct error err = {0};
    int file = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(ftruncate(file, size), 0);
    assert_int_equal(pwrite(file, text, strlen(text), place), strlen(text));
    if (zeros >= 0)
        assert_int_equal(pwrite(file, nothing, sizeof nothing, zeros), sizeof nothing);
    assert_int_equal(checksum_sparse_file("file", hex, &err), 0);
    close(file);
}

static void checksum_sees_contents_and_places(void **state) {
    char first[HASH_HEX], other[HASH_HEX];
    sum(SIZE, 150 << 20, "contents", -1, first);
    sum(SIZE, 150 << 20, "contents", -1, other);
    assert_string_equal(first, other);
    sum(SIZE, 150 << 20, "contentt", -1, other);
    assert_string_not_equal(first, other);
    sum(SIZE, (150 << 20) + 4096, "contents", -1, other);
    assert_string_not_equal(first, other);
    sum(SIZE + 1, 150 << 20, "contents", -1, other);
    assert_string_not_equal(first, other);
    sum(SIZE, SIZE - 3, "end", -1, other);
    assert_string_not_equal(first, other);
}

static void checksum_overlooks_where_holes_are(void **state) {
    static const off_t zeros[] = {0, 64 << 20, (150 << 20) + 4096, SIZE - (3 << 12)};
    char first[HASH_HEX], other[HASH_HEX];
    sum(SIZE, 150 << 20, "contents", -1, first);
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++) {
        sum(SIZE, 150 << 20, "contents", zeros[i], other);
        assert_string_equal(first, other);
    }
}

static void checksum_needs_a_file(void **state) {
    struct error err = {0};
    char hex[HASH_HEX];
    assert_int_equal(checksum_sparse_file("missing", hex, &err), -1);
    assert_non_null(strstr(err.text, "cannot read missing"));
}

static void words_are_split_as_people_write_them(void **state) {
    static const struct {
        const char *text, *words; /* as JSON; NULL: a quote is left open */
    } cases[] = {
        {"", "[]"},
        {" \t ", "[]"},
        {"a  b\tc ", "[\"a\", \"b\", \"c\"]"},
        {"'a b' \"c d\"e", "[\"a b\", \"c de\"]"},
        {"'' \"\"", "[\"\", \"\"]"},
        {"a\\ b '\\' \"\\\"\"", "[\"a b\", \"\\\\\", \"\\\"\"]"},
        {"$A `b` *", "[\"$A\", \"`b`\", \"*\"]"},
        {"end\\", "[\"end\\\\\"]"},
        {"'open", NULL},
        {"a \"b'", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *words = words_split(cases[i].text);
        char *text = words ? json_dumps(words, 0) : NULL;
        if (cases[i].words)
            assert_string_equal(text, cases[i].words);
        else
            assert_null(text);
        free(text);
        json_decref(words);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksum_sees_contents_and_places),
        cmocka_unit_test(checksum_overlooks_where_holes_are),
        cmocka_unit_test(checksum_needs_a_file),
        cmocka_unit_test(words_are_split_as_people_write_them),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
