/* src/common: the checksum that finds damaged checkpoints;
 * command lines as words; children side by side. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/confine.h"
#include "common/file.h"
#include "common/hash.h"
#include "common/process.h"
#include "common/words.h"

#define SIZE (200l << 20) /* several of the windows that are read at a time */

static char folder[] = "/tmp/slsuite-test-XXXXXX";

static int make_folder(void **state) {
    return mkdtemp(folder) && chdir(folder) == 0 && mkfifo("fifo", 0600) == 0 ? 0 : -1;
}

static int remove_folder(void **state) {
    return folder_remove(folder, NULL);
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

/* ---- children ---- */

static struct process start(const char *script) {
    const char *const arguments[] = {"another name", "-c", script, NULL};
    const struct process_options options = {.program = "sh", .log = "log"};
    struct error err = {0};
    struct process process;
    assert_int_equal(process_start(arguments, &options, &process, &err), 0);
    return process;
}

static void children_run_side_by_side(void **state) {
    struct process processes[] = {start("read x <>fifo; exit 3"),
                                  {.handle = -1},
                                  start("echo first; echo; echo last >&2; kill -9 $$")};
    assert_int_equal(process_wait(processes, 3, 10000), 2);
    int status = process_reap(&processes[2]);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    autofree char *line = file_last_line("log", 0), *none = file_last_line("log", 1000);
    assert_string_equal(line, "last");
    assert_string_equal(none, "");
    assert_int_equal(process_wait(processes, 3, 10), 3);
    assert_int_equal(kill(processes[0].id, SIGTERM), 0);
    assert_int_equal(process_wait(processes, 3, 10000), 0);
    status = process_reap(&processes[0]);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    assert_int_equal(processes[0].id, 0);
}

static void who_ends_us_ends_the_children(void **state) {
    pid_t us = fork();
    if (us == 0) {
        struct process processes[] = {start("trap 'echo cleared >>log2; exit' TERM; read x <>fifo"),
                                      start("read x <>fifo")};
        usleep(200000);
        raise(SIGINT); /* caught while a child runs */
        while (process_wait(processes, 2, 100) < 2 && process_interrupted())
            for (int i = 0; i < 2; i++)
                process_reap(&processes[i]); /* the last one takes us with it */
        _exit(1);
    }
    int status;
    assert_int_equal(waitpid(us, &status, 0), us);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    autofree char *said = file_last_line("log2", 0);
    assert_string_equal(said, "cleared");
}

/* Below one folder and to one file; the rest it can read. Skipped on kernels without Landlock. */
static void confined_children_write_where_they_may(void **state) {
    const char *const writable[] = {"inside", "file", "missing", NULL};
    struct error err = {0};
    pid_t probe = fork();
    int status;
    if (probe == 0)
        _exit(confine_writing(writable + 2) < 0);
    assert_int_equal(waitpid(probe, &status, 0), probe);
    if (WEXITSTATUS(status))
        skip();
    assert_int_equal(folder_make("inside", &err), 0);
    assert_int_equal(file_write("file", "old", 3, &err), 0);
    static const struct {
        const char *script;
        bool succeeds;
    } cases[] = {
        {"echo new >inside/new && mkdir inside/folder && rm inside/new", true},
        {"echo longer >file && cat log >/dev/null", true},
        {"echo new >outside", false},
        {"rm file", false},
        {"mkdir folder", false},
        {"mv inside/folder .", false},
        {"echo old >>checked", false},
    };
    assert_int_equal(file_write("checked", "", 0, &err), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const arguments[] = {"sh", "-ec", cases[i].script, NULL};
        const struct process_options options = {.log = "log", .writable = writable};
        struct error why = {0};
        int result = process_run(arguments, &options, &why);
        if ((result == 0) != cases[i].succeeds)
            fail_msg("%s: %s", cases[i].script, why.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksum_sees_contents_and_places),
        cmocka_unit_test(checksum_overlooks_where_holes_are),
        cmocka_unit_test(checksum_needs_a_file),
        cmocka_unit_test(words_are_split_as_people_write_them),
        cmocka_unit_test(children_run_side_by_side),
        cmocka_unit_test(who_ends_us_ends_the_children),
        cmocka_unit_test(confined_children_write_where_they_may),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
