#include "roi.h"
#define N 32768
static uint64_t a[N], b[N], c[N];
static void __attribute__((noipa, optimize("no-tree-vectorize"))) triad(void) {
    for (int i = 0; i < N; i++)
        a[i] = b[i] + 3 * c[i];
    sink += a[77];
}
int main(int argc, char **argv) {
    ROI_BEGIN(argc, argv);
    for (int i = 0; i < N; i++) {
        b[i] = i;
        c[i] = i * 3;
    }
    ROI(triad());
    return 0;
}
