#include "plugin/implied.h"

#include <string.h>

#include "plugin/decoder.h"

/* What is known of a register: the value that some register had at some place, which has a number,
 * and how much has been added to it since. */
#define GENERAL_REGISTERS 16
struct value {
    uint32_t origin;
    int64_t added;
};

/* An address, but for a constant. */
struct place {
    uint32_t base, index; /* origins; NOTHING: there is none */
    uint8_t scale, segment;
};
#define NOTHING 0
#define INSTRUCTION_POINTER 1 /* what is added is the whole address */
#define ORIGINS 2             /* the first one of a register */

struct leader {
    struct place place;
    int64_t offset;
    uint16_t index;
    bool valid, store;
};

struct search {
    const struct instruction_view *view;
    size_t index, count;
    struct value registers[GENERAL_REGISTERS];
    uint32_t origins; /* given out */
    struct leader leaders[IMPLIED_LEADERS];
    struct implied *implied;
};

struct operation {
    ZydisDecodedInstruction decoded;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

/* 0 … 15, or -1: no general register, or not the whole of it when `whole`. */
static int general(ZydisRegister name, bool whole) {
    ZydisRegister large = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, name);
    if (large < ZYDIS_REGISTER_RAX || large > ZYDIS_REGISTER_R15 || (whole && large != name))
        return -1;
    return large - ZYDIS_REGISTER_RAX;
}

static void forget(struct search *search, int number) {
    search->registers[number] = (struct value){.origin = search->origins++};
}

/* The address of a memory operand. False if it cannot be said:
 * parts of registers, a size of 32 bits. */
static bool place_of(const struct search *search, const struct operation *operation,
                     const ZydisDecodedOperand *operand, struct place *place, int64_t *offset) {
    if (operation->decoded.address_width != 64)
        return false;
    bool apart =
        operand->mem.segment == ZYDIS_REGISTER_FS || operand->mem.segment == ZYDIS_REGISTER_GS;
    *place = (struct place){.segment = apart ? (uint8_t)operand->mem.segment : 0};
    *offset = operand->mem.disp.has_displacement ? operand->mem.disp.value : 0;
    if (operand->mem.base == ZYDIS_REGISTER_RIP) {
        place->base = INSTRUCTION_POINTER;
        *offset += (int64_t)(search->view->virtual_address + search->view->size);
    } else if (operand->mem.base != ZYDIS_REGISTER_NONE) {
        int base = general(operand->mem.base, true);
        if (base < 0)
            return false;
        place->base = search->registers[base].origin;
        *offset += search->registers[base].added;
    }
    if (operand->mem.index != ZYDIS_REGISTER_NONE) {
        int index = general(operand->mem.index, true);
        if (index < 0)
            return false;
        place->index = search->registers[index].origin;
        place->scale = operand->mem.scale;
        *offset += search->registers[index].added * operand->mem.scale;
    }
    return true;
}

static bool same_place(const struct place *a, const struct place *b) {
    return a->base == b->base && a->index == b->index && a->scale == b->scale &&
           a->segment == b->segment;
}

/* The leader's group takes one more access at this distance, if it does not become too wide. */
static bool joins(struct search *search, const struct leader *leader, int64_t distance) {
    if (distance <= -IMPLIED_SPAN || distance >= IMPLIED_SPAN)
        return false;
    uint16_t below = search->implied->instruction[leader->index].below,
             above = search->implied->instruction[leader->index].above;
    if (distance < -below)
        below = (uint16_t)-distance;
    if (distance > above)
        above = (uint16_t)distance;
    if (below + above >= IMPLIED_SPAN)
        return false;
    search->implied->instruction[leader->index].leads = true;
    search->implied->instruction[leader->index].below = below;
    search->implied->instruction[leader->index].above = above;
    return true;
}

static bool is_implied(struct search *search, const struct place *place, int64_t offset,
                       uint8_t size, bool store) {
    struct implied *implied = search->implied;
    for (size_t i = 0; i < IMPLIED_LEADERS && implied->count < IMPLIED_MOST; i++) {
        const struct leader *leader = &search->leaders[i];
        int64_t distance = (int64_t)((uint64_t)offset - (uint64_t)leader->offset);
        if (!leader->valid || !same_place(&leader->place, place) ||
            (search->index + 1 == search->count && store && !leader->store) ||
            !joins(search, leader, distance))
            continue;
        implied->access[implied->count++] = (struct implied_access){
            .index = (uint16_t)search->index,
            .leader = leader->index,
            .distance = (int16_t)distance,
            .size = size,
            .store = store,
        };
        return true;
    }
    return false;
}

