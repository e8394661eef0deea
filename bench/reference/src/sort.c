#include "roi.h"
#define N 4096
static int v[N];
static void __attribute__((noipa)) isort(int *a, int lo, int hi) {
    if (hi - lo < 2)
        return;
    int p = a[(lo + hi) / 2], i = lo, j = hi - 1;
    while (i <= j) {
        while (a[i] < p)
            i++;
        while (a[j] > p)
            j--;
        if (i <= j) {
            int t = a[i];
            a[i++] = a[j];
            a[j--] = t;
        }
    }
    isort(a, lo, j + 1);
    isort(a, i, hi);
}
static void __attribute__((noipa)) pass(void) {
    uint64_t s = 42;
    for (int i = 0; i < N; i++)
        v[i] = (int)(rng(&s) & 0xffffff);
    isort(v, 0, N);
    sink += v[N / 2];
}
int main(int argc, char **argv) {
    ROI_BEGIN(argc, argv);
    ROI(pass());
    return 0;
}
