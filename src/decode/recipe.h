/* Recipes: how an instruction is cut, in a microcode notation of our own. Private to this folder.
 *
 * A step reads {KIND, to, a, b, flags it sets, size in bytes}; what is left out is none, or the
 * instruction's operand size. Places name registers, or operands of the instruction:
 *
 *     ON(ADD, AS(ANY, {ADD, D, D, S, ARITHMETIC}))        add first operand and second
 *     ON(MOV, AS(ANY, {MOV, D, NONE, S}),                 between registers
 *             AS(FROM_MEMORY, {LD, D}), …)                no temporary in between
 *
 * Steps under ANY serve all forms of operands: memory that is read is first loaded into a
 * temporary, memory that is written is stored afterwards, an immediate that a step names is loaded
 * with LIMM; LOCK puts fences around. Forms of memory that have steps of their own get exactly
 * these (and the fences). */
#ifndef SLS_DECODE_RECIPE_H
#define SLS_DECODE_RECIPE_H

#include <stdbool.h>
#include <stdint.h>

#include <Zydis/Zydis.h>

#include "model/instruction.h"

enum kind {
    END, /* of a recipe */
    /* moves */
    LIMM,
    RDIP,
    WRIP,
    WRIP_IF,
    MOV,
    MOVI,
    MOV_IF,
    LEA,
    SEXT,
    ZEXT,
    /* arithmetic */
    ADD,
    SUB,
    ADC,
    SBB,
    AND,
    OR,
    XOR,
    SLL,
    SRL,
    SRA,
    ROL,
    ROR,
    RCL,
    RCR,
    SLD,
    SRD,
    MDB,
    POPCNT,
    MUL1S,
    MUL1U,
    MULEL,
    MULEH,
    DIV1,
    DIV2,
    DIVQ,
    DIVR,
    /* flags */
    RUFLAG,
    RUFLAGS,
    WRUFLAGS,
    RFLAGS,
    WRFLAGS,
    /* control within the microcode */
    BR,
    FAULT,
    MFENCE,
    /* memory: `to` is the data; the address is the instruction's, or a + b if given */
    LD,
    LD_UPDATE,
    ST,
    LDFP,
    STFP,
    LD_SPLIT,
    ST_SPLIT,
    PREFETCH,
    CDA,
    /* state of the machine */
    RDVAL,
    WRVAL,
    SYSTEM,
    SERIALIZE_BEFORE,
    SERIALIZE_AFTER,
    HALT,
    /* vectors */
    MOVFP,
    LFPIMM,
    XORFP,
    MOV2INT,
    MOV2FP,
    MOVSIGN,
    MASKMOV,
    SHUFFLE,
    UNPACK,
    PACK,
    BLEND,
    EXTMOVE,
    MLOGIC,
    MADDI,
    MSHIFT,
    MCMPI,
    MMULI,
    MSAD,
    PABS,
    MADDF,
    MMULF,
    MDIVF,
    MSQRT,
    MRCP,
    MMINF,
    MCMPF,
    COMPARE_FLAGS,
    CVT,
    ROUND,
    EMMS,
    /* x87 */
    ADDFP,
    MULFP,
    DIVFP,
    SQRTFP,
    COMPFP,
    CVTFP_INT,
    KINDS
};

/* Places: below REGISTERS, registers of model/instruction.h; above, what the instruction names. */
enum {
    NONE = REGISTER_NONE,
    RAX = REGISTER_INTEGER,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8,
    R9,
    R10,
    R11,
    T1 = REGISTER_TEMPORARY + 1,
    T2,
    T3,
    T4,
    T5,
    T6,
    T7,
    T8,
    DIVISOR = REGISTER_TEMPORARY + 11,
    REMAINDER,
    QUOTIENT,
    PRODUCT_HIGH,
    PRODUCT_LOW,
    DOUBLE_BITS = DIVISOR,
    ST0 = REGISTER_X87,
    ST1,
    U1 = REGISTER_VECTOR_TEMPORARY,
    U2,
    U3,
    U4,
    U5,
    U6,
    FLAGS = REGISTER_FLAGS,

