/* What QEMU does with an instruction, as far as the plugin must know it before it runs. */
#include <string.h>

#include "common/mark.h"
#include "plugin/decoder.h"
#include "plugin/segment.h"

static bool is_mark(const struct instruction_view *view, uint16_t *operation) {
    static const uint8_t long_nop[] = {0x0f, 0x1f, 0x84, 0x00};
    uint32_t displacement;
    if (view->size != 8 || memcmp(view->bytes, long_nop, sizeof long_nop) != 0)
        return false;
    memcpy(&displacement, view->bytes + 4, sizeof displacement);
    *operation = (uint16_t)displacement;
    return (displacement & 0xffff0000) == MARK_MAGIC;
}

/* Instructions that work on general registers and flags only, if their operands let them. */
static bool is_integer(const ZydisDecodedInstruction *decoded) {
    switch (decoded->mnemonic) {
    case ZYDIS_MNEMONIC_MOV: /* not those to and from segment, control and debug registers */
        return decoded->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
               ((decoded->opcode >= 0x88 && decoded->opcode <= 0x8b) ||
                (decoded->opcode >= 0xb0 && decoded->opcode <= 0xbf) ||
                (decoded->opcode >= 0xc6 && decoded->opcode <= 0xc7));
    case ZYDIS_MNEMONIC_JMP:
        return decoded->opcode == 0xe9 || decoded->opcode == 0xeb;
    case ZYDIS_MNEMONIC_ADC:
    case ZYDIS_MNEMONIC_ADD:
    case ZYDIS_MNEMONIC_AND:
    case ZYDIS_MNEMONIC_BSWAP:
    case ZYDIS_MNEMONIC_BT:
    case ZYDIS_MNEMONIC_BTC:
    case ZYDIS_MNEMONIC_BTR:
    case ZYDIS_MNEMONIC_BTS:
    case ZYDIS_MNEMONIC_CDQ:
    case ZYDIS_MNEMONIC_CDQE:
    case ZYDIS_MNEMONIC_CMP:
    case ZYDIS_MNEMONIC_CQO:
    case ZYDIS_MNEMONIC_CWDE:
    case ZYDIS_MNEMONIC_DEC:
    case ZYDIS_MNEMONIC_IMUL:
    case ZYDIS_MNEMONIC_INC:
    case ZYDIS_MNEMONIC_LEA:
    case ZYDIS_MNEMONIC_MOVSX:
    case ZYDIS_MNEMONIC_MOVSXD:
    case ZYDIS_MNEMONIC_MOVZX:
    case ZYDIS_MNEMONIC_MUL:
    case ZYDIS_MNEMONIC_NEG:
    case ZYDIS_MNEMONIC_NOP:
    case ZYDIS_MNEMONIC_NOT:
    case ZYDIS_MNEMONIC_OR:
    case ZYDIS_MNEMONIC_ROL:
    case ZYDIS_MNEMONIC_ROR:
    case ZYDIS_MNEMONIC_SAR:
    case ZYDIS_MNEMONIC_SBB:
    case ZYDIS_MNEMONIC_SHL:
    case ZYDIS_MNEMONIC_SHLD:
    case ZYDIS_MNEMONIC_SHR:
    case ZYDIS_MNEMONIC_SHRD:
    case ZYDIS_MNEMONIC_SUB:
    case ZYDIS_MNEMONIC_TEST:
    case ZYDIS_MNEMONIC_XCHG:
    case ZYDIS_MNEMONIC_XOR:
        return true;
    default:
        return decoded->meta.category == ZYDIS_CATEGORY_CMOV ||
               decoded->meta.category == ZYDIS_CATEGORY_SETCC ||
               decoded->meta.category == ZYDIS_CATEGORY_COND_BR;
    }
}

/* The decoder is set to 64-bit mode. What runs in the others during the boot may look like another
 * instruction, but not like one without a memory operand of just this length. */
static bool stays(const ZydisDecodedInstruction *decoded, unsigned size) {
    bool memory = decoded->attributes & ZYDIS_ATTRIB_HAS_MODRM && decoded->raw.modrm.mod != 3 &&
                  decoded->mnemonic != ZYDIS_MNEMONIC_LEA &&
                  decoded->mnemonic != ZYDIS_MNEMONIC_NOP;
    return !memory && decoded->length == size && !(decoded->attributes & ZYDIS_ATTRIB_HAS_LOCK) &&
           is_integer(decoded);
}

const ZydisDecoder *decoder_of_64_bit_code(void) {
    static ZydisDecoder decoder;
    static bool ready;
    if (!ready) {
        ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
        ready = true;
    }
    return &decoder;
}

void instruction_classify(struct instruction_view *view) {
    struct instruction_traits *traits = &view->traits;
    *traits = (struct instruction_traits){.kind = SEGMENT_PLAIN, .cr3_source = NOT_CR3};
    if (is_mark(view, &traits->operation)) {
        traits->kind = SEGMENT_MARK;
        traits->stays = true;
        return;
    }
    ZydisDecodedInstruction decoded;
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(decoder_of_64_bit_code(), NULL, view->bytes,
                                                    view->size, &decoded)))
        return;
    bool writes_control = decoded.opcode_map == ZYDIS_OPCODE_MAP_0F && decoded.opcode == 0x22;
    if (decoded.attributes &
        (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE))
        traits->kind = SEGMENT_REPEATED;
    else if (writes_control || decoded.mnemonic == ZYDIS_MNEMONIC_INVLPG ||
             decoded.mnemonic == ZYDIS_MNEMONIC_INVPCID)
        traits->kind = SEGMENT_TRANSLATES;
    if (writes_control && decoded.raw.modrm.reg == 3 && !decoded.raw.rex.R)
        traits->cr3_source = (uint8_t)(decoded.raw.modrm.rm | decoded.raw.rex.B << 3);
    traits->stays = stays(&decoded, view->size);
}
