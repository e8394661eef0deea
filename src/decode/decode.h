/* x86-64 instructions as the timing model sees them: micro-operations with their registers.
 *
 * Cut as gem5 24.0's microcode cuts them (src/arch/x86/isa of gem5), so that a width of four or a
 * window of 224 means the same in both. Peculiarities are kept where they make registers wait: a
 * byte load waits for the temporary's old value, LEA for its destination's, a move between XMM
 * halves for the half it overwrites, a multiplication for the last one; XOR of a register with
 * itself waits for it.
 *
 * What is not modelled, or coarser than gem5:
 * - How often microcode loops: a division runs its loop twice (a quotient of about ten set bits),
 *   a bit scan finds a bit. Of a repeated string instruction one iteration is described, not the
 *   six micro-operations before the first and the one behind the last.
 * - Segment bases and control registers are never waited for; a micro-operation that writes one
 *   serializes instead. An instruction with several of them serializes once, at its end.
 * - A condition waits for all parts of the flags but DF, whichever it tests.
 * - x87's stack: st(i) is the i-th register, a push or pop renames nothing.
 * - AVX: vectors are 128 bits wide; an instruction has one operation beside its loads and stores.
 *
 * A fence is an OP_NOTHING with MICRO_LOCKED: no access behind it starts before it, and it waits
 * for all accesses before it. Atomic instructions have one before their load and one behind their
 * store.
 *
 * An access of 16 bytes is two OP_LOAD or OP_STORE micro-operations of 8 bytes, low half first.
 * It is one where only a half is needed (the unpacks, vector shifts by a count in memory) and for
 * CMPXCHG16B. What descriptor tables, saved state or ports make of accesses is not counted out. */
#ifndef SLS_DECODE_DECODE_H
#define SLS_DECODE_DECODE_H

#include <stdint.h>

#include "model/instruction.h"

#define DECODE_MOST 96 /* micro-operations of one instruction: the longest, FXSAVE, has 81 */

/* Decode the instruction at this virtual address, as in 64-bit mode. Fills *instruction and its
 * micro-operations: at least one; as many of `ops` as micro_op_count says are written. Never fails:
 * what is not known becomes its loads, one operation and its stores; what is no instruction at all,
 * one OP_SYSTEM that serializes. No memory is allocated. */
void decode_instruction(const uint8_t *bytes, unsigned size, uint64_t address,
                        struct instruction *instruction, struct micro_op ops[DECODE_MOST]);

#endif
