/* src/image/store.h: whoever is killed, at whichever of its system calls: an entry is there whole
 * or not at all, and the next one clears what was left and goes on. */
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "engine/checkpoint.h"
#include "image/store.h"

#define KIND CHECKPOINTS /* checkpoint_remove() knows no other */
#define NAME "one"

static char cache[] = "/dev/shm/slsuite-test-XXXXXX", other_cache[] = "/tmp/slsuite-test-XXXXXX";
static const char *place; /* of both the one that there is; memory, where flushing takes no time */
static char *folder, *entry_path, *unfinished;

static int set_up(void **state) {
    place = mkdtemp(cache) ?: mkdtemp(other_cache);
    if (!place || setenv("SLSUITE_CACHE", place, 1) < 0)
        return -1;
    folder = format_string("%s/%s", place, KIND);
    entry_path = format_string("%s/%s", folder, NAME);
    unfinished = format_string("%s/.%s.tmp", folder, NAME);
    return 0;
}

static int tear_down(void **state) {
    free(folder);
    free(entry_path);
    free(unfinished);
    return folder_remove(place, NULL);
}

/* What an entry holds: files written at once and bit by bit, and a folder. */
static int fill(const struct store_entry *entry, const char *version, struct error *err) {
    autofree char *state = store_file(entry, "state"), *below = store_file(entry, "below");
    autofree char *about = store_file(entry, "below/about"), *ram = store_file(entry, "ram");
    if (file_write(state, version, strlen(version), err) < 0 || folder_make(below, err) < 0 ||
        file_write(about, version, strlen(version), err) < 0)
        return -1;
    autoclose int fd = open(ram, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
    for (const char *byte = version; *byte; byte++)
        if (write(fd, byte, 1) != 1)
            return error_errno(err, "cannot write %s", ram);
    return 0;
}

static int commit(struct store_entry *entry, const char *version, struct error *err) {
    int result = fill(entry, version, err);
    if (result == 0)
        result = store_commit(entry, err);
    store_close(entry);
    return result;
}

/* As every maker of the cache does it. */
static int make(struct error *err) {
    struct store_entry entry = {.lock = -1};
    if (store_open(&entry, KIND, NAME, err) == 0 && entry.work)
        return commit(&entry, "new", err);
    store_close(&entry);
    return err->status ? -1 : 0;
}

static int put(const char *version, struct error *err) {
    struct store_entry entry = {.lock = -1};
    if (store_begin(&entry, folder, NAME, err) == 0)
        return commit(&entry, version, err);
    store_close(&entry);
    return -1;
}

static int replace(struct error *err) {
    return put("new", err);
}

static int withdraw(struct error *err) {
    return file_exists(entry_path) ? store_remove(folder, NAME, err) : 0;
}

static int prune(struct error *err) {
    return file_exists(entry_path) ? checkpoint_remove(KIND, NAME, err) : 0;
}

/* Of what a killed maker left. */
static int clear(struct error *err) {
    store_remove_unfinished(KIND);
    return 0;
}

/* The version that is there, "" if none is; and that it is whole. */
static const char *look(void) {
    static char version[16];
    *version = '\0';
    if (!file_exists(entry_path))
        return version;
    static const char *const names[] = {"state", "below/about", "ram"};
    for (int i = 0; i < 3; i++) {
        autofree char *path = format_string("%s/%s", entry_path, names[i]);
        autofree char *text = file_read(path, NULL, NULL);
        assert_non_null(text);
        if (i > 0)
            assert_string_equal(text, version);
        snprintf(version, sizeof version, "%s", text);
    }
    assert_true(strcmp(version, "new") == 0 || strcmp(version, "old") == 0);
    autofree char *all = format_string("%s/*", entry_path);
    glob_t found;
    assert_int_equal(glob(all, 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 3); /* and nothing that a killed one left */
    globfree(&found);
    return version;
}

/* In a child, which is killed as it begins its call number `last`. False: it had ended before. */
static bool act_and_be_killed(int (*act)(struct error *err), unsigned last) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct error err = {0};
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
            _exit(2);
        raise(SIGSTOP);
        _exit(act(&err) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
        skip(); /* processes may not watch each other here */
    for (unsigned stops = 0; WIFSTOPPED(status); stops++) { /* two a call */
        if (stops == 2 * last - 1)
            kill(child, SIGKILL);
        ptrace(PTRACE_SYSCALL, child, NULL, NULL);
        assert_int_equal(waitpid(child, &status, 0), child);
    }
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return true;
    }
    assert_int_equal(status, 0);
    return false;
}

/* Does it, killed at each call in turn; what is there then is one of these versions, and whole.
 * A second one is killed at the same call, where it may be clearing what the first one left; a
 * third one is left alone, and what has to be there then is `after`. */
static void kill_at_each_call(int (*act)(struct error *err), const char *before, const char *left,
                              const char *after) {
    unsigned call = 1;
    for (bool killed = true; killed; call++) {
        struct error err = {0};
        assert_int_equal(folder_remove(folder, &err), 0);
        assert_int_equal(folder_make(folder, &err), 0);
        if (*before)
            assert_int_equal(put(before, &err), 0);
        if (*left) {
            autofree char *file = format_string("%s/%s", unfinished, left);
            assert_int_equal(folder_make(unfinished, &err), 0);
            assert_int_equal(file_write(file, "half", 4, &err), 0);
        }
        killed = act_and_be_killed(act, call);
        const char *version = look();
        assert_true(strcmp(version, before) == 0 || strcmp(version, after) == 0);
        act_and_be_killed(act, call);
        version = look();
        assert_true(strcmp(version, before) == 0 || strcmp(version, after) == 0);

        assert_int_equal(act(&err), 0);
        assert_string_equal(look(), after);
        store_remove_unfinished(KIND); /* of a killed one, when the last one had nothing to do */
        glob_t found;
        autofree char *hidden = format_string("%s/.[!.]*", folder);
        if (glob(hidden, 0, NULL, &found) == 0)
            for (size_t i = 0; i < found.gl_pathc; i++)
                assert_non_null(strstr(found.gl_pathv[i], ".lock"));
        globfree(&found);
    }
    assert_in_range(call, 15, 1000);
}

static void test_making(void **state) {
    kill_at_each_call(make, "", "", "new");
}

static void test_making_after_one_that_was_killed(void **state) {
    kill_at_each_call(make, "", "stray", "new");
}

static void test_replacing(void **state) {
    kill_at_each_call(replace, "old", "", "new");
}

static void test_withdrawing(void **state) {
    kill_at_each_call(withdraw, "old", "stray", "");
}

static void test_pruning(void **state) {
    kill_at_each_call(prune, "old", "", "");
}

static void test_clearing(void **state) {
    kill_at_each_call(clear, "old", "stray", "old");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_making),    cmocka_unit_test(test_making_after_one_that_was_killed),
        cmocka_unit_test(test_replacing), cmocka_unit_test(test_withdrawing),
        cmocka_unit_test(test_pruning),   cmocka_unit_test(test_clearing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
