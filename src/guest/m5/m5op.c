#include "guest/m5/m5op.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/mark.h"

#define WINDOW_ADDRESS 0xffff0000u /* gem5's default on x86, util/m5/README.md */
#define WINDOW_SIZE 0x10000u       /* bits 8 … 15 of the address are the operation */

static enum m5_spelling spelling = M5_SPELL_MARK;
static volatile char *window;

/* One operation: arguments in rdi, rsi, rdx, rcx, r8, r9, result in rax. A macro, because the first
 * two spellings hold the code in the instruction. */
#define OPERATE(code, a, b, c, d, e, f)                                                            \
    ({                                                                                             \
        uint64_t result = 0;                                                                       \
        register uint64_t fifth __asm__("r8") = (uint64_t)(e);                                     \
        register uint64_t sixth __asm__("r9") = (uint64_t)(f);                                     \
        if (spelling == M5_SPELL_MARK)                                                             \
            MARK(code, a, b);                                                                      \
        else if (spelling == M5_SPELL_INSTRUCTION)                                                 \
            __asm__ volatile(".byte 0x0f, 0x04; .word %c1"                                         \
                             : "+a"(result)                                                        \
                             : "i"(code), "D"(a), "S"(b), "d"(c), "c"(d), "r"(fifth), "r"(sixth)   \
                             : "memory");                                                          \
        else                                                                                       \
            __asm__ volatile("mov %1, %0"                                                          \
                             : "=a"(result)                                                        \
                             : "m"(*(volatile uint64_t *)(window + ((code) << 8))), "D"(a),        \
                               "S"(b), "d"(c), "c"(d), "r"(fifth), "r"(sixth)                      \
                             : "memory");                                                          \
        result;                                                                                    \
    })
#define OPERATE_0(code) OPERATE(code, 0l, 0l, 0l, 0l, 0l, 0l)
#define OPERATE_1(code, a) OPERATE(code, a, 0l, 0l, 0l, 0l, 0l)
#define OPERATE_2(code, a, b) OPERATE(code, a, b, 0l, 0l, 0l, 0l)
#define OPERATE_3(code, a, b, c) OPERATE(code, a, b, c, 0l, 0l, 0l)
#define OPERATE_4(code, a, b, c, d) OPERATE(code, a, b, c, d, 0l, 0l)

/* gem5 names itself in the brand string: "Fake gem5 x86_64 CPU",
 * before v23 "Fake M5 x86_64 CPU" (src/arch/x86/X86ISA.py). */
static bool in_gem5(void) {
    unsigned brand[5] = {0};
    return __get_cpuid(0x80000002, &brand[0], &brand[1], &brand[2], &brand[3]) &&
           (strstr((char *)brand, "gem5") || strstr((char *)brand, "M5"));
}

static sigjmp_buf faulted;

static void on_fault(int signal) {
    siglongjmp(faulted, 1);
}

static bool instruction_works(void) {
    struct sigaction before, ours = {.sa_handler = on_fault};
    sigaction(SIGILL, &ours, &before);
    spelling = M5_SPELL_INSTRUCTION;
    bool works = sigsetjmp(faulted, 1) == 0 && m5_sum(1, 2, 3, 4, 5, 6) == 21;
    sigaction(SIGILL, &before, NULL);
    return works;
}

static int map_window(const char *text) {
    char *end = "";
    unsigned long address = text ? strtoul(text, &end, 0) : WINDOW_ADDRESS;
    if (*end || (text && !*text)) {
        errno = EINVAL;
        return -1;
    }
    int memory = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
    if (memory < 0)
        return -1;
    window = mmap(NULL, WINDOW_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, (off_t)address);
    close(memory);
    if (window == MAP_FAILED)
        return -1;
    spelling = M5_SPELL_ADDRESS;
    return 0;
}

