/* Branch prediction of one core: direction, targets, returns, put together as in gem5 24.0
 * (src/cpu/pred/bpred_unit.cc): conditional branches ask the direction predictor, and the branch
 * target buffer for where to; returns the return address stack; indirect jumps and calls the
 * indirect target predictor.
 *
 * A trace-driven model asks and teaches in one go: every branch is predicted with the history of
 * those before it, then trained with what it did, as if each had been resolved before the next was
 * fetched. Not modelled, therefore:
 * - the wrong path: its branches train nothing, leave nothing in histories and on the return stack,
 *   and are not counted when they are themselves mispredicted;
 * - the delay between prediction and training: a branch that comes back while it is still in flight
 *   finds its counters trained already. Only ltage's loop predictor waits, for the sake of gem5;
 * - the branches within microcode (of rep-prefixed instructions), which gem5 predicts too.
 *
 * A direction predictor is one file like branch_bimodal.c
 * and one line in the table of branch_direction.c. */
#ifndef SLS_MODEL_BRANCH_H
#define SLS_MODEL_BRANCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/instruction.h"
#include "model/parameters.h"

/* One way to guess the direction of conditional branches. */
struct direction_predictor {
    const char *name;
    /* Bytes of its state for these parameters; the state is zeroed, then init() is called. */
    size_t (*size)(const struct branch_parameters *parameters);
    void (*init)(void *state, const struct branch_parameters *parameters);
    /* Predict the conditional branch at this address, then learn that it was `taken`. Returns the
     * prediction. NULL: nothing is predicted, fetch goes on behind every branch. */
    bool (*predict)(void *state, uint64_t address, bool taken);
    /* An unconditional branch (always taken) goes into the global history. NULL: it does not. */
    void (*unconditional)(void *state, uint64_t address, uint64_t target);
    /* Whether it can have these parameters: NULL, or what is wrong ("why: what is legal"), with
     * *key the parameter to blame ("branch.size", …). NULL function: any. */
    const char *(*check)(const struct branch_parameters *parameters, const char **key);
};
extern const char *const direction_names[]; /* NULL-terminated, for the parameters' table */
const struct direction_predictor *direction_find(const char *name); /* NULL: none of this name */

struct branch_unit;

/* NULL when memory is out. The parameters must have passed parameters_check(). */
struct branch_unit *branch_unit_new(const struct branch_parameters *parameters);
void branch_unit_free(struct branch_unit *unit);
/* As if it were new. The parameters must be those that it was made of. */
void branch_unit_flush(struct branch_unit *unit, const struct branch_parameters *parameters);

enum branch_outcome {
    BRANCH_PREDICTED,       /* fetch went on where execution did */
    BRANCH_WRONG_DIRECTION, /* conditional: known when it executes */
    BRANCH_WRONG_TARGET,    /* indirect or return: known when it executes */
    BRANCH_UNKNOWN_TARGET,  /* direct, taken, and not expected to fall through, but the BTB does not
                               have its target. gem5's MinorCPU learns it when the branch executes.
                               Its O3CPU computes it at decode and does not count a mispredict if
                               the branch is unconditional or predicted_taken (the BTB had another
                               branch's target); else fetch goes on behind it, it is resolved when
                               it executes, and counted */
};

struct branch_prediction {
    enum branch_outcome outcome;
    bool
        predicted_taken; /* fetch went on elsewhere than behind it; no target, no such prediction */
    uint64_t next;       /* where fetch went on */
};

/* Predict this branch, learn what it did. `next`: where execution went. Of a conditional branch
 * that is its target or the instruction behind it; a direct unconditional one goes to its target,
 * whatever `next` says (an interrupt may have come in between). */
struct branch_prediction branch_predict(struct branch_unit *unit, const struct instruction *branch,
                                        uint64_t address, uint64_t next);

#endif
