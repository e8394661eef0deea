/* What the tests of core models share: the shipped machines, programs for them of decoded x86 code,
 * and what they cost. */
#ifndef SLS_TEST_PROGRAM_H
#define SLS_TEST_PROGRAM_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "decode/decode.h"
#include "model/model.h"
#include "system/system.h"

enum { LINE = 64, PAGE = 4096, CODE = 0x400000, DATA = 0x1000000 };

/* Machines */

static inline struct model_parameters shipped(const char *name) {
    struct error err = {0};
    struct model_parameters parameters;
    autofree char *path = format_string("%s/systems/%s.yaml", getenv("SLS_SOURCE") ?: ".", name);
    if (system_load(path, &parameters, &err) != 0)
        fail_msg("%s", err.text);
    return parameters;
}

static inline struct model *make(const struct model_parameters *parameters) {
    struct parameters_problem problem;
    if (!parameters_check(parameters, &problem))
        fail_msg("%s: %s", problem.key, problem.text);
    struct model *model = model_new(parameters);
    assert_non_null(model);
    return model;
}

static inline struct model *make_shipped(const char *name) {
    struct model_parameters parameters = shipped(name);
    return make(&parameters);
}

static inline uint64_t *read_values(struct model *model) {
    uint64_t *values = calloc(model_statistic_count(model), sizeof *values);
    assert_non_null(values);
    model_read_statistics(model, values);
    return values;
}

static inline uint64_t value_of(struct model *model, const char *name) {
    autofree uint64_t *values = read_values(model);
    for (size_t i = 0; i < model_statistic_count(model); i++)
        if (strcmp(model_statistic(model, i)->name, name) == 0)
            return values[i];
    fail_msg("no statistic %s", name);
    return 0;
}

static inline uint64_t cycles_of(const struct model *model, unsigned core) {
    return model_cycles(model, core, MODEL_USER) + model_cycles(model, core, MODEL_KERNEL);
}

/* Programs */

/* A segment with its decoded instructions, in one block of memory. */
struct code {
    /* with room for their micro-operations behind them (which are no larger) */
    struct instruction instruction[SEGMENT_MOST * (1 + DECODE_MOST)];
    struct segment segment;
    struct segment_instruction places[SEGMENT_MOST]; /* the segment's own */
};

/* Code that lies at its physical address; fetched eight bytes at a time. */
static inline struct code *assemble(uint64_t address, const void *bytes, size_t size) {
    struct code *code = calloc(1, sizeof *code);
    assert_non_null(code);
    struct segment *segment = &code->segment;
    *segment = (struct segment){.address = address, .line = address, .code = code->instruction};
    struct micro_op all[SEGMENT_MOST * DECODE_MOST], *ops = all;
    uint64_t fetches = 0;
    for (size_t offset = 0; offset < size; segment->count++) {
        struct instruction *instruction = &code->instruction[segment->count];
        assert_in_range(segment->count, 0, SEGMENT_MOST - 1);
        decode_instruction((const uint8_t *)bytes + offset, (unsigned)(size - offset),
                           address + offset, instruction, ops);
        ops += instruction->micro_op_count;
        uint64_t first = address + offset, last = first + instruction->length - 1;
        fetches += last / 8 - first / 8 + 1;
        segment->instruction[segment->count] =
            (struct segment_instruction){(uint8_t)offset, (uint8_t)fetches};
        offset += instruction->length;
    }
    memcpy(&code->instruction[segment->count], all, (size_t)((char *)ops - (char *)all));
    segment->spills = address / LINE != (address + size - 1) / LINE;
    return code;
}
#define ASSEMBLE(address, bytes) assemble(address, bytes, sizeof(bytes) - 1)

static inline struct code *repeat(uint64_t address, const char *bytes, size_t size,
                                  unsigned times) {
    char all[LINE];
    assert_in_range(size * times, 1, sizeof all);
    for (unsigned i = 0; i < times; i++)
        memcpy(all + i * size, bytes, size);
    return assemble(address, all, size * times);
}
#define REPEAT(address, bytes, times) repeat(address, bytes, sizeof(bytes) - 1, times)

static inline struct access access_at(unsigned instruction, uint64_t address, uint8_t size,
                                      bool store) {
    return (struct access){.address = address,
                           .virtual_address = address,
                           .size = size,
                           .instruction = (uint8_t)instruction,
                           .store = store};
}

static inline struct access load_of(uint64_t address) {
    return access_at(0, address, 8, false);
}

/* All of a segment, on core 0; `next`: the address of what comes behind it, 0 if that is not known.
 * Returns the cycles it took. */
static inline uint64_t run(struct model *model, const struct code *code,
                           const struct access *accesses, unsigned count, uint64_t next) {
    uint64_t before = cycles_of(model, 0);
    struct segment there = {.address = next};
    model_run(model, 0,
              &(struct step){.segment = &code->segment,
                             .end = code->segment.count,
                             .accesses = accesses,
                             .access_count = count,
                             .next = next ? &there : NULL});
    return cycles_of(model, 0) - before;
}

static inline uint64_t run_often(struct model *model, const struct code *code, unsigned times) {
    uint64_t cycles = 0;
    while (times--)
        cycles += run(model, code, NULL, 0, 0);
    return cycles;
}

static inline uint64_t next_random(uint64_t *state) {
    uint64_t x = *state;
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    return *state = x;
}

/* Some code */

#define ADD_RAX "\x48\x01\xc0"   /* add rax, rax */
#define LOAD_RAX "\x48\x8b\x03"  /* mov rax, [rbx] */
#define CHASE_RAX "\x48\x8b\x00" /* mov rax, [rax] */
#define STORE_RAX "\x48\x89\x03" /* mov [rbx], rax */
#define NOP "\x90"
#define RDTSC "\x0f\x31"

#endif
