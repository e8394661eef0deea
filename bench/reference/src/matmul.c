#include "roi.h"
#define N 64
static double a[N][N], b[N][N], c[N][N];
static void __attribute__((noipa)) mm(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double s = 0;
            for (int k = 0; k < N; k++)
                s += a[i][k] * b[k][j];
            c[i][j] = s;
        }
    sink += (uint64_t)c[3][5];
}
int main(int argc, char **argv) {
    ROI_BEGIN(argc, argv);
    for (int i = 0; i < N * N; i++) {
        a[i / N][i % N] = i % 7;
        b[i / N][i % N] = i % 5;
    }
    ROI(mm());
    return 0;
}
