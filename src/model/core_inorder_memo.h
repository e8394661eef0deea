/* What the in-order pipeline did before, it does again: its timing of a step is looked up instead
 * of computed, with exactly the same result (the idea: Schnarr and Larus, "Fast Out-Of-Order
 * Processor Simulation Using Memoization", ASPLOS 1998). */
#ifndef SLS_MODEL_CORE_INORDER_MEMO_H
#define SLS_MODEL_CORE_INORDER_MEMO_H

#include "model/core_inorder.h"

extern const size_t inorder_memo_size; /* bytes behind inorder->entries, for inorder->memo */
/* The rest of the core's state has been set. */
void inorder_memo_init(struct core *core);

/* True: the step is done. False: the pipeline is due,
 * which stands where the step before left it. */
bool inorder_memo_run(struct core *core, const struct step *step);

/* The pipeline has done the step, but for its branch. (Nothing is done if it has been called for
 * this step before.) */
void inorder_memo_learn(struct core *core);

/* The segments that were seen are about to go. */
void inorder_memo_forget(struct core *core);

/* For tests: from now on everything is computed. */
void inorder_memo_off(struct core *core);

#endif
