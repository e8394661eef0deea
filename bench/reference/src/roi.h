/* Region-of-interest marks around the measured pass. The first argument chooses how they are spelt:
 *   mark      a long NOP whose displacement carries the code: harmless everywhere (common/mark.h)
 *   gem5      the m5 instruction 0F 04 imm16: faults anywhere but in gem5
 *   valgrind  callgrind's client requests, which do nothing elsewhere
 * Function codes are gem5's: 0x40 reset stats, 0x41 dump stats; arguments in rdi and rsi. */
#ifndef ROI_H
#define ROI_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_ZERO_STATS
#define CALLGRIND_DUMP_STATS
#endif

static enum { ROI_NONE, ROI_GEM5, ROI_MARK, ROI_VALGRIND } roi_mode;

#define ROI_OPERATION(name, code, request)                                                         \
    static inline void name(void) {                                                                \
        if (roi_mode == ROI_GEM5)                                                                  \
            __asm__ volatile(".byte 0x0f,0x04; .word " #code ::"D"(0L), "S"(0L)                    \
                             : "rax", "memory");                                                   \
        else if (roi_mode == ROI_MARK)                                                             \
            __asm__ volatile(                                                                      \
                ".byte 0x0f,0x1f,0x84,0x00; .long (0x53530000 + " #code ")" ::"D"(0L), "S"(0L)     \
                : "rax", "memory");                                                                \
        else if (roi_mode == ROI_VALGRIND) {                                                       \
            request;                                                                               \
        }                                                                                          \
    }
ROI_OPERATION(roi_reset, 0x40, CALLGRIND_ZERO_STATS)
ROI_OPERATION(roi_dump, 0x41, CALLGRIND_DUMP_STATS)

#define ROI_BEGIN(argc, argv)                                                                      \
    do {                                                                                           \
        const char *how = (argc) > 1 ? (argv)[1] : "";                                             \
        roi_mode = !strcmp(how, "gem5")       ? ROI_GEM5                                           \
                   : !strcmp(how, "mark")     ? ROI_MARK                                           \
                   : !strcmp(how, "valgrind") ? ROI_VALGRIND                                       \
                                              : ROI_NONE;                                          \
    } while (0)

/* Two warm passes, then the measured one. */
#define ROI(body)                                                                                  \
    do {                                                                                           \
        body;                                                                                      \
        body;                                                                                      \
        roi_reset();                                                                               \
        body;                                                                                      \
        roi_dump();                                                                                \
    } while (0)

static volatile uint64_t sink; /* results go here, so that they are computed */

static inline uint64_t rng(uint64_t *s) {
    uint64_t x = *s;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *s = x;
}

#endif
