/* Recipes of jumps, the stack, flags, string instructions and the machine's state. */
#include "decode/recipe.h"

#define JUMP_IF AS(ANY, {RDIP, T1}, {LIMM, T2}, {WRIP_IF, NONE, T1, T2})
#define LOOP_IF AS(ANY, {RDIP, T1}, {SUB, RCX, RCX, NONE, EZF, 8}, {WRIP_IF, NONE, T1})
#define JUMP_RCX AS(ANY, {RDIP, T1}, {ADD, NONE, RCX, NONE, EZF, 8}, {WRIP_IF, NONE, T1})

#define PUSH_OF(place) STEPS({ST, place, RSP}, {SUB, RSP, RSP, .size = 8})
#define POP_TO(place) STEPS({LD, place, RSP, .size = 8}, {ADD, RSP, RSP, .size = 8})

#define CHANGE_FLAGS(operation)                                                                    \
    AS(ANY, {RUFLAGS, T1}, {LIMM, T2}, {operation, T1, T1, T2}, {WRUFLAGS, NONE, T1})
/* Interrupts on or off: compares privilege levels first. */
#define CHANGE_INTERRUPTS(operation)                                                               \
    AS(ANY, {RFLAGS, T1}, {SRL, T2, T1, .size = 8}, {AND, T2, T1, .size = 8}, {RDVAL, T3},         \
       {SRL, T3, T3, .size = 8}, {AND, T3, T3, .size = 8}, {SUB, NONE, T2, T3, ECF, 8}, {BR},      \
       {LIMM, T2, .size = 8}, {operation, T1, T1, T2, .size = 8}, {WRFLAGS, NONE, T1})

/* +1 or -1 element, as DF says. */
#define STRIDE(to, negative)                                                                       \
    STEPS({RUFLAG}, {MOV_IF, to, to, .size = 8}, {SUB, negative, .size = 8},                       \
          {MOV_IF, to, to, negative, .size = 8})
#define COUNT_DOWN STEPS({SUB, RCX, RCX, NONE, EZF, 8})
#define STEP(index, stride) STEPS({ADD, index, index, stride, .size = 8})
#define MOVE_STRING STEPS({LD, T1, RSI}, {ST, T1, RDI})
#define STORE_STRING STEPS({ST, RAX, RDI})
#define LOAD_STRING STEPS({LD, RAX, RSI})
#define COMPARE_STRINGS STEPS({LD, T1, RSI}, {LD, T2, RDI}, {SUB, NONE, T1, T2, ARITHMETIC})
#define SCAN_STRING STEPS({LD, T1, RDI}, {SUB, NONE, RAX, T1, ARITHMETIC})
#define MOVE                                                                                       \
    AS(ANY, STRIDE(T3, T4), MOVE_STRING, STEP(RDI, T3), STEP(RSI, T3)),                            \
        AS(REPEATED, MOVE_STRING, COUNT_DOWN, STEP(RDI, T3), STEP(RSI, T3), {BR})
#define STORE                                                                                      \
    AS(ANY, STRIDE(T3, T4), STORE_STRING, STEP(RDI, T3)),                                          \
        AS(REPEATED, STORE_STRING, COUNT_DOWN, STEP(RDI, T3), {BR})
#define LOAD                                                                                       \
    AS(ANY, STRIDE(T3, T4), LOAD_STRING, STEP(RSI, T3)),                                           \
        AS(REPEATED, LOAD_STRING, COUNT_DOWN, STEP(RSI, T3), {BR})
#define COMPARE                                                                                    \
    AS(ANY, STRIDE(T3, T4), COMPARE_STRINGS, STEP(RDI, T3), STEP(RSI, T3)),                        \
        AS(REPEATED, COMPARE_STRINGS, COUNT_DOWN, STEP(RDI, T3), STEP(RSI, T3), {BR})
