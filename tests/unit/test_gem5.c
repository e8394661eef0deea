/* What gem5 24.0 wrote of three invocations of aes-c, and what it is told of a system. */
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
#include "engine/gem5_job.h"
#include "engine/gem5_stats.h"
#include "results/samples.h"
#include "system/system.h"

static char path[] = "/tmp/slsuite-test-gem5-XXXXXX";

static char *data(const char *name) {
    return format_string("%s/tests/data/%s", getenv("SLS_SOURCE"), name);
}

static void check_text(const json_t *system, const char *key, const char *text) {
    assert_string_equal(json_string_value(json_object_get(system, key)), text);
}

static void check_number(const json_t *system, const char *key, json_int_t number) {
    assert_true(json_is_integer(json_object_get(system, key)));
    assert_int_equal(json_integer_value(json_object_get(system, key)), number);
}

static json_t *load(const char *name) {
    autofree char *file = format_string("%s/systems/%s.yaml", getenv("SLS_SOURCE"), name);
    struct model_parameters parameters;
    struct error err = {0};
    assert_int_equal(system_load(file, &parameters, &err), 0);
    return gem5_system(&parameters);
}

/* Every parameter that applies, in base units, and no other. */
static void systems_are_told_in_base_units(void **state) {
    json_t *simple = load("simple"), *skylake = load("skylake");
    check_number(simple, "clock", 2500000000);
    check_number(simple, "caches.l1i.size", 16384);
    check_number(simple, "caches.l1i.tag_latency", 1);
    check_number(simple, "memory.latency", 50000);
    check_number(simple, "memory.size", 2147483648);
    check_text(simple, "core.model", "blocking");
    check_text(simple, "caches.l1d.prefetcher.name", "none");
    assert_null(json_object_get(simple, "core.window"));
    assert_null(json_object_get(simple, "caches.l2.size"));
    check_number(skylake, "core.window", 224);
    check_number(skylake, "caches.l2.size", 1 << 20);
    check_text(skylake, "branch.direction", "ltage");
    check_text(skylake, "core.operations.int_div.unit", "multiply");
    check_number(skylake, "core.operations.int_div.latency", 20);
    json_decref(simple);
    json_decref(skylake);
}