/* One access. One that is not implied may imply those that come. */
static void take_access(struct search *search, const struct operation *operation,
                        const ZydisDecodedOperand *operand, bool store) {
    struct implied_instruction *instruction = &search->implied->instruction[search->index];
    struct place place;
    int64_t offset;
    if (!place_of(search, operation, operand, &place, &offset))
        return;
    if (is_implied(search, &place, offset, (uint8_t)(operand->size / 8), store)) {
        *(store ? &instruction->store : &instruction->load) = true;
        return;
    }
    search->leaders[search->index % IMPLIED_LEADERS] = (struct leader){
        .place = place,
        .offset = offset,
        .index = (uint16_t)search->index,
        .valid = true,
        .store = store,
    };
}

/* Instructions whose accesses are those of their memory operands. */
static bool is_plain(const struct operation *operation) {
    const ZydisDecodedInstruction *decoded = &operation->decoded;
    if (decoded->attributes & (ZYDIS_ATTRIB_HAS_LOCK | ZYDIS_ATTRIB_HAS_REP |
                               ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE))
        return false;
    switch (decoded->mnemonic) {
    case ZYDIS_MNEMONIC_MOV: /* between general registers, memory and immediate values */
        return decoded->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
               ((decoded->opcode >= 0x88 && decoded->opcode <= 0x8b) || decoded->opcode == 0xc6 ||
                decoded->opcode == 0xc7);
    case ZYDIS_MNEMONIC_ADC:
    case ZYDIS_MNEMONIC_ADD:
    case ZYDIS_MNEMONIC_AND:
    case ZYDIS_MNEMONIC_CMP:
    case ZYDIS_MNEMONIC_DEC:
    case ZYDIS_MNEMONIC_INC:
    case ZYDIS_MNEMONIC_MOVSX:
    case ZYDIS_MNEMONIC_MOVSXD:
    case ZYDIS_MNEMONIC_MOVZX:
    case ZYDIS_MNEMONIC_NEG:
    case ZYDIS_MNEMONIC_NOT:
    case ZYDIS_MNEMONIC_OR:
    case ZYDIS_MNEMONIC_SBB:
    case ZYDIS_MNEMONIC_SUB:
    case ZYDIS_MNEMONIC_TEST:
    case ZYDIS_MNEMONIC_XOR:
        return true;
    default:
        return decoded->meta.category == ZYDIS_CATEGORY_CMOV;
    }
}

/* Those that use the stack and no other memory. */
static bool is_stack(const struct operation *operation) {
    const ZydisDecodedInstruction *decoded = &operation->decoded;
    if (decoded->opcode_map != ZYDIS_OPCODE_MAP_DEFAULT || decoded->operand_width != 64)
        return false;
    return (decoded->opcode >= 0x50 && decoded->opcode <= 0x5f) || /* push and pop a register */
           decoded->opcode == 0x68 || decoded->opcode == 0x6a ||   /* push a value */
           decoded->opcode == 0xe8 || decoded->opcode == 0xc3 ||   /* call, ret */
           (decoded->opcode == 0xff && decoded->raw.modrm.mod == 3 &&
            decoded->raw.modrm.reg == 2); /* call a register */
}

/* The memory operand; NULL: none, or more than one. */
static const ZydisDecodedOperand *memory_operand(const struct operation *operation) {
    const ZydisDecodedOperand *found = NULL;
    for (unsigned i = 0; i < operation->decoded.operand_count; i++) {
        const ZydisDecodedOperand *operand = &operation->operands[i];
        if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY || operand->mem.type != ZYDIS_MEMOP_TYPE_MEM)
            continue;
        if (found)
            return NULL;
        found = operand;
    }
    return found;
}

/* The access of an instruction that uses the stack, and what it does to the stack pointer. */
#define STACK_POINTER 4
static void take_stack(struct search *search, const struct operation *operation) {
    bool pops = (operation->decoded.opcode & 0xf8) == 0x58 || operation->decoded.opcode == 0xc3;
    ZydisDecodedOperand operand = {
        .size = 64,
        .type = ZYDIS_OPERAND_TYPE_MEMORY,
        .mem = {.base = ZYDIS_REGISTER_RSP,
                .disp = {.has_displacement = true, .value = pops ? 0 : -8}}};
    take_access(search, operation, &operand, !pops);
    search->registers[STACK_POINTER].added += pops ? 8 : -8;
    if (pops && operation->decoded.opcode != 0xc3)
        forget(search, general(operation->operands[0].reg.value, false));
}