#define SCAN                                                                                       \
    AS(ANY, STRIDE(T2, T3), SCAN_STRING, STEP(RDI, T2)),                                           \
        AS(REPEATED, SCAN_STRING, COUNT_DOWN, STEP(RDI, T2), {BR})

/* A segment's selector, base, limit and attributes. */
#define SET_SEGMENT(selector)                                                                      \
    STEPS({WRVAL, NONE, selector}, {WRVAL}, {WRVAL, NONE, T1}, {LIMM, T4}, {WRVAL, NONE, T4})
#define DESCRIPTOR(selector)                                                                       \
    STEPS({AND, NONE, selector, NONE, EZF}, {BR}, {AND, T6, selector},                             \
          {AND, NONE, selector, NONE, EZF}, {BR}, {LD, T8, T6})

#define SELECT_SEGMENT                                                                             \
    STEPS({AND, NONE, T1, NONE, EZF}, {BR}, {SYSTEM, NONE, T1}, {WRVAL, NONE, T1},                 \
          {SERIALIZE_AFTER, NONE, T1})

#define FLUSH AS(MEMORY, {CDA}, {MFENCE})
#define HINT AS(MEMORY, {PREFETCH})
/* Tables of descriptors: a limit and a base. */
#define LOAD_TABLE AS(MEMORY, {LD, T2}, {LD, T3}, {WRVAL, NONE, T3}, {SERIALIZE_AFTER, NONE, T2})
#define STORE_TABLE AS(MEMORY, {RDVAL, T1}, {RDVAL, T2}, {ST, T1}, {ST, T2})

