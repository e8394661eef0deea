#include "cli/verdict.h"

#include <stdio.h>
#include <unistd.h>

void verdict_print(enum verdict verdict, int width, const char *name, const char *detail,
                   const char *remedy) {
    static const char *const signs[] = {"✓", "–", "✗"}, *const plain[] = {"ok", "--", "!!"};
    static const char *const colours[] = {"\033[32m", "\033[2m", "\033[31m"};
    if (isatty(STDOUT_FILENO))
        printf("%s%s\033[0m %-*s %s\n", colours[verdict], signs[verdict], width, name, detail);
    else
        printf("%s %-*s %s\n", plain[verdict], width, name, detail);
    if (verdict != GOOD && remedy)
        printf("%*s→ %s\n", width + 3, "", remedy);
}