/* A store behind a load of the same instruction is implied by what implies the load, or by it. */
static void take_plain(struct search *search, const struct operation *operation) {
    const ZydisDecodedOperand *operand = memory_operand(operation);
    if (!operand)
        return;
    if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_READ)
        take_access(search, operation, operand, false);
    if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
        take_access(search, operation, operand, true);
}

/* What an instruction leaves in a register, if it can be said by what was in one before. */
static bool follow_value(const struct search *search, const struct operation *operation,
                         struct value *value) {
    const ZydisDecodedInstruction *decoded = &operation->decoded;
    const ZydisDecodedOperand *from = &operation->operands[1];
    int to = general(operation->operands[0].reg.value, true), other = -1;
    if (decoded->operand_count_visible == 0 ||
        operation->operands[0].type != ZYDIS_OPERAND_TYPE_REGISTER || to < 0)
        return false;
    *value = search->registers[to];
    switch (decoded->mnemonic) {
    case ZYDIS_MNEMONIC_INC:
        value->added++;
        return true;
    case ZYDIS_MNEMONIC_DEC:
        value->added--;
        return true;
    case ZYDIS_MNEMONIC_ADD:
    case ZYDIS_MNEMONIC_SUB:
        if (from->type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
            return false;
        value->added +=
            decoded->mnemonic == ZYDIS_MNEMONIC_ADD ? from->imm.value.s : -from->imm.value.s;
        return true;
    case ZYDIS_MNEMONIC_MOV:
        if (from->type != ZYDIS_OPERAND_TYPE_REGISTER)
            return false;
        other = general(from->reg.value, true);
        break;
    case ZYDIS_MNEMONIC_LEA:
        if (decoded->address_width == 64 && from->mem.index == ZYDIS_REGISTER_NONE)
            other = general(from->mem.base, true);
        break;
    default:
        return false;
    }
    if (other < 0)
        return false;
    *value = search->registers[other];
    if (decoded->mnemonic == ZYDIS_MNEMONIC_LEA && from->mem.disp.has_displacement)
        value->added += from->mem.disp.value;
    return true;
}

static void change_registers(struct search *search, const struct operation *operation) {
    struct value value;
    bool known = follow_value(search, operation, &value);
    for (unsigned i = 0; i < operation->decoded.operand_count; i++) {
        const ZydisDecodedOperand *operand = &operation->operands[i];
        int number =
            operand->type == ZYDIS_OPERAND_TYPE_REGISTER ? general(operand->reg.value, false) : -1;
        if (number >= 0 && operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
            forget(search, number);
    }
    if (known)
        search->registers[general(operation->operands[0].reg.value, true)] = value;
}

static void forget_leaders(struct search *search, bool all) {
    for (size_t i = 0; i < IMPLIED_LEADERS; i++)
        if (all || search->leaders[i].place.segment)
            search->leaders[i].valid = false;
}

static bool decode(const struct instruction_view *view, struct operation *operation) {
    return ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder_of_64_bit_code(), view->bytes, view->size,
                                               &operation->decoded, operation->operands)) &&
           operation->decoded.length == view->size;
}

static void take(struct search *search) {
    static struct operation operation;
    if (search->view->traits.kind != SEGMENT_PLAIN || !decode(search->view, &operation)) {
        forget_leaders(search, true);
        for (int i = 0; i < GENERAL_REGISTERS; i++)
            forget(search, i);
        return;
    }
    if (is_stack(&operation)) {
        take_stack(search, &operation);
        return;
    }
    if (is_plain(&operation))
        take_plain(search, &operation);
    else if (!search->view->traits.stays)
        forget_leaders(search, false); /* it may change what FS and GS point to */
    change_registers(search, &operation);
}

void implied_find(const struct instruction_view *views, size_t count, bool long_mode,
                  struct implied *implied) {
    struct search search = {.count = count, .origins = ORIGINS, .implied = implied};
    implied->count = 0;
    memset(implied->instruction, 0, count * sizeof implied->instruction[0]);
    for (int i = 0; i < GENERAL_REGISTERS; i++)
        forget(&search, i);
    for (; long_mode && search.index < count; search.index++) {
        search.view = &views[search.index];
        take(&search);
    }
}
