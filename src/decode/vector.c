/* Recipes of SSE and MMX: moves, shuffles and integers. Vectors are two halves. */
#include "decode/recipe.h"

#define PACKED(kind) .vector = true, AS(ANY, {kind, D0, D0, S0}, {kind, D1, D1, S1})
#define PACKED_UNARY(kind) .vector = true, AS(ANY, {kind, D0, S0}, {kind, D1, S1})
#define LOGIC PACKED(MLOGIC), .lea_first = true
/* By a count that is the low half of the second operand, or an immediate. */
#define SHIFT                                                                                      \
    .vector = true, .one_load = true, AS(IMMEDIATE, {MSHIFT, D0, D0}, {MSHIFT, D1, D1}),           \
    AS(ANY, {MSHIFT, D1, D1, S0}, {MSHIFT, D0, D0, S0})
/* By bytes, of which less than eight (a longer shift has two micro-operations more). */
#define SHIFT_BYTES(from, to)                                                                      \
    AS(ANY, {LIMM, T2}, {SUB, T1, T2, NONE, ECF, 1}, {BR}, {MSHIFT, U1, from}, {MSHIFT, to, to},   \
       {MSHIFT, from, from}, {MLOGIC, to, to, U1}, {FAULT})

#define WHOLE                                                                                      \
    AS(ANY, {MOVFP, D0, S0}, {MOVFP, D1, S1}), AS(FROM_MEMORY, {LDFP, D0}, {LDFP, D1}),            \
        AS(MEMORY, {STFP, S0}, {STFP, S1})
#define NON_TEMPORAL AS(MEMORY, {CDA}, {STFP, S0}, {STFP, S1})
#define LOW_HALF AS(FROM_MEMORY, {LDFP, D0}), AS(MEMORY, {STFP, S0})
#define HIGH_HALF AS(FROM_MEMORY, {LDFP, D1}), AS(MEMORY, {STFP, S1})
/* Between vectors and general registers; the high half becomes zero. */
#define ELEMENT                                                                                    \
    AS(TO_INTEGER, {MOV2INT, D, S0}), AS(FROM_INTEGER, {MOV2FP, D0, S}, {LFPIMM, D1}),             \
        AS(ANY, {MOVFP, D0, S0}, {LFPIMM, D1}), AS(FROM_MEMORY, {LDFP, D0}, {LFPIMM, D1}),         \
        AS(MEMORY, {STFP, S0})
#define SIGNS AS(ANY, {LIMM, D}, {MOVSIGN, D, S0}, {MOVSIGN, D, S1})
#define INSERT                                                                                     \
    AS(ANY, {MOV2FP, D0, S}, {MOV2FP, D1, S}),                                                     \
        AS(FROM_MEMORY, {LD, T1}, {MOV2FP, D0, T1}, {MOV2FP, D1, T1})
#define EXTRACT                                                                                    \
    AS(ANY, {MOV2INT, D, S0}, {MOV2INT, D, S1}),                                                   \
        AS(MEMORY, {MOV2INT, T1, S0}, {MOV2INT, T1, S1}, {ST, T1})
#define EXTEND                                                                                     \
    AS(ANY, {MOVFP, U1, S0}, {EXTMOVE, D0, U1}, {EXTMOVE, D1, U1}),                                \
        AS(FROM_MEMORY, {LDFP, U1}, {EXTMOVE, D0, U1}, {EXTMOVE, D1, U1})

/* The low half needs both of the first operand, the high half both of the second. */
#define CROSS(kind)                                                                                \
    AS(ANY, {kind, U1, D0, D1}, {kind, D1, S0, S1}, {MOVFP, D0, U1}),                              \
        AS(FROM_MEMORY, {LDFP, U1}, {LDFP, U2}, {kind, D0, D0, D1}, {kind, D1, U1, U2})
#define UNPACK_LOW                                                                                 \
    .vector = true, .one_load = true, AS(ANY, {UNPACK, D1, D0, S0}, {UNPACK, D0, D0, S0})
#define UNPACK_HIGH                                                                                \
    AS(ANY, {UNPACK, D0, D1, S1}, {UNPACK, D1, D1, S1}),                                           \
        AS(FROM_MEMORY, {LEA, T1, .size = 8}, {LDFP, U1, T1}, {UNPACK, D0, D1, U1},                \
           {UNPACK, D1, D1, U1})
