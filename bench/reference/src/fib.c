#include "roi.h"
static int __attribute__((noipa)) fib(int n) {
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}
int main(int argc, char **argv) {
    ROI_BEGIN(argc, argv);
    ROI(sink += fib(20));
    return 0;
}
