#include "roi.h"
/* Table-free software AES-128, 256 blocks: byte loads, xors, short loops */
static uint8_t sb[256], rk[176];
static uint8_t buf[4096];
static uint8_t xt(uint8_t x) {
    return (uint8_t)((x << 1) ^ ((x >> 7) * 0x1b));
}
static uint8_t mulg(uint8_t a, uint8_t b) {
    uint8_t r = 0;
    while (b) {
        if (b & 1)
            r ^= a;
        a = xt(a);
        b >>= 1;
    }
    return r;
}
static void init(void) {
    for (int i = 0; i < 256; i++) {
        uint8_t inv = 0;
        if (i)
            for (int j = 1; j < 256; j++)
                if (mulg(i, j) == 1) {
                    inv = j;
                    break;
                }
        uint8_t s = inv;
        for (int k = 0; k < 4; k++) {
            inv = (uint8_t)((inv << 1) | (inv >> 7));
            s ^= inv;
        }
        sb[i] = s ^ 0x63;
    }
    for (int i = 0; i < 16; i++)
        rk[i] = i;
    uint8_t rc = 1;
    for (int i = 16; i < 176; i += 4) {
        uint8_t t[4];
        memcpy(t, rk + i - 4, 4);
        if (i % 16 == 0) {
            uint8_t q = t[0];
            t[0] = sb[t[1]] ^ rc;
            t[1] = sb[t[2]];
            t[2] = sb[t[3]];
            t[3] = sb[q];
            rc = xt(rc);
        }
        for (int k = 0; k < 4; k++)
            rk[i + k] = rk[i - 16 + k] ^ t[k];
    }
}
static void __attribute__((noipa)) enc(uint8_t *s) {
    for (int i = 0; i < 16; i++)
        s[i] ^= rk[i];
    for (int r = 1; r <= 10; r++) {
        uint8_t t[16];
        for (int i = 0; i < 16; i++)
            t[i] = sb[s[(i * 5) & 15]];
        if (r < 10)
            for (int c = 0; c < 16; c += 4) {
                uint8_t a = t[c], b = t[c + 1], d = t[c + 2], e = t[c + 3], all = a ^ b ^ d ^ e;
                t[c] ^= all ^ xt(a ^ b);
                t[c + 1] ^= all ^ xt(b ^ d);
                t[c + 2] ^= all ^ xt(d ^ e);
                t[c + 3] ^= all ^ xt(e ^ a);
            }
        for (int i = 0; i < 16; i++)
            s[i] = t[i] ^ rk[16 * r + i];
    }
}
static void __attribute__((noipa)) pass(void) {
    for (int i = 0; i < 4096; i += 16)
        enc(buf + i);
    sink += buf[100];
}
int main(int argc, char **argv) {
    ROI_BEGIN(argc, argv);
    init();
    for (int i = 0; i < 4096; i++)
        buf[i] = (uint8_t)i;
    ROI(pass());
    return 0;
}
