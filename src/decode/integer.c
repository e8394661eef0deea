/* Recipes of integer arithmetic and moves. */
#include "decode/recipe.h"

/* Four rounds of a division's loop; each finds one set bit of the quotient. */
#define DIVIDE(dividend, bits)                                                                     \
    STEPS({DIV2, bits, dividend, bits}, {DIV2, bits, dividend, bits},                              \
          {DIV2, bits, dividend, bits}, {DIV2, bits, dividend, bits, EZF}, {BR})
#define DIVIDE_BYTE(dividend, bits)                                                                \
    STEPS({DIV2, bits, dividend, bits}, {DIV2, bits, dividend, bits, EZF}, {BR})

/* A signed division works on absolute values and then mends the signs. */
#define ABSOLUTE_VALUES(high)                                                                      \
    STEPS({SUB, T1, NONE, RAX, ECF}, {RUFLAG, T4}, {SUB, T2, NONE, high}, {SUB, T2, T2, T4},       \
          {SLL, NONE, D, NONE, ECF}, {SUB, T3, NONE, D}, {MOV_IF, T3, T3, D},                      \
          {SLL, NONE, high, NONE, ECF}, {MOV_IF, T1, T1, RAX}, {MOV_IF, T2, T2, high},             \
          {DIV1, NONE, T2, T3}, {DIV2, T4, T1}, {DIV2, T4, T1, T4})
#define MENDED_SIGNS(high)                                                                         \
    STEPS({DIVQ, T5}, {DIVR, T6}, {SUB, T4, NONE, T6}, {MOV_IF, high, high, T4},                   \
          {MOV_IF, high, high, T6}, {SUB, T4, NONE, T5}, {MOV_IF, T5, T5, T4},                     \
          {SLL, NONE, D, NONE, ECF}, {SUB, T4, NONE, T5}, {MOV_IF, RAX, RAX, T4},                  \
          {MOV_IF, RAX, RAX, T5})

/* Half the remaining bits of a scan: is the upper half empty? A shift that sets flags waits for
 * what it overwrites. */
#define HALVE                                                                                      \
    STEPS({SRL, T3, T1, T3, EZF, 8}, {OR, T4, D}, {MOV_IF, D, D, T4}, {MOV_IF, T1, T1, T3})
#define HALVE_LAST STEPS({SRL, T3, T1, T3, EZF, 8}, {OR, T4, D}, {MOV_IF, D, D, T4})
#define SCAN_REGISTER STEPS({MOV, T1, NONE, NONE, 0, 8}, {AND, T1, S, S, ZF}, {BR}, {MOVI, D})
#define SCAN_MEMORY STEPS({MOV, T1, NONE, NONE, 0, 8}, {LD, T1}, {AND, T1, T1, T1, ZF}, {BR})
#define LOWEST STEPS({SUB, T2, T1}, {XOR, T1, T2, T1}) /* ones up to the lowest set bit */
#define SCAN_FORWARD                                                                               \
    AS(ANY, SCAN_REGISTER, LOWEST, HALVE, HALVE, HALVE, HALVE, HALVE, HALVE_LAST, {FAULT}),        \
        AS(FROM_MEMORY, SCAN_MEMORY, {MOV, D}, LOWEST, HALVE, HALVE, HALVE, HALVE, HALVE, HALVE,   \
           {FAULT})
#define SCAN_BACKWARD                                                                              \
    AS(ANY, SCAN_REGISTER, HALVE, HALVE, HALVE, HALVE, HALVE, HALVE_LAST, {FAULT}),                \
        AS(FROM_MEMORY, SCAN_MEMORY, {MOVI, D}, HALVE, HALVE, HALVE, HALVE, HALVE, HALVE_LAST,     \
           {FAULT})

/* Where the bit lies that a register counts from a memory operand's first byte. */
#define BIT_ADDRESS                                                                                \
    STEPS({SRA, T2, S, NONE, 0, 8}, {SRA, T3, T2, NONE, 0, 8}, {LEA, T3, T3, BASE, 0, 8})
