#include "client/aes.h"

#include <string.h>

/* FIPS 197, with its names. */

static uint8_t xtime(uint8_t a) {
    return (uint8_t)(a << 1 ^ (a >> 7) * 0x1b);
}

/* The product in GF(2^8). */
static uint8_t multiply(uint8_t a, uint8_t b) {
    uint8_t product = 0;
    for (; b; b >>= 1, a = xtime(a))
        product ^= b & 1 ? a : 0;
    return product;
}

/* The multiplicative inverse, a^254, then the affine transformation. */
static uint8_t substitute(uint8_t a) {
    uint8_t inverse = 1, square = a;
    for (int i = 0; i < 7; i++) {
        square = multiply(square, square);
        inverse = multiply(inverse, square);
    }
    uint8_t s = inverse;
    for (int i = 1; i <= 4; i++)
        s ^= (uint8_t)(inverse << i | inverse >> (8 - i));
    return s ^ 0x63;
}

/* FIPS 197's S-box. Filled the first time, by a warm-up: to compute each byte anew would be most of
 * what a simulation executes. */
static uint8_t sub_byte(uint8_t a) {
    static uint8_t s_box[256];
    if (!s_box[0])
        for (unsigned i = 0; i < sizeof s_box; i++)
            s_box[i] = substitute((uint8_t)i);
    return s_box[a];
}

static void next_round_key(uint8_t key[AES_BLOCK], uint8_t constant) {
    for (int i = 0; i < 4; i++)
        key[i] ^= sub_byte(key[12 + (i + 1) % 4]);
    key[0] ^= constant;
    for (int i = 4; i < AES_BLOCK; i++)
        key[i] ^= key[i - 4];
}

static void sub_bytes_shift_rows(uint8_t state[AES_BLOCK]) {
    uint8_t old[AES_BLOCK];
    memcpy(old, state, AES_BLOCK);
    for (int i = 0; i < AES_BLOCK; i++)
        state[i] = sub_byte(old[(i + 4 * (i % 4)) % AES_BLOCK]);
}

static void mix_columns(uint8_t state[AES_BLOCK]) {
    for (uint8_t *c = state; c < state + AES_BLOCK; c += 4) {
        uint8_t all = c[0] ^ c[1] ^ c[2] ^ c[3], first = c[0];
        for (int i = 0; i < 4; i++)
            c[i] ^= all ^ xtime(c[i] ^ (i < 3 ? c[i + 1] : first));
    }
}

void aes128_encrypt_block(const uint8_t key[AES_BLOCK], const uint8_t in[AES_BLOCK],
                          uint8_t out[AES_BLOCK]) {
    uint8_t round_key[AES_BLOCK], constant = 1;
    memcpy(round_key, key, AES_BLOCK);
    for (int i = 0; i < AES_BLOCK; i++)
        out[i] = in[i] ^ round_key[i];
    for (int round = 1; round <= 10; round++, constant = xtime(constant)) {
        sub_bytes_shift_rows(out);
        if (round < 10)
            mix_columns(out);
        next_round_key(round_key, constant);
        for (int i = 0; i < AES_BLOCK; i++)
            out[i] ^= round_key[i];
    }
}
