#include "roi.h"
/* argv[2]: working set in KiB */
static void *nodes[1 << 20];
static void __attribute__((noipa)) walk(long n) {
    void **p = (void **)nodes[0];
    for (long i = 0; i < n; i++)
        p = (void **)*p;
    sink += (uint64_t)p;
}
int main(int argc, char **argv) {
    ROI_BEGIN(argc, argv);
    long kib = argc > 2 ? atol(argv[2]) : 64, n = kib * 1024 / 64;
    uint64_t s = 88172645463325252ull;
    long *perm = malloc(n * sizeof *perm);
    for (long i = 0; i < n; i++)
        perm[i] = i;
    for (long i = n - 1; i > 0; i--) {
        long j = rng(&s) % i, t = perm[i];
        perm[i] = perm[j];
        perm[j] = t;
    }
    for (long i = 0; i < n; i++)
        nodes[i * 8] = &nodes[perm[i] * 8];
    ROI(walk(20000));
    return 0;
}