#define CHANGE_BIT(operation)                                                                      \
    AS(ANY, {SEXT, NONE, D, N, CF}, {LIMM, T1}, {ROL, T1, T1, N}, {operation, D, D, T1}),          \
        AS(MEMORY_IMMEDIATE, {LIMM, T1, .size = 8}, {LIMM, T4}, {ROL, T4, T4}, {LD_UPDATE, T1},    \
           {SEXT, NONE, T1, NONE, CF}, {operation, T1, T1, T4}, {ST, T1}),                         \
        AS(MEMORY, BIT_ADDRESS, {LIMM, T4}, {ROL, T4, T4, S}, {LD_UPDATE, T1, T3, INDEX},          \
           {SEXT, NONE, T1, S, CF}, {operation, T1, T1, T4}, {ST, T1, T3, INDEX})

#define MOVE_IF AS(ANY, {MOV_IF, D, D}, {MOV_IF, D, D, S})
#define SET_IF AS(ANY, {MOV_IF, D, D}, {MOV_IF, D, D})

#define EXCHANGE_PAIR                                                                              \
    AS(MEMORY, {LEA, T1, .size = 8}, {LD_SPLIT, T2, T1}, {SUB, NONE, RAX, T2, ZF}, {BR},           \
       {SUB, NONE, RDX, T3, ZF}, {MOV_IF, T2, T2, RBX}, {MOV_IF, T3, T3, RCX},                     \
       {MOV_IF, RAX, RAX, T2}, {MOV_IF, RDX, RDX, T3}, {ST_SPLIT, T2, T1})

