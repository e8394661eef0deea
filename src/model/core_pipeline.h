/* What the pipelined core models share: the walk over a step's micro-operations with the accesses
 * they make, and the small parts that time stamps are computed with. In this header because they
 * are inlined into each model's inner loop. */
#ifndef SLS_MODEL_CORE_PIPELINE_H
#define SLS_MODEL_CORE_PIPELINE_H

#include "model/core_access.h"
#include "model/inlining.h"
#include "model/later.h"

/* Takes `width` a cycle, in order. */
struct port {
    uint64_t cycle;
    int left, width; /* left: of `width`, in this cycle; may be one less than none */
};

/* Whether the port takes one more in its cycle, if that is not before `least`; then it is taken,
 * else port_moves() to a later cycle is due. */
static inline bool port_joins(struct port *port, uint64_t least) {
    return least <= port->cycle && --port->left >= 0;
}

static inline uint64_t port_moves(struct port *port, uint64_t cycle) {
    port->left = port->width - 1;
    return port->cycle = cycle;
}

/* The first cycle, not before `least`, in which the port takes one more. */
static inline uint64_t port_take(struct port *port, uint64_t least) {
    return port_joins(port, least) ? port->cycle : port_moves(port, later(port->cycle + 1, least));
}

/* It takes `width` more in this cycle, and none before. */
static inline void port_restart(struct port *port, uint64_t cycle) {
    port->cycle = cycle;
    port->left = port->width;
}

/* Something commits in this cycle; the cycles before it waited for `part`. */
static inline void pipeline_commit(struct core *core, enum model_mode mode, enum stack_part part,
                                   uint64_t cycle) {
    if (cycle <= core->now)
        return;
    struct core_counts *counts = &core->counts[mode];
    counts->cycles += cycle - core->now;
    counts->stack[part] += cycle - core->now - 1;
    counts->stack[STACK_BASE]++;
    core->now = cycle;
}

static inline bool is_access(const struct micro_op *op) {
    return op->op_class == OP_LOAD || op->op_class == OP_STORE;
}

/* A micro-operation at its place in the program. */
struct operation {
    const struct micro_op *op;
    const struct access *access; /* that it makes; NULL: none */
    uint64_t pc;
    enum model_mode mode;
};

/* What a core model does; every function but `execute` may be empty. */
struct pipeline_stages {
    /* The next instruction comes from this segment; `index` of it. */
    void (*fetch)(struct core *core, const struct segment *segment, unsigned index);
    /* Returns the cycle in which it is executed. */
    uint64_t (*execute)(struct core *core, const struct operation *operation);
    /* The instruction was a branch, executed in this cycle.
     * Returns whether it counts as mispredicted. */
    bool (*branch)(struct core *core, const struct instruction *instruction, uint64_t pc,
                   enum model_mode mode, uint64_t executed, bool taken,
                   struct branch_prediction prediction);
};

/* Accesses that no micro-operation is known for (a context saved by one instruction, …). */
static const struct micro_op extra_load = {.op_class = OP_LOAD};
static const struct micro_op extra_store = {.op_class = OP_STORE};

/* The accesses of a step, as its micro-operations make them: eight bytes at a time. */
struct access_cursor {
    const struct access *next, *end;
    unsigned offset; /* of next, that have been made */
};

/* Whether the next access is one of this instruction. */
static inline bool is_of(const struct access_cursor *cursor, unsigned instruction) {
    return cursor->next < cursor->end && cursor->next->instruction == instruction;
}

static inline void next_access(struct access_cursor *cursor) {
    cursor->next++;
    cursor->offset = 0;
}

/* The next piece of this instruction's accesses, if it is of this kind; NULL: there is none.
 * *piece: room for what is part of a wider one. */
static inline const struct access *next_piece(struct access_cursor *cursor, unsigned instruction,
                                              bool store, struct access *piece) {
    if (__builtin_expect(cursor->offset != 0, 0) && cursor->next->store != store)
        next_access(cursor); /* the rest of a wider one was made with it */
    if (!is_of(cursor, instruction) || cursor->next->store != store)
        return NULL;
    if (__builtin_expect(cursor->next->size <= 8, 1))
        return cursor->next++;
    *piece = *cursor->next;
    piece->address += cursor->offset;
    piece->virtual_address += cursor->offset;
    piece->size = 8;
    cursor->offset += 8;
    if (cursor->offset >= cursor->next->size)
        next_access(cursor);
    return piece;
}

