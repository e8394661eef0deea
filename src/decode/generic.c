/* Instructions without a recipe: what they read and write as Zydis knows it. */
#include "decode/builder.h"

static bool is_vector(ZydisRegisterClass class) {
    return class == ZYDIS_REGCLASS_XMM || class == ZYDIS_REGCLASS_YMM ||
           class == ZYDIS_REGCLASS_ZMM;
}

static bool is_float(ZydisElementType type) {
    return type == ZYDIS_ELEMENT_TYPE_FLOAT16 || type == ZYDIS_ELEMENT_TYPE_FLOAT32 ||
           type == ZYDIS_ELEMENT_TYPE_FLOAT64 || type == ZYDIS_ELEMENT_TYPE_FLOAT80;
}

static enum op_class class_of(const ZydisDecodedInstruction *decoded,
                              const ZydisDecodedOperand *operands) {
    if (decoded->meta.category == ZYDIS_CATEGORY_SYSTEM ||
        decoded->attributes & ZYDIS_ATTRIB_IS_PRIVILEGED ||
        decoded->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
        return OP_SYSTEM;
    for (unsigned i = 0; i < decoded->operand_count; i++) {
        if (operands[i].type != ZYDIS_OPERAND_TYPE_REGISTER)
            continue;
        ZydisRegisterClass class = ZydisRegisterGetClass(operands[i].reg.value);
        if (class == ZYDIS_REGCLASS_X87)
            return OP_FP_MISC;
        if (is_vector(class) || class == ZYDIS_REGCLASS_MMX)
            return is_float(operands[i].element_type) ? OP_FP_ADD : OP_SIMD_INT;
    }
    return OP_INT_ALU;
}

/* An access of 16 bytes is two micro-operations; `data` is the register of the first. */
static void access_memory(struct builder *builder, const ZydisDecodedOperand *operand, bool store,
                          uint8_t data) {
    unsigned halves = operand->size > 64 ? 2 : 1;
    for (unsigned i = 0; i < halves; i++) {
        struct micro_op *op = builder_append(builder, store ? OP_STORE : OP_LOAD, 0);
        if (!op)
            return;
        micro_op_reads(op, register_number(operand->mem.base));
        micro_op_reads(op, register_number(operand->mem.index));
        if (store)
            micro_op_reads(op, data);
        else
            micro_op_writes(op, (uint8_t)(data + i));
    }
}

static void use_register(struct micro_op *op, const ZydisDecodedOperand *operand) {
    uint8_t number = register_number(operand->reg.value);
    unsigned halves = is_vector(ZydisRegisterGetClass(operand->reg.value)) ? 2 : 1;
    for (unsigned i = 0; number != NONE && i < halves; i++) {
        if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_READ)
            micro_op_reads(op, (uint8_t)(number + i));
        if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
            micro_op_writes(op, (uint8_t)(number + i));
    }
}

static bool is_memory(const ZydisDecodedOperand *operand) {
    return operand->type == ZYDIS_OPERAND_TYPE_MEMORY && operand->mem.type == ZYDIS_MEMOP_TYPE_MEM;
}

void generic_instruction(struct builder *builder, const ZydisDecodedInstruction *decoded,
                         const ZydisDecodedOperand *operands) {
    for (unsigned i = 0; i < decoded->operand_count; i++)
        if (is_memory(&operands[i]) && operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_READ)
            access_memory(builder, &operands[i], false, U1);

    struct micro_op *op = builder_append(builder, class_of(decoded, operands), 0);
    if (!op)
        return;
    if (op->op_class == OP_SYSTEM)
        op->flags = MICRO_SERIALIZE_BEFORE | MICRO_SERIALIZE_AFTER;
    for (unsigned i = 0; i < decoded->operand_count; i++) {
        if (operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER)
            use_register(op, &operands[i]);
        if (!is_memory(&operands[i]))
            continue;
        if (operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_READ) {
            micro_op_reads(op, U1);
            micro_op_reads(op, operands[i].size > 64 ? U2 : NONE);
        }
        if (operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
            micro_op_writes(op, U3);
    }
    if (decoded->cpu_flags && decoded->cpu_flags->tested) {
        micro_op_reads(op, FLAGS + FLAGS_ZAPS);
        micro_op_reads(op, FLAGS + FLAGS_CFOF);
    }
    if (decoded->cpu_flags && decoded->cpu_flags->modified) {
        micro_op_writes(op, FLAGS + FLAGS_ZAPS);
        micro_op_writes(op, FLAGS + FLAGS_CFOF);
    }

    for (unsigned i = 0; i < decoded->operand_count; i++)
        if (is_memory(&operands[i]) && operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
            access_memory(builder, &operands[i], true, U3);
}