static const struct recipe *const recipes[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
    ON(ADD, AS(ANY, {ADD, D, D, S, ARITHMETIC})),
    ON(SUB, AS(ANY, {SUB, D, D, S, ARITHMETIC})),
    ON(ADC, AS(ANY, {ADC, D, D, S, ARITHMETIC})),
    ON(SBB, AS(ANY, {SBB, D, D, S, ARITHMETIC})),
    ON(AND, AS(ANY, {AND, D, D, S, ARITHMETIC})),
    ON(OR, AS(ANY, {OR, D, D, S, ARITHMETIC})),
    ON(XOR, AS(ANY, {XOR, D, D, S, ARITHMETIC})),
    ON(CMP, AS(ANY, {SUB, NONE, D, S, ARITHMETIC})),
    ON(TEST, AS(ANY, {AND, NONE, D, S, ARITHMETIC})),
    ON(INC, AS(ANY, {ADD, D, D, NONE, COUNTED})),
    ON(DEC, AS(ANY, {SUB, D, D, NONE, COUNTED})),
    ON(NEG, AS(ANY, {SUB, D, NONE, D, ARITHMETIC})),
    ON(NOT, AS(ANY, {LIMM, T2}, {XOR, D, D, T2})),

    ON(MUL, AS(BYTE, {MUL1U, NONE, RAX, D, OF | CF}, {MULEL, RAX}, {MULEH, RAX}),
       AS(ANY, {MUL1U, NONE, RAX, D, OF | CF}, {MULEL, RAX}, {MULEH, RDX})),
    ON(IMUL, AS(BYTE, {MUL1S, NONE, RAX, D, OF | CF}, {MULEL, RAX}, {MULEH, RAX}),
       AS(ONE, {MUL1S, NONE, RAX, D, OF | CF}, {MULEL, RAX}, {MULEH, RDX}),
       AS(THREE, {MUL1S, NONE, S, C, OF | CF}, {MULEL, D}, {MULEH}),
       AS(ANY, {MUL1S, NONE, D, S, OF | CF}, {MULEL, D}, {MULEH})),
    ON(MULX, AS(ANY, {MUL1U, NONE, RDX, C}, {MULEL, S}, {MULEH, D})),
    ON(DIV,
       AS(BYTE, {DIV1, NONE, RAX, D}, {DIV2, T1, RAX}, {DIV2, T1, RAX, T1}, DIVIDE_BYTE(RAX, T1),
          DIVIDE_BYTE(RAX, T1), {DIVQ, RAX}, {DIVR, RAX}),
       AS(ANY, {DIV1, NONE, RDX, D}, {DIV2, T1, RAX}, {DIV2, T1, RAX, T1}, DIVIDE(RAX, T1),
          DIVIDE(RAX, T1), {DIVQ, RAX}, {DIVR, RDX})),
    ON(IDIV,
       AS(BYTE, ABSOLUTE_VALUES(RAX), DIVIDE_BYTE(T1, T4), DIVIDE_BYTE(T1, T4), MENDED_SIGNS(RAX)),
       AS(ANY, ABSOLUTE_VALUES(RDX), DIVIDE(T1, T4), DIVIDE(T1, T4), MENDED_SIGNS(RDX))),

    ON(SHL, AS(ANY, {SLL, D, D, N, SHIFTED})),
    ON(SALC, AS(ANY, {SBB, RAX, RAX, RAX, 0, 1})),
    ON(SHR, AS(ANY, {SRL, D, D, N, SHIFTED})),
    ON(SAR, AS(ANY, {SRA, D, D, N, SHIFTED})),
    ON(ROL, AS(ANY, {ROL, D, D, N, ROTATED})),
    ON(ROR, AS(ANY, {ROR, D, D, N, ROTATED})),
    ON(RCL, AS(ANY, {RCL, D, D, N, ROTATED})),
    ON(RCR, AS(ANY, {RCR, D, D, N, ROTATED})),
    ON(SHLD, AS(IMMEDIATE, {MDB, NONE, S}, {SLD, D, D, NONE, SHIFTED}),
       AS(ANY, {MDB, NONE, S}, {SLD, D, D, RCX, SHIFTED})),
    ON(SHRD, AS(IMMEDIATE, {MDB, NONE, S}, {SRD, D, D, NONE, SHIFTED}),
       AS(ANY, {MDB, NONE, S}, {SRD, D, D, RCX, SHIFTED})),
    ON(SHLX, AS(ANY, {SLL, D, S, C})),
    ON(SHRX, AS(ANY, {SRL, D, S, C})),
    ON(SARX, AS(ANY, {SRA, D, S, C})),
    ON(RORX, AS(ANY, {ROR, D, S})),
    ON(ANDN, AS(ANY, {AND, D, S, C, ARITHMETIC})),
    ON(BLSR, AS(ANY, {AND, D, S, NONE, ARITHMETIC})),
    ON(BLSI, AS(ANY, {AND, D, S, NONE, ARITHMETIC})),
    ON(BLSMSK, AS(ANY, {XOR, D, S, NONE, ARITHMETIC})),
    ON(BZHI, AS(ANY, {AND, D, S, C, ARITHMETIC})),
    ON(BEXTR, AS(ANY, {SRL, D, S, C}, {AND, D, D, C, ARITHMETIC})),

    ON(BT, AS(ANY, {SEXT, NONE, D, N, CF}),
       AS(MEMORY_IMMEDIATE, {LIMM, T1, .size = 8}, {LD, T1}, {SEXT, NONE, T1, NONE, CF}),
       AS(MEMORY, BIT_ADDRESS, {LD, T1, T3, INDEX}, {SEXT, NONE, T1, S, CF})),
    ON(BTS, CHANGE_BIT(OR)),
    ON(BTR, CHANGE_BIT(AND)),
    ON(BTC, CHANGE_BIT(XOR)),
    ON(BSF, SCAN_FORWARD),
    ON(BSR, SCAN_BACKWARD),
    ON(TZCNT, SCAN_FORWARD),
    ON(LZCNT, SCAN_BACKWARD),
    ON(POPCNT, AS(ANY, {POPCNT, D, S})),
    ON(CRC32, AS(ANY, {MUL1U, NONE, D, S}, {MULEL, D})), /* not known to gem5 */
    ON(BSWAP, AS(DOUBLE_WORD, {ROL, D, D}, {ROL, D, D}, {ROL, D, D}),
       AS(ANY, {ROL, D, D}, {ROL, T1, D}, {ROL, T1, T1}, {ROL, T1, T1}, {SRL, T2, D}, {ROL, T2, T2},
          {ROL, T2, T2}, {ROL, T2, T2}, {OR, D, T1, T2})),
    ON(MOVBE, AS(FROM_MEMORY, {LD, T1}, {ROL, D, T1}), /* not known to gem5 */
       AS(MEMORY, {ROL, T1, S}, {ST, T1})),

    ON(MOV, AS(ANY, {MOV, D, NONE, S}), AS(IMMEDIATE, {LIMM, D}), AS(FROM_MEMORY, {LD, D}),
       AS(MEMORY, {ST, S}), AS(MEMORY_IMMEDIATE, {LIMM, T1}, {ST, T1})),
    ON(MOVNTI, AS(MEMORY, {ST, S})),
    ON(MOVSXD, AS(ANY, {SEXT, D, S})),
    ON(MOVSX, AS(BYTE, {MOV, T1, NONE, S, 0, 1}, {SEXT, D, T1}), AS(ANY, {SEXT, D, S})),
    ON(MOVZX, AS(BYTE, {MOV, T1, NONE, S, 0, 1}, {ZEXT, D, T1}), AS(ANY, {ZEXT, D, S})),
    ON(LEA, AS(FROM_MEMORY, {LEA, D})),
    ON(CBW, AS(ANY, {SEXT, RAX, RAX})),
    ON(CWDE, AS(ANY, {SEXT, RAX, RAX})),
    ON(CDQE, AS(ANY, {SEXT, RAX, RAX})),
    ON(CWD, AS(ANY, {MOV, RDX, NONE, RAX}, {SRA, RDX, RDX})),
    ON(CDQ, AS(ANY, {MOV, RDX, NONE, RAX}, {SRA, RDX, RDX})),
    ON(CQO, AS(ANY, {MOV, RDX, NONE, RAX}, {SRA, RDX, RDX})),
    ON(XLAT, AS(ANY, {ZEXT, T1, RAX, .size = 8}, {LD, RAX, RBX, T1})),

    ON(XCHG, AS(ANY, {XOR, D, D, S}, {XOR, S, S, D}, {XOR, D, D, S}),
       AS(MEMORY, {LD_UPDATE, T1}, {ST, S}, {MOV, S, NONE, T1})),
    ON(CMPXCHG, AS(ANY, {SUB, NONE, RAX, D, ARITHMETIC}, {MOV_IF, D, D, S}, {MOV_IF, RAX, RAX, D}),
       AS(MEMORY, {LD_UPDATE, T1}, {SUB, NONE, RAX, T1, ARITHMETIC}, {MOV_IF, T1, T1, S}, {ST, T1},
          {MOV_IF, RAX, RAX, T1})),
    ON(XADD, AS(ANY, {ADD, T2, D, S, ARITHMETIC}, {MOV, S, NONE, D}, {MOV, D, NONE, T2}),
       AS(MEMORY, {LD_UPDATE, T1}, {ADD, T2, T1, S, ARITHMETIC}, {ST, T2}, {MOV, S, NONE, T1})),
    ON(CMPXCHG8B, EXCHANGE_PAIR),
    ON(CMPXCHG16B, EXCHANGE_PAIR),

    ON(CMOVB, MOVE_IF),
    ON(CMOVBE, MOVE_IF),
    ON(CMOVL, MOVE_IF),
    ON(CMOVLE, MOVE_IF),
    ON(CMOVNB, MOVE_IF),
    ON(CMOVNBE, MOVE_IF),
    ON(CMOVNL, MOVE_IF),
    ON(CMOVNLE, MOVE_IF),
    ON(CMOVNO, MOVE_IF),
    ON(CMOVNP, MOVE_IF),
    ON(CMOVNS, MOVE_IF),
    ON(CMOVNZ, MOVE_IF),
    ON(CMOVO, MOVE_IF),
    ON(CMOVP, MOVE_IF),
    ON(CMOVS, MOVE_IF),
    ON(CMOVZ, MOVE_IF),
    ON(SETB, SET_IF),
    ON(SETBE, SET_IF),
    ON(SETL, SET_IF),
    ON(SETLE, SET_IF),
    ON(SETNB, SET_IF),
    ON(SETNBE, SET_IF),
    ON(SETNL, SET_IF),
    ON(SETNLE, SET_IF),
    ON(SETNO, SET_IF),
    ON(SETNP, SET_IF),
    ON(SETNS, SET_IF),
    ON(SETNZ, SET_IF),
    ON(SETO, SET_IF),
    ON(SETP, SET_IF),
    ON(SETS, SET_IF),
    ON(SETZ, SET_IF),
};

const struct recipe *recipe_integer(ZydisMnemonic mnemonic) {
    return recipes[mnemonic];
}
