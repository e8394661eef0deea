/* gem5's m5 operations, in three spellings: the mark (common/mark.h), the m5 instruction (0F 04
 * imm16) and the memory-mapped window. Meaning, arguments and results are gem5's
 * (include/gem5/m5ops.h of gem5 v24); delays and periods are nanoseconds. A mark is one-way: with
 * it, operations that return something return 0. */
#ifndef SLS_GUEST_M5OP_H
#define SLS_GUEST_M5OP_H

#include <stdint.h>

enum m5_spelling { M5_SPELL_MARK, M5_SPELL_INSTRUCTION, M5_SPELL_ADDRESS };

/* Choose the spelling; call once, first (until then it is the mark). `name` is "mark", "inst",
 * "addr" or "addr=ADDRESS"; NULL takes $M5_SPELLING, and without that the one that works here:
 * inside gem5 the instruction, or the window where the instruction faults (KVM cores); elsewhere
 * the mark. 0, or -1 for an unknown name or a window that cannot be mapped (errno tells). */
int m5_init(const char *name);

enum m5_spelling m5_spelling(void);

void m5_arm(uint64_t address);
void m5_quiesce(void);
void m5_quiesce_ns(uint64_t ns);
void m5_quiesce_cycle(uint64_t cycles);
uint64_t m5_quiesce_time(void);
uint64_t m5_rpns(void);
void m5_wake_cpu(uint64_t cpu);
void m5_exit(uint64_t delay);
void m5_fail(uint64_t delay, uint64_t code);
uint64_t m5_sum(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
uint64_t m5_init_param(uint64_t key_low, uint64_t key_high);
void m5_load_symbol(void);
void m5_reset_stats(uint64_t delay, uint64_t period);
void m5_dump_stats(uint64_t delay, uint64_t period);
void m5_dump_reset_stats(uint64_t delay, uint64_t period);
void m5_checkpoint(uint64_t delay, uint64_t period);
/* gem5 copies by virtual address: touch every page of a buffer first. */
uint64_t m5_write_file(const void *buffer, uint64_t size, uint64_t offset, const char *name);
uint64_t m5_read_file(void *buffer, uint64_t size, uint64_t offset);
void m5_debug_break(void);
void m5_switch_cpu(void);
void m5_add_symbol(uint64_t address, const char *symbol);
void m5_panic(void);
void m5_work_begin(uint64_t work, uint64_t thread);
void m5_work_end(uint64_t work, uint64_t thread);
void m5_dist_toggle_sync(void);
void m5_workload(void);

#endif
