/* Recipes of floating point, SSE and x87, and of saving their state. */
#include "decode/recipe.h"

#define SCALAR(kind) .vector = true, .one_load = true, AS(ANY, {kind, D0, D0, S0})
#define SCALAR_UNARY(kind) .vector = true, .one_load = true, AS(ANY, {kind, D0, S0})
#define PACKED(kind) .vector = true, AS(ANY, {kind, D0, D0, S0}, {kind, D1, D1, S1})
#define PACKED_UNARY(kind) .vector = true, AS(ANY, {kind, D0, S0}, {kind, D1, S1})

#define COMPARE SCALAR_COMPARE(COMPARE_FLAGS)
#define SCALAR_COMPARE(kind) .vector = true, .one_load = true, AS(ANY, {kind, NONE, D0, S0})
#define TO_WHOLE .vector = true, .one_load = true, AS(ANY, {CVT, U1, S0}, {MOV2INT, D, U1})
#define FROM_WHOLE                                                                                 \
    AS(ANY, {MOV2FP, U1, S}, {CVT, D0, U1}), AS(FROM_MEMORY, {LDFP, U1}, {CVT, D0, U1})
#define WIDEN .vector = true, .one_load = true, AS(ANY, {CVT, D1, S0}, {CVT, D0, S0})
#define NARROW .vector = true, AS(ANY, {CVT, D0, S0}, {CVT, D0, S1}, {LFPIMM, D1})
#define ROUND_SCALAR .vector = true, .one_load = true, AS(ANY, {RDVAL, T1}, {ROUND, D0, S0, T1})
#define HORIZONTAL_SINGLE                                                                          \
    .vector = true, AS(ANY, {SHUFFLE, U3, D0, D1}, {SHUFFLE, U4, D0, D1}, {SHUFFLE, U5, S0, S1},   \
                       {SHUFFLE, U6, S0, S1}, {MADDF, D0, U3, U4}, {MADDF, D1, U5, U6})
#define HORIZONTAL_DOUBLE                                                                          \
    AS(ANY, {MADDF, U1, D1, D0}, {MADDF, D1, S0, S1}, {MOVFP, D0, U1}),                            \
        AS(FROM_MEMORY, {LDFP, U1}, {LDFP, U2}, {MADDF, D0, D1, D0}, {MADDF, D1, U1, U2})

/* x87: the top of the stack with memory, or a register with another. */
#define X87(kind) AS(MEMORY, {LDFP, U1}, {kind, ST0, ST0, U1}), AS(ANY, {kind, D, D, S})
#define X87_POP(kind) AS(ANY, {kind, D, D, S})
#define X87_WHOLE(kind) AS(MEMORY, {LDFP, U1}, {kind, ST0, ST0, U1})
#define X87_COMPARE AS(ANY, {COMPFP, NONE, ST0, S})
#define X87_TEST AS(MEMORY, {LDFP, U1}, {COMPFP, NONE, ST0, U1}), AS(ANY, {COMPFP, NONE, ST0, D})
#define CONSTANT AS(ANY, {LFPIMM, U1}, {MOVFP, ST0, U1})
#define STORE_WHOLE AS(MEMORY, {CVTFP_INT, T1, ST0}, {ST, T1}, {FAULT})
#define MOVE_IF_X87 AS(ANY, {MOV_IF, ST0, S})
#define FUNCTION AS(ANY, {SQRTFP, ST0, ST0})
#define FUNCTION_OF_TWO AS(ANY, {SQRTFP, ST0, ST0, ST1})
#define X87_CONTROL AS(ANY, {WRVAL})

/* State as FXSAVE lays it out: control words, eight x87 and sixteen XMM registers. */
#define HALF(n) (REGISTER_VECTOR + (n))
#define STORE_XMM(n) STEPS({STFP, HALF(2 * (n))}, {STFP, HALF(2 * (n) + 1)})
#define LOAD_XMM(n) STEPS({LDFP, HALF(2 * (n))}, {LDFP, HALF(2 * (n) + 1)})
#define STORE_ST(n)                                                                                \
    STEPS({CVTFP_INT, T1, ST0 + (n)}, {CVTFP_INT, T2, ST0 + (n)}, {ST, T1}, {ST, T2})
#define LOAD_ST(n) STEPS({LD, T1, .size = 8}, {LD, T2, .size = 8}, {ADDFP, ST0 + (n), T1, T2})
#define STORE_WORD STEPS({RDVAL, T1}, {ST, T1})
#define LOAD_WORD STEPS({LD, T1, .size = 8}, {WRVAL, NONE, T1})
#define EIGHT(action)                                                                              \
    action(0), action(1), action(2), action(3), action(4), action(5), action(6), action(7)
