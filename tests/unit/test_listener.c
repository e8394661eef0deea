/* What command lines are on this computer, where ports are others than in the guest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "image/listener.h"

static json_t *load(const char *text) {
    json_t *value = json_loads(text, 0, NULL);
    assert_non_null(value);
    return value;
}

static void check(const json_t *arguments, size_t index, const char *wanted) {
    assert_string_equal(json_string_value(json_array_get(arguments, index)), wanted);
}

static void test_words(void **state) {
    (void)state;
    struct error err;
    struct function function = {
        .yaml = load(
            "{\"port\": \"50051\", \"entrypoint\": [\"/server\", \"-addr=0.0.0.0:50051\", "
            "\"-p50051\", \"150051\","
            " \"50051.5\", \"10.0.0.0\", \"redis://redis:6379/0\", \"my-redis:6379\","
            " \"redis:63790\", \"6379\", \"My_Redis:6379\"],"
            " \"services\": {\"redis\": {\"names\": [\"My_Redis\"], \"port\": \"6379\", "
            "\"entrypoint\":"
            " [\"redis-server\", \"--port\", \"6379\", \"/6379.conf\", \"50051\"]},"
            " \"fixed\": {\"port\": \"7000\", \"entrypoint\": [\"/fixed\", \"redis:6379\"]}}}")};
    struct listeners listeners = {0};
    assert_int_equal(listeners_find(&function, 8080, &listeners, &err), 0);
    assert_int_equal(listeners.count, 3);
    const struct listener *redis = &listeners.listener[0], *fixed = &listeners.listener[1],
                          *own = &listeners.listener[2];
    autofree char *number = format_string("%u", redis->number);
    autofree char *address = format_string("127.0.0.1:%u", redis->number);
    autofree char *url = format_string("redis://%s/0", address);
    const char *const wanted[] = {
        "/server", "-addr=127.0.0.1:8080", "-p8080",      "150051", "50051.5", "10.0.0.0",
        url,       "my-redis:6379",        "redis:63790", "6379",   address};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        check(own->arguments, i, wanted[i]);
    check(redis->arguments, 2, number);
    check(redis->arguments, 3, "/6379.conf");
    check(redis->arguments, 4, "50051");
    check(fixed->arguments, 1, address);
    assert_int_equal(fixed->number, 7000); /* which its entry point does not name */
    assert_false(listener_can_move(fixed->entrypoint, fixed->port));
    assert_true(listener_can_move(own->entrypoint, own->port));
    listeners_free(&listeners);
    json_decref(function.yaml);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
