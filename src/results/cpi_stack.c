#include "results/cpi_stack.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/intervals.h"

const struct stack_part stack_parts[STACK_PARTS] = {
    {"base", "base", "base"},
    {"structural", "structural", "structural"},
    {"branch", "branch", "branch mispredicts"},
    {"fetchL2", "fetch_l2", "code from L2"},
    {"fetchL3", "fetch_l3", "code from L3"},
    {"fetchLlc", "fetch_llc", "code from LLC"},
    {"fetchMemory", "fetch_memory", "code from memory"},
    {"itlb", "itlb", "ITLB"},
    {"dataL2", "data_l2", "data from L2"},
    {"dataL3", "data_l3", "data from L3"},
    {"dataLlc", "data_llc", "data from LLC"},
    {"dataMemory", "data_memory", "data from memory"},
    {"dataUpgrade", "data_upgrade", "right to write"},
    {"dtlb", "dtlb", "DTLB"},
    {"uncached", "uncached", "uncached"},
};

static ssize_t find(const struct run_results *run, const char *part, enum mode mode) {
    char name[100];
    snprintf(name, sizeof name, "system.cpu%u.cpiStack.%s::%s", run->measured_core, part,
             mode_names[mode]);
    return samples_find(run->samples, name);
}

/* Returns how many parts there are, or -1. */
static int find_parts(const struct run_results *run, struct cpi_stack *stack, struct error *err) {
    int count = 0;
    for (int part = 0; part < STACK_PARTS; part++) {
        int found = 0;
        for (int mode = 0; mode < MODES; mode++) {
            ssize_t index = find(run, stack_parts[part].statistic, mode);
            found += index >= 0;
            stack->statistics[part][mode] = index >= 0 ? (size_t)index : 0;
        }
        if (found > 0 && found < MODES)
            return error_set(err, "taking the measurements: cpiStack.%s is not of all modes",
                             stack_parts[part].statistic);
        stack->present[part] = found == MODES;
        count += stack->present[part];
    }
    return count;
}

static int check_sums(const struct invocations *invocations, const struct cpi_stack *stack,
                      struct error *err) {
    for (size_t i = 0; i < invocations->count; i++)
        for (int mode = 0; mode < MODES; mode++) {
            const struct invocation *one = &invocations->list[i];
            double cycles = one->metrics[CYCLES][mode];
            uint64_t sum = 0;
            for (int part = 0; part < STACK_PARTS; part++)
                if (stack->present[part])
                    sum += invocation_value(one, stack->statistics[part][mode]);
            if ((double)sum != cycles)
                return error_set(err,
                                 "taking the measurements: %s %" PRIu64
                                 ": the parts of the CPI stack are %" PRIu64
                                 " %s cycles and not %.0f: the timing model is wrong",
                                 interval_name(invocations->run), one->id, sum, mode_names[mode],
                                 cycles);
        }
    return 0;
}

int cpi_stack_find(const struct invocations *invocations, struct cpi_stack **stack,
                   struct error *err) {
    struct cpi_stack *found = calloc(1, sizeof *found);
    if (!found)
        abort();
    int count = find_parts(invocations->run, found, err);
    if (count > 0 && check_sums(invocations, found, err) == 0) {
        *stack = found;
        return 0;
    }
    free(found);
    *stack = NULL;
    return count == 0 ? 0 : -1;
}

double cpi_stack_cycles(const struct invocations *invocations, const struct invocation *one,
                        int part, enum mode mode) {
    const struct cpi_stack *stack = invocations->stack;
    if (!stack->present[part])
        return 0;
    size_t statistic = stack->statistics[part][mode];
    if (one)
        return (double)invocation_value(one, statistic);
    double sum = 0;
    for (size_t i = 0; i < invocations->count; i++)
        sum += (double)invocation_value(&invocations->list[i], statistic);
    return sum / (double)invocations->sharers;
}
