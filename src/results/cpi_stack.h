/* The CPI stack: every cycle of the measured core under the one thing that it was spent on. The
 * model declares a statistic `system.cpuN.cpiStack.PART` a part and mode (docs/methodology.md says
 * what each part means); parts that a system cannot have are absent. */
#ifndef SLS_RESULTS_CPI_STACK_H
#define SLS_RESULTS_CPI_STACK_H

#include "results/invocations.h"

enum { STACK_PARTS = 15 };

struct stack_part {
    const char *statistic; /* the last part of its name */
    const char *key;       /* in CSV and JSON, and its colour's class in report_style.h */
    const char *title;     /* for people */
};
extern const struct stack_part stack_parts[STACK_PARTS]; /* in their order, from below */

struct cpi_stack {
    bool present[STACK_PARTS];
    size_t statistics[STACK_PARTS][MODES]; /* their indices; only of what is present */
};

/* *stack is NULL when the system has none; the caller frees it. An error if the parts of any
 * invocation do not add up to its cycles, exactly, in each mode. */
int cpi_stack_find(const struct invocations *invocations, struct cpi_stack **stack,
                   struct error *err);

/* Cycles of a part in one invocation (NULL: the mean of all). 0 where the part is not present. */
double cpi_stack_cycles(const struct invocations *invocations, const struct invocation *one,
                        int part, enum mode mode);

#endif