    D = REGISTERS, /* the first operand */
    S,             /* the second */
    C,             /* the third */
    N,             /* the second if it is a register, nothing if immediate */
    D0,
    D1, /* low and high half of the first, a vector; MMX has no high half: */
    S0,
    S1, /* a step that names one is left out. */
    BASE,
    INDEX, /* of the memory operand's address; BASE is T7 if that is RIP */
    PLACES
};

/* Flags a step sets. A part of the register file (FLAGS_ZAPS, FLAGS_CFOF) of which only some are
 * set is read, too. */
enum {
    OF = 1,
    SF = 2,
    ZF = 4,
    AF = 8,
    PF = 16,
    CF = 32,
    DF = 64,
    ECF = 128,
    EZF = 256, /* the E flags are the microcode's own */
    ARITHMETIC = OF | SF | ZF | AF | PF | CF,
    COUNTED = ARITHMETIC & ~CF, /* INC, DEC */
    SHIFTED = ARITHMETIC & ~AF,
    ROTATED = OF | CF,
};

struct step {
    uint8_t kind, to, a, b;
    uint16_t sets;
    uint8_t size; /* bytes; 0: the instruction's operand size */
};

/* What operands an instruction has: the first form that holds and has steps is taken. Those up to
 * MEMORY name the loads and stores themselves. */
enum form {
    FROM_MEMORY,      /* a later operand is memory */
    MEMORY_80,        /* the first is memory of 80 bits */
    MEMORY_IMMEDIATE, /* the first is memory, the last an immediate */
    MEMORY,           /* the first is memory */
    REPEATED,         /* has a rep prefix */
    BYTE,             /* operand size, or register that is the second operand, of 8 bits */
    DOUBLE_WORD,      /* operand size of 32 bits */
    TO_INTEGER,       /* the first is a general register, the second a vector */
    FROM_INTEGER,     /* the other way round */
    IMMEDIATE,        /* the last is an immediate */
    ONE,              /* explicit operands */
    THREE,
    ANY,
    FORMS
};

struct recipe {
    const struct step *as[FORMS]; /* each ends with END */
    bool vector;    /* memory is loaded into U1 (low half) and U2 (high half), not T1 */
    bool lea_first; /* vector: the address is computed apart */
    bool one_load;  /* vector: only one half is read */
};

/* The formatter takes these braces for blocks. */
/* clang-format off */
#define STEPS(...) __VA_ARGS__ /* several, under a name */
#define AS(form, ...) .as[form] = (const struct step[]){__VA_ARGS__, {END}}
#define ON(mnemonic, ...) [ZYDIS_MNEMONIC_##mnemonic] = &(const struct recipe){__VA_ARGS__}
/* clang-format on */

/* What all steps of a kind have in common. */
enum trait {
    MERGES = 1,     /* below 4 bytes, the rest of `to` is kept: reads it */
    KEEPS = 2,      /* always reads `to` */
    TESTS = 4,      /* reads the flags: a condition */
    CARRIES = 8,    /* reads CF */
    STORES = 16,    /* reads `to` instead of writing it */
    PAIR = 32,      /* `to` and the next register */
    ADDRESSES = 64, /* a and b are an address; if none is given, the instruction's */
};
struct kind_properties {
    uint8_t op_class, micro_flags, traits;
    uint8_t reads[3], writes[3]; /* registers besides `a`, `b`, `to` */
};
extern const struct kind_properties kind_properties[KINDS];

/* The recipe of an instruction by its mnemonic; NULL: none. */
const struct recipe *recipe_integer(ZydisMnemonic mnemonic);
const struct recipe *recipe_control(ZydisMnemonic mnemonic); /* jumps, stack, flags, system */
const struct recipe *recipe_string(ZydisMnemonic mnemonic);
const struct recipe *recipe_vector(ZydisMnemonic mnemonic); /* SSE, MMX: moves and integers */
const struct recipe *recipe_float(ZydisMnemonic mnemonic);  /* SSE floating point, x87 */
/* MOV from or to a register of this class: segment, control, debug; NULL for others. */
const struct recipe *recipe_machine_move(ZydisRegisterClass source, ZydisRegisterClass target);

#endif
