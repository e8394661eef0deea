/* What cores need to know of an instruction: its micro-operations with the registers they read and
 * write, and what kind of branch it is. Decoded once, when the code is translated (src/decode);
 * read-only afterwards.
 *
 * Micro-operations are cut as gem5's x86 microcode cuts them (src/arch/x86/isa/insts of gem5 24.0),
 * so that widths and windows mean the same: an addition from memory is a load and an addition; a
 * push is a store and a subtraction; a call writes the return address, the stack pointer and the
 * instruction pointer. */
#ifndef SLS_MODEL_INSTRUCTION_H
#define SLS_MODEL_INSTRUCTION_H

#include <stdbool.h>
#include <stdint.h>

enum op_class {
    OP_NOTHING, /* no unit, no latency: NOP, fences that only order */
    OP_INT_ALU,
    OP_INT_MUL,
    OP_INT_DIV,
    OP_FP_ADD, /* scalar and packed floating point, x87 */
    OP_FP_CMP,
    OP_FP_CVT,
    OP_FP_MUL,
    OP_FP_DIV,
    OP_FP_SQRT,
    OP_FP_MISC,
    OP_SIMD_INT, /* packed integers: add, logic, compare, shift, shuffle */
    OP_SIMD_MUL,
    OP_SIMD_MISC, /* moves between register files and all else that is packed */
    OP_LOAD,
    OP_STORE,
    OP_SYSTEM, /* control and model-specific registers, CPUID, … */
    OP_CLASSES
};

/* Registers as micro-operations name them. Register 0 is none: always ready. */
enum {
    REGISTER_NONE,
    REGISTER_INTEGER = 1,           /* rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 … r15 */
    REGISTER_TEMPORARY = 17,        /* the microcode's own, t0 … t15 */
    REGISTER_FLAGS = 33,            /* five parts that are renamed apart: see below */
    REGISTER_VECTOR = 38,           /* each XMM register as two halves, low and high */
    REGISTER_X87 = 70,              /* mm0 … mm7 */
    REGISTER_VECTOR_TEMPORARY = 78, /* the microcode's own, eight halves */
    REGISTERS = 86
};
enum { FLAGS_ZAPS, FLAGS_CFOF, FLAGS_DF, FLAGS_ECF, FLAGS_EZF };

enum micro_op_flags {
    MICRO_SERIALIZE_BEFORE = 1, /* waits until all before it have committed */
    MICRO_SERIALIZE_AFTER = 2,  /* nothing behind it starts before it has committed */
    MICRO_BRANCH = 4,        /* decides where execution goes on; an instruction has at most one */
    MICRO_LOCKED = 8,        /* part of an atomic access */
    MICRO_ADDRESS_ONLY = 16, /* OP_LOAD, OP_STORE that reaches no memory: prefetch hints */
    /* None of these, nor OP_NOTHING, OP_LOAD or OP_STORE, and at most two sources, as most are: one
     * test tells a core that. */
    MICRO_PLAIN = 32
};

#define MICRO_SOURCES 6
#define MICRO_DESTINATIONS 4

struct micro_op {
    uint8_t op_class; /* enum op_class */
    uint8_t flags;
    uint8_t source[MICRO_SOURCES];           /* REGISTER_NONE where unused, at the end */
    uint8_t destination[MICRO_DESTINATIONS]; /* the same */
};

enum branch_kind {
    BRANCH_NONE,
    BRANCH_CONDITIONAL,
    BRANCH_JUMP, /* direct, unconditional */
    BRANCH_INDIRECT,
    BRANCH_CALL,
    BRANCH_INDIRECT_CALL,
    BRANCH_RETURN,
};

struct instruction {
    uint64_t target;        /* direct branches: where to, virtual */
    uint8_t micro_op_count; /* at least 1 */
    uint8_t length;         /* bytes */
    uint8_t branch;         /* enum branch_kind */
    bool repeats; /* rep-prefixed string instruction: its micro-operations are one iteration's */
};

#endif
