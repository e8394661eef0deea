/* Parts of the device state that QEMU 10.0 saved (sections timer and apic), at the stop of one and
 * the same guest: once as it stopped, once, on a busy host, after core 1's timer had gone off. */
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
#include "engine/state.h"

#define GUEST_CLOCK 894818827 /* what the guest had read */
#define TIMER 896873846       /* when core 1's timer was due */

static char path[] = "/tmp/slsuite-test-state-XXXXXX";

static int set_clocks(const char *name, uint64_t guest_clock) {
    autofree char *from = format_string("%s/tests/data/%s", getenv("SLS_SOURCE"), name);
    struct error err = {0};
    assert_int_equal(file_copy(from, path, &err), 0);
    int result = state_set_clocks(path, guest_clock, &err);
    if (result < 0)
        print_message("%s\n", err.text);
    return result;
}

static void test_as_it_stopped(void **state) {
    assert_int_equal(set_clocks("state-stopped", GUEST_CLOCK), 0);
    size_t size;
    autofree char *once = file_read(path, &size, NULL);
    assert_int_equal(set_clocks("state-stopped", GUEST_CLOCK + 1), 0);
    autofree char *later = file_read(path, &size, NULL);
    assert_memory_not_equal(once, later, size);
}

static void test_went_on_after_its_stop(void **state) {
    assert_int_equal(set_clocks("state-late", GUEST_CLOCK), STATE_LATE);
    assert_int_equal(set_clocks("state-late", TIMER - 10000), STATE_LATE);
}

/* Before the stop a timer may go off as it likes: it does so each time. */
static void test_timer_before_the_stop(void **state) {
    assert_int_equal(set_clocks("state-late", TIMER - 100), 0);
    assert_int_equal(set_clocks("state-late", TIMER + 10000), 0);
}

static void test_no_state(void **state) {
    assert_int_equal(set_clocks("gem5-stats.txt", GUEST_CLOCK), -1);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_it_stopped),
        cmocka_unit_test(test_went_on_after_its_stop),
        cmocka_unit_test(test_timer_before_the_stop),
        cmocka_unit_test(test_no_state),
    };
    close(mkstemp(path));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