static const struct recipe *const recipes[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
    ON(JB, JUMP_IF),
    ON(JBE, JUMP_IF),
    ON(JL, JUMP_IF),
    ON(JLE, JUMP_IF),
    ON(JNB, JUMP_IF),
    ON(JNBE, JUMP_IF),
    ON(JNL, JUMP_IF),
    ON(JNLE, JUMP_IF),
    ON(JNO, JUMP_IF),
    ON(JNP, JUMP_IF),
    ON(JNS, JUMP_IF),
    ON(JNZ, JUMP_IF),
    ON(JO, JUMP_IF),
    ON(JP, JUMP_IF),
    ON(JS, JUMP_IF),
    ON(JZ, JUMP_IF),
    ON(LOOP, LOOP_IF),
    ON(LOOPE, LOOP_IF),
    ON(LOOPNE, LOOP_IF),
    ON(JRCXZ, JUMP_RCX),
    ON(JECXZ, JUMP_RCX),

    ON(JMP, AS(IMMEDIATE, {RDIP, T1}, {LIMM, T2}, {WRIP, NONE, T1, T2}), AS(ANY, {WRIP, NONE, D})),
    ON(CALL, AS(IMMEDIATE, {LIMM, T1}, {RDIP, T7}, PUSH_OF(T7), {WRIP, NONE, T7, T1}),
       AS(MEMORY, {RDIP, T7}, {LD, T1}, PUSH_OF(T7), {WRIP, NONE, T1}),
       AS(ANY, {RDIP, T1}, PUSH_OF(T1), {WRIP, NONE, D})),
    ON(RET, AS(IMMEDIATE, {LIMM, T2}, POP_TO(T1), {ADD, RSP, RSP, T2, .size = 8}, {WRIP, NONE, T1}),
       AS(ANY, POP_TO(T1), {WRIP, NONE, T1})),

    ON(PUSH, AS(ANY, PUSH_OF(D))),
    ON(POP, AS(ANY, POP_TO(T1), {MOV, D, NONE, T1}),
       AS(MEMORY, {LD, T1, RSP}, {CDA}, {ADD, RSP, RSP, .size = 8}, {ST, T1})),
    ON(LEAVE, AS(ANY, {MOV, T1, NONE, RBP}, {LD, RBP, T1}, {MOV, RSP, NONE, T1}, {ADD, RSP, RSP})),
    ON(PUSHF, AS(ANY, {RFLAGS, T1}, PUSH_OF(T1))),
    ON(PUSHFQ, AS(ANY, {RFLAGS, T1}, PUSH_OF(T1))),
    ON(POPF, AS(ANY, POP_TO(T1), {WRFLAGS, NONE, T1})),
    ON(POPFQ, AS(ANY, POP_TO(T1), {WRFLAGS, NONE, T1})),

    ON(LAHF, AS(ANY, {RFLAGS, T1}, {AND, RAX, T1, .size = 1})),
    ON(SAHF, AS(ANY, {RUFLAGS, T1}, {MOV, T1, NONE, RAX, .size = 1}, {WRUFLAGS, NONE, T1})),
    ON(CLD, CHANGE_FLAGS(AND)),
    ON(STD, CHANGE_FLAGS(OR)),
    ON(CLC, CHANGE_FLAGS(AND)),
    ON(STC, AS(ANY, {RUFLAGS, T1}, {OR, T1, T1}, {WRUFLAGS, NONE, T1})),
    ON(CMC, AS(ANY, {RUFLAGS, T1}, {WRUFLAGS, NONE, T1})),
    ON(CLI, CHANGE_INTERRUPTS(AND)),
    ON(STI, CHANGE_INTERRUPTS(OR)),

    ON(NOP, AS(ANY, {FAULT}), AS(MEMORY, {FAULT})),
    ON(PAUSE, AS(ANY, {FAULT})),
    ON(ENDBR64, AS(ANY, {FAULT})),
    ON(ENDBR32, AS(ANY, {FAULT})),
    ON(MFENCE, AS(ANY, {MFENCE})),
    ON(SFENCE, AS(ANY, {MFENCE})),
    ON(LFENCE, AS(ANY, {SERIALIZE_AFTER})),
    ON(PREFETCH, HINT),
    ON(PREFETCHNTA, HINT),
    ON(PREFETCHT0, HINT),
    ON(PREFETCHT1, HINT),
    ON(PREFETCHT2, HINT),
    ON(PREFETCHW, HINT),
    ON(PREFETCHWT1, HINT),
    ON(CLFLUSH, FLUSH),
    ON(CLFLUSHOPT, AS(MEMORY, {CDA})),
    ON(CLWB, AS(MEMORY, {CDA})),

    ON(SYSCALL, AS(ANY, {LIMM, T1}, {RDIP, RCX}, {RFLAGS, T2}, {LIMM, T3}, {AND, R11, T2, T3},
                   {RDVAL, T3}, {SRL, T3, T3}, {AND, T3, T3}, SET_SEGMENT(T3), {ADD, T3, T3},
                   SET_SEGMENT(T3), {RDVAL, T7}, {WRIP, NONE, T7}, {RDVAL, T3}, {XOR, T3, T3, T1},
                   {AND, T3, T3, R11}, {WRFLAGS, NONE, T3})),
    ON(SYSRET, AS(ANY, {LIMM, T1}, {RDVAL, T3}, {SRL, T3, T3}, {OR, T3, T3}, {LIMM, T4},
                  {AND, T4, T4, R11}, {WRFLAGS, NONE, T4}, {ADD, T4, T3}, SET_SEGMENT(T4),
                  {ADD, T4, T3}, {WRIP, NONE, RCX}, {SERIALIZE_AFTER, NONE, T4})),
    ON(IRETQ, AS(ANY, {RDVAL, T1}, {LD, T1, RSP}, {LD, T2, RSP}, {LD, T3, RSP}, {RDVAL, T4},
                 {RCR, NONE, T3, NONE, ECF}, {BR}, {AND, T5, T2}, DESCRIPTOR(T2),
                 {SYSTEM, NONE, T2, T6}, {AND, NONE, T4, NONE, EZF}, {BR}, {SRA, T7, T1, NONE, EZF},
                 {BR}, {LD, T6, RSP}, {LD, T5, RSP}, DESCRIPTOR(T5), {SYSTEM, NONE, T5, T7},
                 {WRVAL, NONE, T7}, {WRVAL, NONE, T5}, {MOV, RSP, NONE, T6}, {WRVAL, NONE, T8},
                 {WRVAL, NONE, T2}, {SRL, T7, T4}, {XOR, T7, T7, T5}, {AND, NONE, T7, NONE, EZF},
                 {BR}, {WRFLAGS, NONE, T3}, {WRIP, NONE, T1})),
    ON(CPUID,
       AS(ANY, {SYSTEM, RAX, RAX, RCX}, {SYSTEM, RBX}, {SYSTEM, RCX}, {SERIALIZE_AFTER, RDX})),
    ON(RDTSC, AS(ANY, {SERIALIZE_BEFORE, T1}, {MOV, RAX, NONE, T1, .size = 4}, {SRL, RDX, T1})),
    ON(RDTSCP, AS(ANY, {SERIALIZE_BEFORE}, {RDVAL, T1}, {MOV, RAX, NONE, T1, .size = 4},
                  {SRL, RDX, T1}, {RDVAL, RCX})),
    ON(RDPMC, AS(ANY, {SYSTEM, T1, RCX}, {MOV, RAX, NONE, T1, .size = 4}, {SRL, RDX, T1})),
    ON(RDMSR, AS(ANY, {SYSTEM, T2, RCX}, {MOV, RAX, NONE, T2, .size = 4}, {SRL, T2, T2, .size = 8},
                 {MOV, RDX, NONE, T2, .size = 4})),
    ON(WRMSR, AS(ANY, {MOV, T2, NONE, RAX, .size = 4}, {SLL, T3, RDX, .size = 8},
                 {OR, T2, T2, T3, .size = 8}, {SERIALIZE_AFTER, NONE, T2, RCX})),
    ON(SWAPGS, AS(ANY, {RDVAL, T1}, {RDVAL, T2}, {WRVAL, NONE, T1}, {SERIALIZE_AFTER, NONE, T2})),
    ON(INVLPG, AS(MEMORY, {SERIALIZE_AFTER, NONE, BASE, INDEX})),
    ON(INVPCID, AS(FROM_MEMORY, {LD, T1}, {LD, T2}, {SERIALIZE_AFTER, NONE, T1, D})),
    ON(CLTS, AS(ANY, {RDVAL, T1}, {AND, T1, T1}, {SERIALIZE_AFTER, NONE, T1})),
    ON(LMSW, AS(ANY, {RDVAL, T3}, {LIMM, T2}, {AND, T3, T3, T2}, {AND, T2, D}, {OR, T3, T3, T2},
                {SERIALIZE_AFTER, NONE, T3})),
    ON(SMSW, AS(ANY, {RDVAL, D})),
    ON(HLT, AS(ANY, {HALT})),
    ON(MONITOR, AS(ANY, {SYSTEM, NONE, RAX})),
    ON(MWAIT, AS(ANY, {HALT})),
    ON(UD1, AS(ANY, {HALT}), AS(FROM_MEMORY, {HALT})),
    ON(UD2, AS(ANY, {HALT})),
    ON(INT3, AS(ANY, {HALT})),
    ON(WBINVD, AS(ANY, {HALT})),
    ON(XGETBV, AS(ANY, {RDVAL, RAX, RCX}, {RDVAL, RDX, RCX})),
    ON(XSETBV, AS(ANY, {OR, T1, RAX, RDX}, {SERIALIZE_AFTER, NONE, T1, RCX})),
    ON(STAC, AS(ANY, {SYSTEM})),
    ON(CLAC, AS(ANY, {SYSTEM})),
    ON(LGDT, LOAD_TABLE),
    ON(LIDT, LOAD_TABLE),
    ON(SGDT, STORE_TABLE),
    ON(SIDT, STORE_TABLE),
    ON(LTR, AS(ANY, {SERIALIZE_AFTER, NONE, D})),
    ON(LLDT, AS(ANY, {SERIALIZE_AFTER, NONE, D})),
    ON(STR, AS(ANY, {RDVAL, D})),
    ON(SLDT, AS(ANY, {RDVAL, D})),
    ON(VERW, AS(ANY, {SYSTEM, NONE, D, NONE, ZF})),
    ON(LSL, AS(ANY, {SYSTEM, D, S, NONE, ZF})),
    ON(LAR, AS(ANY, {SYSTEM, D, S, NONE, ZF})),
    ON(RDFSBASE, AS(ANY, {RDVAL, D})),
    ON(RDGSBASE, AS(ANY, {RDVAL, D})),
    ON(WRFSBASE, AS(ANY, {SERIALIZE_AFTER, NONE, D})),
    ON(WRGSBASE, AS(ANY, {SERIALIZE_AFTER, NONE, D})),
    ON(RDRAND, AS(ANY, {SYSTEM, D, NONE, NONE, ARITHMETIC})),
    ON(RDSEED, AS(ANY, {SYSTEM, D, NONE, NONE, ARITHMETIC})),
    ON(RDPID, AS(ANY, {RDVAL, D})),
    /* gem5 reads and writes ports as memory; here they are the machine's. */
    ON(IN, AS(ANY, {ZEXT, T2, N}, {MFENCE}, {SYSTEM, D, T2}, {MFENCE})),
    ON(OUT, AS(ANY, {ZEXT, T2, RDX}, {MFENCE}, {SYSTEM, NONE, T2, RAX}, {MFENCE})),
};