#define LATER_EIGHT(action)                                                                        \
    action(8), action(9), action(10), action(11), action(12), action(13), action(14), action(15)
#define SAVE                                                                                       \
    AS(MEMORY, STORE_WORD, STORE_WORD, STORE_WORD, STORE_WORD, STORE_WORD, STORE_WORD, STORE_WORD, \
       {LIMM, T1}, {ST, T1}, EIGHT(STORE_ST), EIGHT(STORE_XMM), LATER_EIGHT(STORE_XMM))
#define RESTORE AS(MEMORY, RESTORE_STEPS)
#define RESTORE_STEPS                                                                              \
    STEPS({LIMM, T2}, LOAD_WORD, {WRVAL, NONE, T2}, LOAD_WORD, {WRVAL, NONE, T2}, LOAD_WORD,       \
          LOAD_WORD, LOAD_WORD, LOAD_WORD, LOAD_WORD, EIGHT(LOAD_ST), EIGHT(LOAD_XMM),             \
          LATER_EIGHT(LOAD_XMM))

static const struct recipe *const recipes[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
    ON(ADDSS, SCALAR(MADDF)),
    ON(ADDSD, SCALAR(MADDF)),
    ON(SUBSS, SCALAR(MADDF)),
    ON(SUBSD, SCALAR(MADDF)),
    ON(MULSS, SCALAR(MMULF)),
    ON(MULSD, SCALAR(MMULF)),
    ON(DIVSS, SCALAR(MDIVF)),
    ON(DIVSD, SCALAR(MDIVF)),
    ON(MINSS, SCALAR(MMINF)),
    ON(MINSD, SCALAR(MMINF)),
    ON(MAXSS, SCALAR(MMINF)),
    ON(MAXSD, SCALAR(MMINF)),
    ON(SQRTSS, SCALAR_UNARY(MSQRT)),
    ON(SQRTSD, SCALAR_UNARY(MSQRT)),
    ON(RCPSS, SCALAR_UNARY(MRCP)),
    ON(RSQRTSS, SCALAR_UNARY(MRCP)),
    ON(CMPSS, SCALAR(MCMPF)),
    ON(CMPSD, SCALAR(MCMPF)),
    ON(ADDPS, PACKED(MADDF)),
    ON(ADDPD, PACKED(MADDF)),
    ON(SUBPS, PACKED(MADDF)),
    ON(SUBPD, PACKED(MADDF)),
    ON(MULPS, PACKED(MMULF)),
    ON(MULPD, PACKED(MMULF)),
    ON(DIVPS, PACKED(MDIVF)),
    ON(DIVPD, PACKED(MDIVF)),
    ON(MINPS, PACKED(MMINF)),
    ON(MINPD, PACKED(MMINF)),
    ON(MAXPS, PACKED(MMINF)),
    ON(MAXPD, PACKED(MMINF)),
    ON(SQRTPS, PACKED_UNARY(MSQRT)),
    ON(SQRTPD, PACKED_UNARY(MSQRT)),
    ON(RCPPS, PACKED_UNARY(MRCP)),
    ON(RSQRTPS, PACKED_UNARY(MRCP)),
    ON(CMPPS, PACKED(MCMPF)),
    ON(CMPPD, PACKED(MCMPF)),
    ON(ADDSUBPS, PACKED(MADDF)),
    ON(ADDSUBPD, PACKED(MADDF)),
    ON(HADDPS, HORIZONTAL_SINGLE),
    ON(HSUBPS, HORIZONTAL_SINGLE),
    ON(HADDPD, HORIZONTAL_DOUBLE),
    ON(HSUBPD, HORIZONTAL_DOUBLE),
    ON(UCOMISS, COMPARE),
    ON(UCOMISD, COMPARE),
    ON(COMISS, COMPARE),
    ON(COMISD, COMPARE),

    ON(CVTSS2SD, SCALAR_UNARY(CVT)),
    ON(CVTSD2SS, SCALAR_UNARY(CVT)),
    ON(CVTSS2SI, TO_WHOLE),
    ON(CVTSD2SI, TO_WHOLE),
    ON(CVTTSS2SI, TO_WHOLE),
    ON(CVTTSD2SI, TO_WHOLE),
    ON(CVTSI2SS, FROM_WHOLE),
    ON(CVTSI2SD, FROM_WHOLE),
    ON(CVTPS2PD, WIDEN),
    ON(CVTDQ2PD, WIDEN),
    ON(CVTPD2PS, NARROW),
    ON(CVTPD2DQ, NARROW),
    ON(CVTTPD2DQ, NARROW),
    ON(CVTPS2DQ, PACKED_UNARY(CVT)),
    ON(CVTTPS2DQ, PACKED_UNARY(CVT)),
    ON(CVTDQ2PS, PACKED_UNARY(CVT)),
    ON(CVTPS2PI, SCALAR_UNARY(CVT)),
    ON(CVTTPS2PI, SCALAR_UNARY(CVT)),
    ON(CVTPI2PS, SCALAR_UNARY(CVT)),
    ON(CVTPI2PD, WIDEN),
    ON(CVTPD2PI, .vector = true, AS(ANY, {CVT, D0, S0}, {CVT, D0, S1})),
    ON(CVTTPD2PI, .vector = true, AS(ANY, {CVT, D0, S0}, {CVT, D0, S1})),
    ON(ROUNDSS, ROUND_SCALAR),
    ON(ROUNDSD, ROUND_SCALAR),
    ON(ROUNDPS, PACKED_UNARY(ROUND)),
    ON(ROUNDPD, PACKED_UNARY(ROUND)), /* not known to gem5 */

    ON(LDMXCSR, AS(MEMORY, {LD, T1}, {SERIALIZE_AFTER, NONE, T1})),
    ON(STMXCSR, AS(MEMORY, {RDVAL, T1}, {ST, T1})),
    ON(FXSAVE, SAVE),
    ON(FXSAVE64, SAVE),
    ON(XSAVE, SAVE),
    ON(XSAVE64, SAVE),
    ON(XSAVEC, SAVE),
    ON(XSAVEC64, SAVE),
    ON(XSAVEOPT, SAVE),
    ON(XSAVEOPT64, SAVE),
    ON(XSAVES, SAVE),
    ON(XSAVES64, SAVE),
    ON(FXRSTOR, RESTORE),
    ON(FXRSTOR64, RESTORE),
    ON(XRSTOR, RESTORE),
    ON(XRSTOR64, RESTORE),
    ON(XRSTORS, RESTORE),
    ON(XRSTORS64, RESTORE),

    ON(FADD, X87(ADDFP)),
    ON(FSUB, X87(ADDFP)),
    ON(FSUBR, X87(ADDFP)),
    ON(FMUL, X87(MULFP)),
    ON(FDIV, X87(DIVFP)),
    ON(FDIVR, X87(DIVFP)),
    ON(FADDP, X87_POP(ADDFP)),
    ON(FSUBP, X87_POP(ADDFP)),
    ON(FSUBRP, X87_POP(ADDFP)),
    ON(FMULP, X87_POP(MULFP)),
    ON(FDIVP, X87_POP(DIVFP)),
    ON(FDIVRP, X87_POP(DIVFP)),
    ON(FIADD, X87_WHOLE(ADDFP)),
    ON(FISUB, X87_WHOLE(ADDFP)),
    ON(FISUBR, X87_WHOLE(ADDFP)),
    ON(FIMUL, X87_WHOLE(MULFP)),
    ON(FIDIV, X87_WHOLE(DIVFP)),
    ON(FIDIVR, X87_WHOLE(DIVFP)),
    ON(FABS, AS(ANY, {ADDFP, ST0, ST0})),
    ON(FCHS, AS(ANY, {ADDFP, ST0, ST0})),
    ON(FRNDINT, AS(ANY, {ADDFP, ST0, ST0})),
    ON(FSCALE, AS(ANY, {MULFP, ST0, ST0, ST1})),
    ON(FPREM, AS(ANY, {DIVFP, ST0, ST1, ST0})),
    ON(FPREM1, AS(ANY, {DIVFP, ST0, ST1, ST0})),
    ON(FSQRT, FUNCTION),
    ON(FSIN, FUNCTION),
    ON(FCOS, FUNCTION),
    ON(F2XM1, FUNCTION),
    ON(FYL2X, FUNCTION_OF_TWO),
    ON(FYL2XP1, FUNCTION_OF_TWO),
    ON(FPATAN, FUNCTION_OF_TWO),
    ON(FPTAN, AS(ANY, {SQRTFP, ST0, ST0}, {LFPIMM, U1}, {MOVFP, ST0, U1})),
    ON(FSINCOS, AS(ANY, {SQRTFP, U1, ST0}, {SQRTFP, U2, ST0}, {MOVFP, ST1, U1}, {MOVFP, ST0, U2})),
    ON(FXTRACT, AS(ANY, {ADDFP, ST1, ST0}, {ADDFP, ST0, ST0})),
    ON(FCOMI, X87_COMPARE),
    ON(FCOMIP, X87_COMPARE),
    ON(FUCOMI, X87_COMPARE),
    ON(FUCOMIP, X87_COMPARE),
    ON(FCOM, X87_TEST),
    ON(FCOMP, X87_TEST),
    ON(FUCOM, X87_TEST),
    ON(FUCOMP, X87_TEST),
    ON(FCOMPP, AS(ANY, {COMPFP, NONE, ST0, ST1})),
    ON(FUCOMPP, AS(ANY, {COMPFP, NONE, ST0, ST1})),
    ON(FTST, AS(ANY, {COMPFP, NONE, ST0})),
    ON(FXAM, AS(ANY, {COMPFP, NONE, ST0})),
    ON(FCMOVB, MOVE_IF_X87),
    ON(FCMOVBE, MOVE_IF_X87),
    ON(FCMOVE, MOVE_IF_X87),
    ON(FCMOVNB, MOVE_IF_X87),
    ON(FCMOVNBE, MOVE_IF_X87),
    ON(FCMOVNE, MOVE_IF_X87),
    ON(FCMOVNU, MOVE_IF_X87),
    ON(FCMOVU, MOVE_IF_X87),
    ON(FLD, AS(MEMORY_80, {LD, T1, .size = 8}, {LD, T2, .size = 8}, {ADDFP, ST0, T1, T2}),
       AS(MEMORY, {LDFP, U1}, {MOVFP, ST0, U1}), AS(ANY, {MOVFP, ST0, D})),
    ON(FILD, AS(MEMORY, {LDFP, U1}, {MOVFP, ST0, U1})),
    ON(FST, AS(MEMORY, {STFP, ST0}), AS(ANY, {MOVFP, D, ST0})),
    ON(FSTP, AS(MEMORY_80, {CVTFP_INT, T1, ST0}, {CVTFP_INT, T2, ST0}, {ST, T1}, {ST, T2}, {FAULT}),
       AS(MEMORY, {MOVFP, U1, ST0}, {STFP, U1}, {FAULT}), AS(ANY, {MOVFP, D, ST0})),
    ON(FIST, AS(MEMORY, {CVTFP_INT, T1, ST0}, {ST, T1})),
    ON(FISTP, STORE_WHOLE),
    ON(FISTTP, STORE_WHOLE),
    ON(FXCH, AS(ANY, {MOVFP, U1, D}, {MOVFP, D, ST0}, {MOVFP, ST0, U1})),
    ON(FLDZ, CONSTANT),
    ON(FLD1, CONSTANT),
    ON(FLDPI, CONSTANT),
    ON(FLDL2E, CONSTANT),
    ON(FLDL2T, CONSTANT),
    ON(FLDLG2, CONSTANT),
    ON(FLDLN2, CONSTANT),
    ON(FLDCW, AS(MEMORY, {LD, T1}, {WRVAL, NONE, T1})),
    ON(FNSTCW, AS(MEMORY, {RDVAL, T1}, {ST, T1})),
    ON(FNSTSW, AS(MEMORY, {RDVAL, T1}, {ST, T1}),
       AS(ANY, {RDVAL, T1}, {MOV, RAX, NONE, T1, .size = 2})),
    ON(FNSTENV, AS(MEMORY, STORE_WORD, STORE_WORD, STORE_WORD, STORE_WORD, STORE_WORD, STORE_WORD,
                   STORE_WORD)),
    ON(FLDENV,
       AS(MEMORY, LOAD_WORD, LOAD_WORD, LOAD_WORD, LOAD_WORD, LOAD_WORD, LOAD_WORD, LOAD_WORD)),
    ON(FNOP, AS(ANY, {FAULT})),
    ON(FWAIT, AS(ANY, {FAULT})),
    ON(FNINIT, X87_CONTROL),
    ON(FNCLEX, X87_CONTROL),
    ON(FFREE, X87_CONTROL),
    ON(FDECSTP, X87_CONTROL),
    ON(FINCSTP, X87_CONTROL),
};

const struct recipe *recipe_float(ZydisMnemonic mnemonic) {
    return recipes[mnemonic];
}