#define BOTH_LOW AS(ANY, {MOVFP, D1, S0}), AS(FROM_MEMORY, {LDFP, D1})
#define BOTH_HIGH                                                                                  \
    AS(ANY, {MOVFP, D0, D1}, {MOVFP, D1, S1}),                                                     \
        AS(FROM_MEMORY, {LEA, T1, .size = 8}, {LDFP, U1, T1}, {MOVFP, D0, D1}, {MOVFP, D1, U1})
#define ALIGN(kind) .vector = true, AS(ANY, {MOVFP, U3, D0}, {kind, D0, D1, S0}, {kind, D1, U3, S1})
#define BLEND_BY_XMM0                                                                              \
    .vector = true, AS(ANY, {BLEND, D0, S0, REGISTER_VECTOR}, {BLEND, D1, S1, REGISTER_VECTOR + 1})
/* SSE4.2's string comparisons, which gem5 does not know. */
#define COMPARE_TEXT(result)                                                                       \
    .vector = true, AS(ANY, {MCMPI, U3, D0, S0}, {MCMPI, U4, D1, S1}, {MCMPI, U3, U3, U4},         \
                       {result, .a = U3, .sets = ARITHMETIC})

static const struct recipe *const recipes[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
    ON(MOVAPS, WHOLE),
    ON(MOVAPD, WHOLE),
    ON(MOVUPS, WHOLE),
    ON(MOVUPD, WHOLE),
    ON(MOVDQA, WHOLE),
    ON(MOVDQU, WHOLE),
    ON(LDDQU, WHOLE),
    ON(MOVNTDQA, WHOLE),
    ON(MOVNTPS, NON_TEMPORAL),
    ON(MOVNTPD, NON_TEMPORAL),
    ON(MOVNTDQ, NON_TEMPORAL),
    ON(MOVNTQ, AS(MEMORY, {STFP, S0})),
    ON(MOVLPS, LOW_HALF),
    ON(MOVLPD, LOW_HALF),
    ON(MOVHPS, HIGH_HALF),
    ON(MOVHPD, HIGH_HALF),
    ON(MOVHLPS, AS(ANY, {MOVFP, D0, S1})),
    ON(MOVLHPS, AS(ANY, {MOVFP, D1, S0})),
    ON(MOVDDUP, AS(ANY, {MOVFP, D1, S0}, {MOVFP, D0, S0}),
       AS(FROM_MEMORY, {LDFP, D0}, {MOVFP, D1, D0})),
    ON(MOVSLDUP, PACKED_UNARY(SHUFFLE)), /* not known to gem5, nor the next */
    ON(MOVSHDUP, PACKED_UNARY(SHUFFLE)),
    ON(MOVSS, AS(ANY, {MOVFP, D0, S0, .size = 4}),
       AS(FROM_MEMORY, {LFPIMM, D0}, {LFPIMM, D1}, {LDFP, D0}), AS(MEMORY, {STFP, S0})),
    ON(MOVSD, AS(ANY, {MOVFP, D0, S0}), AS(FROM_MEMORY, {LFPIMM, D1}, {LDFP, D0}),
       AS(MEMORY, {STFP, S0})),
    ON(MOVD, ELEMENT),
    ON(MOVQ, ELEMENT),
    ON(MOVDQ2Q, AS(ANY, {MOVFP, D0, S0})),
    ON(MOVQ2DQ, AS(ANY, {MOVFP, D0, S0}, {LFPIMM, D1})),
    ON(MOVMSKPS, SIGNS),
    ON(MOVMSKPD, SIGNS),
    ON(PMOVMSKB, SIGNS),
    ON(MASKMOVDQU, AS(ANY, {LDFP, U1, RDI}, {LDFP, U2, RDI}, {MASKMOV, U1, D0, S0},
                      {MASKMOV, U2, D1, S1}, {STFP, U1, RDI}, {STFP, U2, RDI})),
    ON(MASKMOVQ, AS(ANY, {LDFP, U1, RDI}, {MASKMOV, U1, D0, S0}, {STFP, U1, RDI})),

    ON(PINSRB, INSERT),
    ON(PINSRW, INSERT),
    ON(PINSRD, INSERT),
    ON(PINSRQ, INSERT),
    ON(PEXTRB, EXTRACT),
    ON(PEXTRW, EXTRACT),
    ON(PEXTRD, EXTRACT),
    ON(PEXTRQ, EXTRACT),
    ON(EXTRACTPS, EXTRACT),
    ON(INSERTPS, ALIGN(SHUFFLE), .one_load = true),
    ON(PMOVSXBW, EXTEND),
    ON(PMOVSXBD, EXTEND),
    ON(PMOVSXBQ, EXTEND),
    ON(PMOVSXWD, EXTEND),
    ON(PMOVSXWQ, EXTEND),
    ON(PMOVSXDQ, EXTEND),
    ON(PMOVZXBW, EXTEND),
    ON(PMOVZXBD, EXTEND),
    ON(PMOVZXBQ, EXTEND),
    ON(PMOVZXWD, EXTEND),
    ON(PMOVZXWQ, EXTEND),
    ON(PMOVZXDQ, EXTEND),

    ON(PACKSSDW, CROSS(PACK)),
    ON(PACKSSWB, CROSS(PACK)),
    ON(PACKUSDW, CROSS(PACK)),
    ON(PACKUSWB, CROSS(PACK)),
    ON(SHUFPS, CROSS(SHUFFLE)),
    ON(SHUFPD, CROSS(SHUFFLE)),
    ON(PSHUFD, AS(ANY, {SHUFFLE, U1, S0, S1}, {SHUFFLE, D1, S0, S1}, {MOVFP, D0, U1}),
       AS(FROM_MEMORY, {LDFP, U1}, {LDFP, U2}, {SHUFFLE, D0, U1, U2}, {SHUFFLE, D1, U1, U2})),
    ON(PSHUFHW, AS(ANY, {SHUFFLE, D1, S1, S1}), AS(FROM_MEMORY, {LDFP, U1}, {SHUFFLE, D1, U1})),
    ON(PSHUFLW, AS(ANY, {SHUFFLE, D0, S0, S0}), AS(FROM_MEMORY, {LDFP, U1}, {SHUFFLE, D0, U1})),
    ON(PSHUFW, .vector = true, AS(ANY, {SHUFFLE, D0, S0, S0})),
    ON(PSHUFB,
       AS(ANY, {MOVFP, U1, S0}, {MOVFP, U2, S1}, {SHUFFLE, U1, D0, D1}, {SHUFFLE, U2, D0, D1},
          {MOVFP, D0, U1}, {MOVFP, D1, U2}),
       AS(FROM_MEMORY, {LDFP, U1}, {LDFP, U2}, {SHUFFLE, U1, D0, D1}, {SHUFFLE, U2, D0, D1},
          {MOVFP, D0, U1}, {MOVFP, D1, U2})),
    ON(PUNPCKLBW, UNPACK_LOW),
    ON(PUNPCKLWD, UNPACK_LOW),
    ON(PUNPCKLDQ, UNPACK_LOW),
    ON(UNPCKLPS, UNPACK_LOW),
    ON(PUNPCKHBW, UNPACK_HIGH),
    ON(PUNPCKHWD, UNPACK_HIGH),
    ON(PUNPCKHDQ, UNPACK_HIGH),
    ON(UNPCKHPS, UNPACK_HIGH),
    ON(PUNPCKLQDQ, BOTH_LOW),
    ON(UNPCKLPD, BOTH_LOW),
    ON(PUNPCKHQDQ, BOTH_HIGH),
    ON(UNPCKHPD, BOTH_HIGH),
    ON(PALIGNR, ALIGN(SHUFFLE)),
    ON(PBLENDW, PACKED_UNARY(BLEND)),
    ON(BLENDPS, PACKED_UNARY(BLEND)),
    ON(BLENDPD, PACKED_UNARY(BLEND)),
    ON(PBLENDVB, BLEND_BY_XMM0),
    ON(BLENDVPS, BLEND_BY_XMM0),
    ON(BLENDVPD, BLEND_BY_XMM0),

    ON(PAND, LOGIC),
    ON(PANDN, LOGIC),
    ON(POR, LOGIC),
    ON(PXOR, LOGIC),
    ON(ANDPS, LOGIC),
    ON(ANDPD, LOGIC),
    ON(ANDNPS, LOGIC),
    ON(ANDNPD, LOGIC),
    ON(ORPS, LOGIC),
    ON(ORPD, LOGIC),
    ON(XORPS, PACKED(MLOGIC)),
    ON(XORPD, PACKED(MLOGIC)),
    ON(PTEST, .vector = true, /* not known to gem5 */
       AS(ANY, {MLOGIC, U3, D0, S0}, {MLOGIC, U4, D1, S1},
          {COMPARE_FLAGS, .a = U3, .b = U4, .sets = ARITHMETIC})),

    ON(PADDB, PACKED(MADDI)),
    ON(PADDW, PACKED(MADDI)),
    ON(PADDD, PACKED(MADDI)),
    ON(PADDQ, PACKED(MADDI)),
    ON(PADDSB, PACKED(MADDI)),
    ON(PADDSW, PACKED(MADDI)),
    ON(PADDUSB, PACKED(MADDI)),
    ON(PADDUSW, PACKED(MADDI)),
    ON(PSUBB, PACKED(MADDI)),
    ON(PSUBW, PACKED(MADDI)),
    ON(PSUBD, PACKED(MADDI)),
    ON(PSUBQ, PACKED(MADDI)),
    ON(PSUBSB, PACKED(MADDI)),
    ON(PSUBSW, PACKED(MADDI)),
    ON(PSUBUSB, PACKED(MADDI)),
    ON(PSUBUSW, PACKED(MADDI)),
    ON(PAVGB, PACKED(MADDI)),
    ON(PAVGW, PACKED(MADDI)),
    ON(PSADBW, PACKED(MSAD)),
    ON(PABSB, PACKED_UNARY(PABS)),
    ON(PABSW, PACKED_UNARY(PABS)),
    ON(PABSD, PACKED_UNARY(PABS)),
    ON(PSIGNB, PACKED(MADDI)),
    ON(PSIGNW, PACKED(MADDI)),
    ON(PSIGND, PACKED(MADDI)),
    ON(PHADDW, CROSS(MADDI)),
    ON(PHADDD, CROSS(MADDI)),
    ON(PHSUBW, CROSS(MADDI)),
    ON(PHSUBD, CROSS(MADDI)),
    ON(PCMPEQB, PACKED(MCMPI)),
    ON(PCMPEQW, PACKED(MCMPI)),
    ON(PCMPEQD, PACKED(MCMPI)),
    ON(PCMPEQQ, PACKED(MCMPI)),
    ON(PCMPGTB, PACKED(MCMPI)),
    ON(PCMPGTW, PACKED(MCMPI)),
    ON(PCMPGTD, PACKED(MCMPI)),
    ON(PCMPGTQ, PACKED(MCMPI)),
    ON(PMINUB, PACKED(MCMPI)),
    ON(PMINUW, PACKED(MCMPI)),
    ON(PMINUD, PACKED(MCMPI)),
    ON(PMINSB, PACKED(MCMPI)),
    ON(PMINSW, PACKED(MCMPI)),
    ON(PMINSD, PACKED(MCMPI)),
    ON(PMAXUB, PACKED(MCMPI)),
    ON(PMAXUW, PACKED(MCMPI)),
    ON(PMAXUD, PACKED(MCMPI)),
    ON(PMAXSB, PACKED(MCMPI)),
    ON(PMAXSW, PACKED(MCMPI)),
    ON(PMAXSD, PACKED(MCMPI)),
    ON(PHMINPOSUW, .vector = true, AS(ANY, {MCMPI, D0, S0, S1}, {XORFP, D1, D1})),
    ON(PMULHW, PACKED(MMULI)),
    ON(PMULHUW, PACKED(MMULI)),
    ON(PMULLW, PACKED(MMULI)),
    ON(PMULLD, PACKED(MMULI)),
    ON(PMULUDQ, PACKED(MMULI)),
    ON(PMULDQ, PACKED(MMULI)),
    ON(PMULHRSW, PACKED(MMULI)),
    ON(PMADDUBSW, PACKED(MMULI)),
    ON(PMADDWD, .vector = true,
       AS(ANY, {MMULI, U3, D0, S0}, {MMULI, U4, D0, S0}, {MADDI, D0, U3, U4}, {MMULI, U3, D1, S1},
          {MMULI, U4, D1, S1}, {MADDI, D1, U3, U4})),
    ON(PSLLW, SHIFT),
    ON(PSLLD, SHIFT),
    ON(PSLLQ, SHIFT),
    ON(PSRLW, SHIFT),
    ON(PSRLD, SHIFT),
    ON(PSRLQ, SHIFT),
    ON(PSRAW, SHIFT),
    ON(PSRAD, SHIFT),
    ON(PSLLDQ, SHIFT_BYTES(D0, D1)),
    ON(PSRLDQ, SHIFT_BYTES(D1, D0)),

    ON(PCMPISTRI, COMPARE_TEXT(MOV2INT)),
    ON(PCMPESTRI, COMPARE_TEXT(MOV2INT)),
    ON(PCMPISTRM, COMPARE_TEXT(MOVFP)),
    ON(PCMPESTRM, COMPARE_TEXT(MOVFP)),
    ON(EMMS, AS(ANY, {EMMS})),
};

const struct recipe *recipe_vector(ZydisMnemonic mnemonic) {
    return recipes[mnemonic];
}
