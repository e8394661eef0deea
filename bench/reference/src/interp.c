#include "roi.h"
/* A byte-code interpreter: indirect branches over a random program, as in Python */
static uint8_t prog[2048];
static void __attribute__((noipa)) run(void) {
    static void *lab[] = {&&l0, &&l1, &&l2, &&l3, &&l4, &&l5, &&l6, &&l7};
    uint64_t st[16] = {1, 2, 3}, acc = 1;
    int n = 0, pc = 0, sp = 2;
#define NEXT                                                                                       \
    do {                                                                                           \
        if (++n > 40000)                                                                           \
            goto out;                                                                              \
        goto *lab[prog[pc++ & 2047] & 7];                                                          \
    } while (0)
    NEXT;
l0:
    acc += st[sp & 15];
    NEXT;
l1:
    st[++sp & 15] = acc;
    NEXT;
l2:
    acc ^= acc << 3;
    NEXT;
l3:
    sp--;
    acc -= st[sp & 15];
    NEXT;
l4:
    if (acc & 1)
        pc += 3;
    NEXT;
l5:
    acc *= 13;
    NEXT;
l6:
    st[(sp + 1) & 15] ^= acc;
    NEXT;
l7:
    acc = (acc >> 5) | (acc << 59);
    NEXT;
out:
    sink += acc;
}
int main(int argc, char **argv) {
    ROI_BEGIN(argc, argv);
    uint64_t s = 99;
    for (int i = 0; i < 2048; i++)
        prog[i] = (uint8_t)rng(&s);
    ROI(run());
    return 0;
}