/* One instruction: its micro-operations from `op` to `end`, then what
 * accesses it has left. Returns when its branch, if it has one, was
 * executed. One place where `execute` is called: that is inlined. */
INLINE uint64_t pipeline_instruction(struct core *core, const struct micro_op *op,
                                     const struct micro_op *end, uint64_t pc, enum model_mode mode,
                                     struct access_cursor *cursor, unsigned index,
                                     const struct pipeline_stages stages) {
    uint64_t branch = 0;
    struct access piece;
    for (;; op++) {
        struct operation operation = {.op = op, .pc = pc, .mode = mode};
        if (__builtin_expect(op < end, 1)) {
            if (!(op->flags & (MICRO_PLAIN | MICRO_ADDRESS_ONLY)) && is_access(op))
                operation.access = next_piece(cursor, index, op->op_class == OP_STORE, &piece);
        } else if (is_of(cursor, index)) {
            operation.access = cursor->next;
            operation.op = cursor->next->store ? &extra_store : &extra_load;
            next_access(cursor);
        } else {
            return branch;
        }
        uint64_t executed = stages.execute(core, &operation);
        if (__builtin_expect(operation.op->flags & MICRO_BRANCH, 0))
            branch = executed;
    }
}

/* Instructions that the pipeline goes through: also one that did not start, but accessed memory. */
static inline unsigned step_end(const struct step *step) {
    if (__builtin_expect(step->end > 0, 1))
        return step->end;
    return step->access_count || step->segment->code[0].repeats;
}

/* The virtual address of what came after the step; 0: not known. */
static inline uint64_t step_next(const struct step *step) {
    return step->next ? step->next->address : 0;
}

INLINE void pipeline_branch(struct core *core, const struct instruction *instruction, uint64_t pc,
                            enum model_mode mode, uint64_t executed, uint64_t next,
                            const struct pipeline_stages stages) {
    /* An interrupt came in between: nobody knows yet where it goes. */
    bool known = next && (instruction->branch != BRANCH_CONDITIONAL ||
                          next == instruction->target || next == pc + instruction->length);
    if (!known)
        return;
    struct core_counts *counts = &core->counts[mode];
    bool taken = instruction->branch != BRANCH_CONDITIONAL || next != pc + instruction->length;
    struct branch_prediction prediction = branch_predict(core->branch, instruction, pc, next);
    counts->branches++;
    counts->unknown_targets += prediction.outcome == BRANCH_UNKNOWN_TARGET;
    counts->mispredicts += stages.branch(core, instruction, pc, mode, executed, taken, prediction);
}

INLINE void pipeline_run(struct core *core, const struct step *step,
                         const struct pipeline_stages stages) {
    const struct segment *segment = step->segment;
    enum model_mode mode = segment->mode;
    struct core_counts *counts = &core->counts[mode];
    struct access_cursor cursor = {step->accesses, step->accesses + step->access_count, 0};
    const struct micro_op *ops = segment_micro_ops(segment);
    counts->instructions += step->end - step->first;
    unsigned end = step_end(step);
    for (unsigned i = 0; i < end; i++) {
        const struct instruction *instruction = &segment->code[i];
        uint64_t pc = segment->address + segment->instruction[i].offset;
        stages.fetch(core, segment, i);
        const struct micro_op *ops_end = ops + instruction->micro_op_count;
        uint64_t executed = pipeline_instruction(core, ops, ops_end, pc, mode, &cursor, i, stages);
        ops = ops_end;
        if (instruction->branch && core->branch)
            pipeline_branch(core, instruction, pc, mode, executed,
                            i + 1 < end ? pc + instruction->length : step_next(step), stages);
    }
    counts->micro_ops += (uint64_t)(ops - segment_micro_ops(segment));
}

#endif