const struct recipe *recipe_control(ZydisMnemonic mnemonic) {
    return recipes[mnemonic];
}

/* Apart, because MOVSD and CMPSD are two instructions each. */
static const struct recipe *const strings[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
    ON(MOVSB, MOVE),    ON(MOVSW, MOVE),    ON(MOVSD, MOVE),    ON(MOVSQ, MOVE),
    ON(STOSB, STORE),   ON(STOSW, STORE),   ON(STOSD, STORE),   ON(STOSQ, STORE),
    ON(LODSB, LOAD),    ON(LODSW, LOAD),    ON(LODSD, LOAD),    ON(LODSQ, LOAD),
    ON(CMPSB, COMPARE), ON(CMPSW, COMPARE), ON(CMPSD, COMPARE), ON(CMPSQ, COMPARE),
    ON(SCASB, SCAN),    ON(SCASW, SCAN),    ON(SCASD, SCAN),    ON(SCASQ, SCAN),
};

const struct recipe *recipe_string(ZydisMnemonic mnemonic) {
    return strings[mnemonic];
}

static const struct recipe read_segment = {AS(ANY, {RDVAL, D})};
static const struct recipe write_segment = {AS(ANY, {MOV, T1, NONE, S, .size = 4}, SELECT_SEGMENT),
                                            AS(FROM_MEMORY, {LD, T1}, SELECT_SEGMENT)};
static const struct recipe read_control = {AS(ANY, {SERIALIZE_AFTER, D})};
static const struct recipe write_control = {AS(ANY, {SERIALIZE_AFTER, NONE, S})};

const struct recipe *recipe_machine_move(ZydisRegisterClass source, ZydisRegisterClass target) {
    if (target == ZYDIS_REGCLASS_SEGMENT)
        return &write_segment;
    if (source == ZYDIS_REGCLASS_SEGMENT)
        return &read_segment;
    if (target == ZYDIS_REGCLASS_CONTROL || target == ZYDIS_REGCLASS_DEBUG)
        return &write_control;
    if (source == ZYDIS_REGCLASS_CONTROL || source == ZYDIS_REGCLASS_DEBUG)
        return &read_control;
    return NULL;
}
