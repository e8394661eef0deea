/* A program for `slsuite exec`: does what its arguments say, in their order. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mark.h"

#ifndef PER_UNIT
#define PER_UNIT 40000 /* instructions */
#endif

#ifdef NEEDS /* a variable of a library */
extern int NEEDS, *needed;
int *needed = &NEEDS;
#endif

static void compute(int units) {
    /* NOLINTNEXTLINE(bugprone-infinite-loop): the assembly counts down */
    for (long left = (long)units * PER_UNIT / 2; left;)
        __asm__ volatile("1: dec %0; jnz 1b" : "+r"(left));
}

static void flood(void) {
    static char bytes[65536];
    memset(bytes, 'x', sizeof bytes);
    while (write(STDOUT_FILENO, bytes, sizeof bytes) > 0)
        ;
}

static int where(void) {
    unsigned core;
    return syscall(309 /* getcpu */, &core, NULL, NULL) == 0 ? (int)core : -1;
}

int main(int argc, char *argv[]) {
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "reset") == 0)
            MARK(M5_RESET_STATS, 0, 0);
        else if (strcmp(word, "dump") == 0)
            MARK(M5_DUMP_STATS, 0, 0);
        else if (strcmp(word, "dumpreset") == 0)
            MARK(M5_DUMP_RESET_STATS, 0, 0);
        else if (strcmp(word, "begin") == 0)
            MARK(M5_WORK_BEGIN, atoi(argv[++i]), 0);
        else if (strcmp(word, "end") == 0)
            MARK(M5_WORK_END, atoi(argv[++i]), 0);
        else if (strcmp(word, "m5exit") == 0)
            MARK(M5_EXIT, 0, 0);
        else if (strcmp(word, "compute") == 0)
            compute(atoi(argv[++i]));
        else if (strcmp(word, "say") == 0)
            puts(argv[++i]);
        else if (strcmp(word, "complain") == 0)
            fprintf(stderr, "%s\n", argv[++i]);
        else if (strcmp(word, "where") == 0)
            printf("core %d\n", where());
        else if (strcmp(word, "kill") == 0)
            raise(atoi(argv[++i]));
        else if (strcmp(word, "trap") == 0)
            __builtin_trap();
        else if (strcmp(word, "leave") == 0 && fork() == 0)
            for (;;)
                pause();
        else if (strcmp(word, "exit") == 0)
            return atoi(argv[++i]);
        else if (strcmp(word, "flood") == 0)
            flood();
        while (strcmp(word, "spin") == 0)
            __asm__ volatile("");
    }
    return 0;
}
