/* Micro-operations in the making. Private to this folder. */
#ifndef SLS_DECODE_BUILDER_H
#define SLS_DECODE_BUILDER_H

#include "decode/decode.h"
#include "decode/recipe.h"

struct builder {
    struct micro_op *ops;
    unsigned count;
    uint8_t size;        /* of the operation, bytes */
    uint8_t base, index; /* of the memory operand's address */
    bool rip_relative, locked;
    uint8_t place[PLACES - REGISTERS]; /* registers that the operands are; NONE: no register */
};

/* Append what a step says. */
void builder_step(struct builder *builder, const struct step *step);

/* Append a micro-operation that has no registers yet; NULL when there are DECODE_MOST. */
struct micro_op *builder_append(struct builder *builder, enum op_class op_class, uint8_t flags);

/* Add a register, if it is one and not there yet. Beyond MICRO_SOURCES and MICRO_DESTINATIONS
 * there is no room: the last ones are not waited for. */
void micro_op_reads(struct micro_op *op, uint8_t number);
void micro_op_writes(struct micro_op *op, uint8_t number);

/* Our number of a register, NONE if we have none for it; of a vector, its low half's. */
uint8_t register_number(ZydisRegister name);

/* Cut an instruction that has no recipe: its loads, one operation, its stores. */
void generic_instruction(struct builder *builder, const ZydisDecodedInstruction *decoded,
                         const ZydisDecodedOperand *operands);

#endif
