#include "decode/decode.h"

#include <string.h>

#include "decode/builder.h"

#define OPERANDS_VISIBLE 3 /* that recipes name */

/* An instruction as Zydis sees it. */
struct view {
    ZydisDecodedInstruction decoded;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

static bool has_memory(const ZydisDecodedOperand *operand) {
    return operand->type == ZYDIS_OPERAND_TYPE_MEMORY;
}

/* The memory operand that recipes speak of; NULL: none. */
static const ZydisDecodedOperand *memory_of(const struct view *view) {
    for (unsigned i = 0; i < view->decoded.operand_count_visible; i++)
        if (has_memory(&view->operands[i]))
            return &view->operands[i];
    return NULL;
}

static ZydisRegisterClass class_of(const struct view *view, unsigned i) {
    if (i >= view->decoded.operand_count_visible ||
        view->operands[i].type != ZYDIS_OPERAND_TYPE_REGISTER)
        return ZYDIS_REGCLASS_INVALID;
    return ZydisRegisterGetClass(view->operands[i].reg.value);
}

static bool is_general(ZydisRegisterClass class) {
    return class == ZYDIS_REGCLASS_GPR32 || class == ZYDIS_REGCLASS_GPR64;
}

static bool is_vector(ZydisRegisterClass class) {
    return class == ZYDIS_REGCLASS_XMM || class == ZYDIS_REGCLASS_MMX;
}

static bool is_repeated(const struct view *view) {
    return view->decoded.attributes &
           (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
}

/* Has the instruction this form of operands? */
static bool has_form(const struct view *view, enum form form) {
    unsigned count = view->decoded.operand_count_visible;
    const ZydisDecodedOperand *first = &view->operands[0], *last = first + (count ? count - 1 : 0);
    bool in_memory = count && has_memory(first);
    bool immediate = count && last->type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
    switch (form) {
    case FROM_MEMORY:
        return !in_memory && memory_of(view);
    case MEMORY_80:
        return in_memory && first->size == 80;
    case MEMORY_IMMEDIATE:
        return in_memory && immediate;
    case MEMORY:
        return in_memory;
    case REPEATED:
        return is_repeated(view);
    case BYTE:
        return view->decoded.operand_width == 8 || class_of(view, 1) == ZYDIS_REGCLASS_GPR8;
    case DOUBLE_WORD:
        return view->decoded.operand_width == 32;
    case TO_INTEGER:
        return is_general(class_of(view, 0)) && is_vector(class_of(view, 1));
    case FROM_INTEGER:
        return is_vector(class_of(view, 0)) && is_general(class_of(view, 1));
    case IMMEDIATE:
        return immediate;
    case ONE:
        return count == 1;
    case THREE:
        return count == 3;
    default:
        return true;
    }
}

static bool names(const struct step *steps, uint8_t place) {
    for (const struct step *step = steps; step->kind != END; step++)
        if (step->to == place || step->a == place || step->b == place)
            return true;
    return false;
}

static void set_place(struct builder *builder, uint8_t place, uint8_t number) {
    builder->place[place - REGISTERS] = number;
}

/* The registers among the operands. */
static void place_registers(struct builder *builder, const struct view *view) {
    for (unsigned i = 0; i < view->decoded.operand_count_visible && i < OPERANDS_VISIBLE; i++) {
        ZydisRegisterClass class = class_of(view, i);
        if (class == ZYDIS_REGCLASS_INVALID)
            continue;
        uint8_t number = register_number(view->operands[i].reg.value);
        set_place(builder, (uint8_t)(D + i), number);
        if (i == 1)
            set_place(builder, N, number);
        if (i > 1)
            continue;
        set_place(builder, i ? S0 : D0, number);
        if (class != ZYDIS_REGCLASS_MMX)
            set_place(builder, i ? S1 : D1, number + 1);
    }
}

static void place_address(struct builder *builder, const ZydisDecodedOperand *memory) {
    builder->rip_relative = memory->mem.base == ZYDIS_REGISTER_RIP;
    builder->base = builder->rip_relative ? T7 : register_number(memory->mem.base);
    builder->index = register_number(memory->mem.index);
    set_place(builder, BASE, builder->base);
    set_place(builder, INDEX, builder->index);
}

/* Immediates that the steps name go into a temporary. */
static void load_immediates(struct builder *builder, const struct view *view,
                            const struct step *steps) {
    uint8_t temporary = memory_of(view) ? T2 : T1;
    for (unsigned i = 0; i < view->decoded.operand_count_visible && i < OPERANDS_VISIBLE; i++) {
        uint8_t place = (uint8_t)(D + i);
        if (view->operands[i].type != ZYDIS_OPERAND_TYPE_IMMEDIATE || !names(steps, place))
            continue;
        builder_step(builder, &(struct step){LIMM, temporary});
        set_place(builder, place, temporary);
    }
}

static void load_vector(struct builder *builder, const struct recipe *recipe, unsigned bytes) {
    bool whole = bytes > 8 && !recipe->one_load;
    uint8_t address = NONE;
    if (recipe->lea_first && whole) {
        address = T1;
        builder_step(builder, &(struct step){LEA, T1, .size = 8});
    }
    builder_step(builder, &(struct step){LDFP, U1, address});
    if (whole)
        builder_step(builder, &(struct step){LDFP, U2, address});
    set_place(builder, S0, U1);
    set_place(builder, S1, whole ? U2 : U1);
}

/* Steps that do not say where their operands come from: load them before, store them after. */
static void expand(struct builder *builder, const struct view *view, const struct recipe *recipe,
                   const struct step *steps) {
    const ZydisDecodedOperand *memory = memory_of(view);
    bool loads = memory && memory->actions & ZYDIS_OPERAND_ACTION_MASK_READ;
    bool stores = memory && memory->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
    load_immediates(builder, view, steps);
    if (loads && recipe->vector) {
        load_vector(builder, recipe, memory->size / 8);
    } else if (memory) {
        uint8_t bytes = (uint8_t)(memory->size / 8);
        uint8_t kind = stores ? LD_UPDATE : LD;
        if (loads)
            builder_step(builder, &(struct step){kind, T1, .size = bytes});
        set_place(builder, (uint8_t)(D + (memory - view->operands)), T1);
        if (memory == &view->operands[1])
            set_place(builder, N, T1);
    }
    for (const struct step *step = steps; step->kind != END; step++)
        builder_step(builder, step);
    if (stores)
        builder_step(builder, &(struct step){ST, T1});
}

static void follow(struct builder *builder, const struct view *view, const struct recipe *recipe) {
    enum form form = FROM_MEMORY;
    while (form < FORMS && !(recipe->as[form] && has_form(view, form)))
        form++;
    if (form == FORMS) {
        generic_instruction(builder, &view->decoded, view->operands);
        return;
    }
    const struct step *steps = recipe->as[form];
    bool knows_rip = steps[0].kind == RDIP && steps[0].to == T7;
    if (builder->rip_relative && !knows_rip)
        builder_step(builder, &(struct step){RDIP, T7});
    if (form > MEMORY) {
        expand(builder, view, recipe, steps);
        return;
    }
    for (const struct step *step = steps; step->kind != END; step++)
        builder_step(builder, step);
}

static const struct recipe *recipe_of(const struct view *view) {
    ZydisMnemonic mnemonic = view->decoded.mnemonic;
    if (view->decoded.meta.category == ZYDIS_CATEGORY_STRINGOP)
        return recipe_string(mnemonic);
    if (view->decoded.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR && mnemonic != ZYDIS_MNEMONIC_IRETQ)
        return NULL;
    const struct recipe *recipe = NULL;
    if (mnemonic == ZYDIS_MNEMONIC_MOV)
        recipe = recipe_machine_move(class_of(view, 1), class_of(view, 0));
    if (!recipe)
        recipe = recipe_integer(mnemonic);
    if (!recipe)
        recipe = recipe_control(mnemonic);
    if (!recipe)
        recipe = recipe_vector(mnemonic);
    if (!recipe)
        recipe = recipe_float(mnemonic);
    return recipe;
}

static enum branch_kind branch_of(const struct view *view) {
    bool direct = view->operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
    if (view->decoded.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
        return BRANCH_NONE;
    switch (view->decoded.meta.category) {
    case ZYDIS_CATEGORY_COND_BR:
        return BRANCH_CONDITIONAL;
    case ZYDIS_CATEGORY_UNCOND_BR:
        return direct ? BRANCH_JUMP : BRANCH_INDIRECT;
    case ZYDIS_CATEGORY_CALL:
        return direct ? BRANCH_CALL : BRANCH_INDIRECT_CALL;
    case ZYDIS_CATEGORY_RET:
        return view->decoded.mnemonic == ZYDIS_MNEMONIC_RET ? BRANCH_RETURN : BRANCH_NONE;
    default:
        return BRANCH_NONE;
    }
}

static void set_branch(struct instruction *instruction, struct builder *builder,
                       const struct view *view, uint64_t address) {
    instruction->branch = (uint8_t)branch_of(view);
    bool marked = instruction->branch == BRANCH_NONE;
    for (unsigned i = 0; i < builder->count; i++)
        marked |= builder->ops[i].flags & MICRO_BRANCH;
    if (!marked) /* no recipe */
        builder->ops[builder->count - 1].flags |= MICRO_BRANCH;
    if (instruction->branch == BRANCH_CONDITIONAL || instruction->branch == BRANCH_JUMP ||
        instruction->branch == BRANCH_CALL)
        instruction->target =
            address + view->decoded.length + (uint64_t)view->operands[0].imm.value.s;
}

static bool view_make(struct view *view, const uint8_t *bytes, unsigned size) {
    ZydisDecoder decoder;
    ZydisDecoderContext context;
    return ZYAN_SUCCESS(
               ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) &&
           ZYAN_SUCCESS(
               ZydisDecoderDecodeInstruction(&decoder, &context, bytes, size, &view->decoded)) &&
           ZYAN_SUCCESS(ZydisDecoderDecodeOperands(&decoder, &context, &view->decoded,
                                                   view->operands, view->decoded.operand_count));
}

/* Once all other flags are known. */
static void mark_plain(struct micro_op *ops, unsigned count) {
    for (struct micro_op *op = ops; op < ops + count; op++)
        if (!op->flags && op->op_class != OP_NOTHING && op->op_class != OP_LOAD &&
            op->op_class != OP_STORE && op->source[2] == REGISTER_NONE)
            op->flags = MICRO_PLAIN;
}

void decode_instruction(const uint8_t *bytes, unsigned size, uint64_t address,
                        struct instruction *instruction, struct micro_op ops[DECODE_MOST]) {
    struct view view;
    struct builder builder = {.ops = ops};
    *instruction = (struct instruction){.length = (uint8_t)size};
    if (!view_make(&view, bytes, size)) {
        builder_append(&builder, OP_SYSTEM, MICRO_SERIALIZE_BEFORE | MICRO_SERIALIZE_AFTER);
        instruction->micro_op_count = (uint8_t)builder.count;
        return;
    }

    const ZydisDecodedOperand *memory = memory_of(&view);
    builder.size = (uint8_t)(view.decoded.operand_width / 8);
    builder.locked = view.decoded.attributes & ZYDIS_ATTRIB_HAS_LOCK ||
                     (view.decoded.mnemonic == ZYDIS_MNEMONIC_XCHG && memory);
    place_registers(&builder, &view);
    if (memory)
        place_address(&builder, memory);
    const struct recipe *recipe = recipe_of(&view);
    if (recipe)
        follow(&builder, &view, recipe);
    if (!builder.count) /* no recipe, or all its steps are for high halves that MMX lacks */
        generic_instruction(&builder, &view.decoded, view.operands);

    instruction->length = view.decoded.length;
    instruction->micro_op_count = (uint8_t)builder.count;
    instruction->repeats = is_repeated(&view);
    set_branch(instruction, &builder, &view, address);
    mark_plain(ops, builder.count);
}
