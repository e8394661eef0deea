/* The mark: how the guest tells the engine where it is. A long NOP, 0F 1F 84 00 disp32, whose
 * displacement is 0x53530000 | code, code being gem5's m5 operation; arguments in rdi and rsi as
 * for an m5 operation. Found when the block is translated, so it costs nothing elsewhere; on
 * hardware, KVM and plain gem5 it is just a NOP. */
#ifndef SLS_COMMON_MARK_H
#define SLS_COMMON_MARK_H

#include <stdint.h>

#define MARK_MAGIC 0x53530000u

/* gem5's function codes (include/gem5/asm/generic/m5ops.h of gem5 v24). */
enum m5_operation {
    M5_ARM = 0x00,
    M5_QUIESCE = 0x01,
    M5_QUIESCE_NS = 0x02,
    M5_QUIESCE_CYCLE = 0x03,
    M5_QUIESCE_TIME = 0x04,
    M5_RPNS = 0x07,
    M5_WAKE_CPU = 0x09,
    M5_EXIT = 0x21,
    M5_FAIL = 0x22,
    M5_SUM = 0x23,
    M5_INIT_PARAM = 0x30,
    M5_LOAD_SYMBOL = 0x31,
    M5_RESET_STATS = 0x40,
    M5_DUMP_STATS = 0x41,
    M5_DUMP_RESET_STATS = 0x42,
    M5_CHECKPOINT = 0x43,
    M5_WRITE_FILE = 0x4f,
    M5_READ_FILE = 0x50,
    M5_DEBUG_BREAK = 0x51,
    M5_SWITCH_CPU = 0x52,
    M5_ADD_SYMBOL = 0x53,
    M5_PANIC = 0x54,
    M5_WORK_BEGIN = 0x5a,
    M5_WORK_END = 0x5b,
    M5_DIST_TOGGLE_SYNC = 0x62,
    M5_WORKLOAD = 0x70,
};

/* Codes of our own lie above gem5's, which have eight bits. */
enum mark_operation {
    MARK_PROGRAM_ENDED = 0x100, /* slsuite-launch: after the end of the program it started */
    MARK_FLUSH = 0x101,         /* argument 0: a core. When that next executes a user's instruction,
                                   the model forgets what it has cached and learnt; no sample */
    MARK_PHASE = 0x102,         /* argument 0: the number of the phase of the work under way that
                                   begins; the one before it ends. The first begins with the work */
};

/* CODE must be a compile-time constant. */
#define MARK(code, argument0, argument1)                                                           \
    __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00; .long %c0"                                     \
                     :                                                                             \
                     : "i"(MARK_MAGIC | (code)), "D"((uint64_t)(argument0)),                       \
                       "S"((uint64_t)(argument1))                                                  \
                     : "memory")

#endif
