#include "roi.h"
/* 512 distinct functions of ~200 bytes, called in a shuffled order: an instruction working set like
 * a language runtime's */
#define F(n)                                                                                       \
    static uint64_t __attribute__((noipa, aligned(64))) f##n(uint64_t x) {                         \
        x ^= (n + 1) * 0x9E3779B97F4A7C15ull;                                                      \
        x *= (2 * n + 3);                                                                          \
        if (x & (1ull << (n & 31)))                                                                \
            x += n * 77;                                                                           \
        else                                                                                       \
            x -= n * 91;                                                                           \
        x ^= x >> 29;                                                                              \
        x *= 0xBF58476D1CE4E5B9ull + n;                                                            \
        x ^= x >> 32;                                                                              \
        if (x & 4)                                                                                 \
            x = (x << 7) | (x >> 57);                                                              \
        x += n;                                                                                    \
        x ^= x << 13;                                                                              \
        x *= 31 + n;                                                                               \
        x ^= x >> 17;                                                                              \
        return x;                                                                                  \
    }
#define F8(n) F(n##0) F(n##1) F(n##2) F(n##3) F(n##4) F(n##5) F(n##6) F(n##7)
#define F64(n) F8(n##0) F8(n##1) F8(n##2) F8(n##3) F8(n##4) F8(n##5) F8(n##6) F8(n##7)
F64(1)
F64(2)
F64(3)
F64(4)
F64(5)
F64(6)
F64(7)
F64(8)
#define P(n) f##n,
#define P8(n) P(n##0) P(n##1) P(n##2) P(n##3) P(n##4) P(n##5) P(n##6) P(n##7)
#define P64(n) P8(n##0) P8(n##1) P8(n##2) P8(n##3) P8(n##4) P8(n##5) P8(n##6) P8(n##7)
static uint64_t (*tab[])(uint64_t) = {P64(1) P64(2) P64(3) P64(4) P64(5) P64(6) P64(7) P64(8)};
static unsigned order[512];
static void __attribute__((noipa)) pass(void) {
    uint64_t x = 1;
    for (int r = 0; r < 8; r++)
        for (int i = 0; i < 512; i++)
            x = tab[order[i]](x);
    sink += x;
}
int main(int argc, char **argv) {
    ROI_BEGIN(argc, argv);
    uint64_t s = 7;
    for (int i = 0; i < 512; i++)
        order[i] = i;
    for (int i = 511; i > 0; i--) {
        int j = rng(&s) % i;
        unsigned t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    ROI(pass());
    return 0;
}