int m5_init(const char *name) {
    if (!name)
        name = getenv("M5_SPELLING");
    if (!name && (!in_gem5() || instruction_works()))
        return 0;
    if (!name)
        return map_window(NULL);
    if (strcmp(name, "mark") == 0)
        spelling = M5_SPELL_MARK;
    else if (strcmp(name, "inst") == 0)
        spelling = M5_SPELL_INSTRUCTION;
    else if (strcmp(name, "addr") == 0)
        return map_window(NULL);
    else if (strncmp(name, "addr=", 5) == 0)
        return map_window(name + 5);
    else {
        errno = EINVAL;
        return -1;
    }
    return 0;
}

enum m5_spelling m5_spelling(void) {
    return spelling;
}

void m5_arm(uint64_t address) {
    OPERATE_1(M5_ARM, address);
}

void m5_quiesce(void) {
    OPERATE_0(M5_QUIESCE);
}

void m5_quiesce_ns(uint64_t ns) {
    OPERATE_1(M5_QUIESCE_NS, ns);
}

void m5_quiesce_cycle(uint64_t cycles) {
    OPERATE_1(M5_QUIESCE_CYCLE, cycles);
}

uint64_t m5_quiesce_time(void) {
    return OPERATE_0(M5_QUIESCE_TIME);
}

uint64_t m5_rpns(void) {
    return OPERATE_0(M5_RPNS);
}

void m5_wake_cpu(uint64_t cpu) {
    OPERATE_1(M5_WAKE_CPU, cpu);
}

void m5_exit(uint64_t delay) {
    OPERATE_1(M5_EXIT, delay);
}

void m5_fail(uint64_t delay, uint64_t code) {
    OPERATE_2(M5_FAIL, delay, code);
}

uint64_t m5_sum(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) {
    return OPERATE(M5_SUM, a, b, c, d, e, f);
}

uint64_t m5_init_param(uint64_t key_low, uint64_t key_high) {
    return OPERATE_2(M5_INIT_PARAM, key_low, key_high);
}

void m5_load_symbol(void) {
    OPERATE_0(M5_LOAD_SYMBOL);
}

void m5_reset_stats(uint64_t delay, uint64_t period) {
    OPERATE_2(M5_RESET_STATS, delay, period);
}

void m5_dump_stats(uint64_t delay, uint64_t period) {
    OPERATE_2(M5_DUMP_STATS, delay, period);
}

void m5_dump_reset_stats(uint64_t delay, uint64_t period) {
    OPERATE_2(M5_DUMP_RESET_STATS, delay, period);
}

void m5_checkpoint(uint64_t delay, uint64_t period) {
    OPERATE_2(M5_CHECKPOINT, delay, period);
}

uint64_t m5_write_file(const void *buffer, uint64_t size, uint64_t offset, const char *name) {
    return OPERATE_4(M5_WRITE_FILE, buffer, size, offset, name);
}

uint64_t m5_read_file(void *buffer, uint64_t size, uint64_t offset) {
    return OPERATE_3(M5_READ_FILE, buffer, size, offset);
}

void m5_debug_break(void) {
    OPERATE_0(M5_DEBUG_BREAK);
}

void m5_switch_cpu(void) {
    OPERATE_0(M5_SWITCH_CPU);
}

void m5_add_symbol(uint64_t address, const char *symbol) {
    OPERATE_2(M5_ADD_SYMBOL, address, symbol);
}

void m5_panic(void) {
    OPERATE_0(M5_PANIC);
}

void m5_work_begin(uint64_t work, uint64_t thread) {
    OPERATE_2(M5_WORK_BEGIN, work, thread);
}

void m5_work_end(uint64_t work, uint64_t thread) {
    OPERATE_2(M5_WORK_END, work, thread);
}

void m5_dist_toggle_sync(void) {
    OPERATE_0(M5_DIST_TOGGLE_SYNC);
}

void m5_workload(void) {
    OPERATE_0(M5_WORKLOAD);
}
