#include "decode/builder.h"

struct micro_op *builder_append(struct builder *builder, enum op_class op_class, uint8_t flags) {
    if (builder->count == DECODE_MOST)
        return NULL;
    struct micro_op *op = &builder->ops[builder->count++];
    *op = (struct micro_op){.op_class = (uint8_t)op_class, .flags = flags};
    return op;
}

static void add(uint8_t *registers, unsigned most, uint8_t number) {
    for (unsigned i = 0; number != NONE && i < most; i++) {
        if (registers[i] == number)
            return;
        if (registers[i] == NONE) {
            registers[i] = number;
            return;
        }
    }
}

void micro_op_reads(struct micro_op *op, uint8_t number) {
    add(op->source, MICRO_SOURCES, number);
}

void micro_op_writes(struct micro_op *op, uint8_t number) {
    add(op->destination, MICRO_DESTINATIONS, number);
}

uint8_t register_number(ZydisRegister name) {
    ZydisRegisterClass class = ZydisRegisterGetClass(name);
    switch (class) {
    case ZYDIS_REGCLASS_GPR8:
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
        name = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, name);
        return (uint8_t)(REGISTER_INTEGER + ZydisRegisterGetId(name));
    case ZYDIS_REGCLASS_GPR64:
        return (uint8_t)(REGISTER_INTEGER + ZydisRegisterGetId(name));
    case ZYDIS_REGCLASS_MMX:
    case ZYDIS_REGCLASS_X87:
        return (uint8_t)(REGISTER_X87 + ZydisRegisterGetId(name));
    case ZYDIS_REGCLASS_XMM:
    case ZYDIS_REGCLASS_YMM:
    case ZYDIS_REGCLASS_ZMM: /* AVX-512 has 32 of them: the upper 16 stand for the lower */
        return (uint8_t)(REGISTER_VECTOR + ZydisRegisterGetId(name) % 16 * 2);
    default:
        return NONE;
    }
}

static uint8_t resolve(const struct builder *builder, uint8_t place) {
    return place < REGISTERS ? place : builder->place[place - REGISTERS];
}

/* MMX registers have no high half. */
static bool names_missing_half(const struct builder *builder, const struct step *step) {
    const uint8_t places[] = {step->to, step->a, step->b};
    for (unsigned i = 0; i < sizeof places; i++)
        if ((places[i] == D1 || places[i] == S1) && resolve(builder, places[i]) == NONE)
            return true;
    return false;
}

/* A part of the flags is written as a whole: what a step does not set, it keeps. */
static void set_flags(struct micro_op *op, unsigned sets) {
    static const struct {
        uint8_t part;
        uint16_t flags;
    } parts[] = {
        {FLAGS_ZAPS, ZF | AF | PF | SF},
        {FLAGS_CFOF, CF | OF},
        {FLAGS_DF, DF},
        {FLAGS_ECF, ECF},
        {FLAGS_EZF, EZF},
    };
    for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        unsigned some = sets & parts[i].flags;
        if (some)
            micro_op_writes(op, FLAGS + parts[i].part);
        if (some && some != parts[i].flags)
            micro_op_reads(op, FLAGS + parts[i].part);
    }
}

static void use_registers(const struct builder *builder, struct micro_op *op,
                          const struct step *step) {
    const struct kind_properties *kind = &kind_properties[step->kind];
    uint8_t to = resolve(builder, step->to);
    uint8_t a = resolve(builder, step->a), b = resolve(builder, step->b);
    if (kind->traits & ADDRESSES && step->a == NONE && step->b == NONE) {
        a = builder->base;
        b = builder->index;
    }
    micro_op_reads(op, a);
    micro_op_reads(op, b);

    unsigned size = step->size ? step->size : builder->size;
    bool merged = kind->traits & KEEPS || (kind->traits & MERGES && size < 4);
    uint8_t upper = kind->traits & PAIR ? to + 1 : NONE;
    if (kind->traits & STORES || merged) {
        micro_op_reads(op, to);
        micro_op_reads(op, upper);
    }
    if (!(kind->traits & STORES)) {
        micro_op_writes(op, to);
        micro_op_writes(op, upper);
    }
    for (unsigned i = 0; i < sizeof kind->reads; i++)
        micro_op_reads(op, kind->reads[i]);
    for (unsigned i = 0; i < sizeof kind->writes; i++)
        micro_op_writes(op, kind->writes[i]);
    if (kind->traits & (CARRIES | TESTS))
        micro_op_reads(op, FLAGS + FLAGS_CFOF);
    if (kind->traits & TESTS) {
        micro_op_reads(op, FLAGS + FLAGS_ZAPS);
        micro_op_reads(op, FLAGS + FLAGS_ECF);
        micro_op_reads(op, FLAGS + FLAGS_EZF);
    }
    set_flags(op, step->sets);
}

void builder_step(struct builder *builder, const struct step *step) {
    static const struct step fence = {MFENCE};
    const struct kind_properties *kind = &kind_properties[step->kind];
    bool opens = builder->locked && (step->kind == LD_UPDATE || step->kind == LD_SPLIT);
    bool closes = builder->locked && (step->kind == ST || step->kind == ST_SPLIT);
    if (names_missing_half(builder, step))
        return;
    if (opens)
        builder_step(builder, &fence);
    uint8_t flags = kind->micro_flags | (opens || closes ? MICRO_LOCKED : 0);
    struct micro_op *op = builder_append(builder, kind->op_class, flags);
    if (op)
        use_registers(builder, op, step);
    if (closes)
        builder_step(builder, &fence);
}
