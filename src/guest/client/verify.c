#include "client/verify.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/aes.h"

static bool begins(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

static int wrong(const char *input, const char *reply, const char *what, struct error *err) {
    return error_set(err, "wrong reply: %s: '%.60s' was answered by '%.500s'", what, input, reply);
}

/* `fn: NAME | ` at the start and ` | runtime: ` near the end.
 * Returns what follows the start, or NULL. */
static const char *check_frame(const char *input, const char *reply, const char *name,
                               struct error *err) {
    char start[64];
    snprintf(start, sizeof start, "fn: %s | ", name);
    if (!begins(reply, start))
        wrong(input, reply, "does not begin with 'fn: NAME | ' of this function", err);
    else if (!strstr(reply, " | runtime: "))
        wrong(input, reply, "has no ' | runtime: '", err);
    else
        return reply + strlen(start);
    return NULL;
}

int verify_aes(const char *input, const char *reply, struct error *err) {
    static const uint8_t key[AES_BLOCK] = {0x63, 0x68, 0x61, 0x6e, 0x67, 0x65, 0x20, 0x74,
                                           0x68, 0x69, 0x73, 0x20, 0x70, 0x61, 0x73, 0x73};
    const char *plaintext = *input && strcmp(input, "world") != 0 ? input : "defaultplaintext";
    const char *rest = check_frame(input, reply, "AES", err);
    if (!rest)
        return -1;
    size_t size = strlen(plaintext);
    if (!begins(rest, "plaintext: ") || strncmp(rest + 11, plaintext, size) != 0)
        return wrong(input, reply, "another plaintext", err);
    const char *hex = rest + 11 + size;
    hex += begins(hex, " |") ? 2 : 0; /* vSwarm's Node.js has no bar here */
    if (!begins(hex, " ciphertext: "))
        return wrong(input, reply, "no ciphertext", err);
    hex += strlen(" ciphertext: ");

    uint8_t pad[AES_BLOCK];
    for (size_t i = 0; i < size; i++) {
        unsigned byte;
        uint8_t counter[AES_BLOCK] = {0};
        if (i % AES_BLOCK == 0) {
            for (int b = 0; b < 8; b++)
                counter[AES_BLOCK - 1 - b] = (uint8_t)(i / AES_BLOCK >> (8 * b));
            aes128_encrypt_block(key, counter, pad);
        }
        if (strspn(hex, "0123456789abcdefABCDEF") < 2 || sscanf(hex, "%2x", &byte) != 1 ||
            (byte ^ pad[i % AES_BLOCK]) != (uint8_t)plaintext[i])
            return wrong(input, reply, "the ciphertext does not decrypt to the plaintext", err);
        hex += 2;
    }
    return begins(hex, " | runtime: ") ? 0 : wrong(input, reply, "ciphertext too long", err);
}

int verify_auth(const char *input, const char *reply, struct error *err) {
    static const char *const policy[] = {
        "user", "2012-10-17", "execute-api:Invoke", "arn:aws:execute-api:", "stringval",
        "123",  NULL};
    const char *rest = check_frame(input, reply, "Auth", err);
    if (!rest)
        return -1;
    if (!begins(rest, "token: ") || !begins(rest + 7, input) ||
        !begins(rest + 7 + strlen(input), " | resp: "))
        return wrong(input, reply, "another token", err);
    rest += 7 + strlen(input) + strlen(" | resp: ");

    bool allow = strcmp(input, "allow") == 0, deny = strcmp(input, "deny") == 0;
    if (!allow && !deny) {
        bool unauthorized = strcmp(input, "unauthorized") == 0;
        return begins(rest, unauthorized ? "Unauthorized | " : "Error: Invalid token | ")
                   ? 0
                   : wrong(input, reply, "the token was not refused as it should be", err);
    }
    if (!strstr(rest, allow ? "Allow" : "Deny") || strstr(rest, allow ? "Deny" : "Allow"))
        return wrong(input, reply, "the wrong effect", err);
    for (int i = 0; policy[i]; i++)
        if (!strstr(rest, policy[i]))
            return wrong(input, reply, policy[i], err);
    return 0;
}

static uint64_t multiply(uint64_t a, uint64_t b, uint64_t prime) {
    return (uint64_t)((unsigned __int128)a * b % prime);
}

/* fib(x) modulo prime (< 2^61): f(2k) = f(k) (2 f(k+1) - f(k)), f(2k+1) = f(k)^2 + f(k+1)^2. */
static uint64_t fibonacci_modulo(uint64_t x, uint64_t prime) {
    uint64_t f = 0, g = 1; /* f(k), f(k+1) */
    for (int bit = 63; bit >= 0; bit--) {
        uint64_t even = multiply(f, (2 * g + prime - f) % prime, prime);
        uint64_t odd = (multiply(f, f, prime) + multiply(g, g, prime)) % prime;
        bool one = x >> bit & 1;
        f = one ? odd : even;
        g = one ? (even + odd) % prime : odd;
    }
    return f;
}

int verify_fibonacci(const char *input, const char *reply, struct error *err) {
    /* The largest primes below 2^61, 2^60 and 2^59:
     * a wrong number escapes with a chance of 2^-180. */
    static const uint64_t primes[] = {((uint64_t)1 << 61) - 1, ((uint64_t)1 << 60) - 93,
                                      ((uint64_t)1 << 59) - 55};
    char start[64], *end;
    long long x = strtoll(input, &end, 10);
    x = *end ? 0 : x;
    const char *rest = check_frame(input, reply, "Fib: y = fib(x)", err);
    if (!rest)
        return -1;
    snprintf(start, sizeof start, "x: %lld y: ", x);
    if (!begins(rest, start))
        return wrong(input, reply, "another x", err);
    const char *digits = rest + strlen(start);
    size_t length = strspn(digits, "0123456789");
    if (length == 0 || !begins(digits + length, " | runtime: "))
        return wrong(input, reply, "y is not a number", err);
    for (size_t p = 0; p < sizeof primes / sizeof *primes; p++) {
        uint64_t y = 0;
        for (size_t i = 0; i < length; i++)
            y = (y * 10 + (uint64_t)(digits[i] - '0')) % primes[p];
        if (y != fibonacci_modulo(x > 0 ? (uint64_t)x : 0, primes[p]))
            return wrong(input, reply, "y is not fib(x)", err);
    }
    return 0;
}

int verify_helloworld(const char *input, const char *reply, struct error *err) {
    /* gRPC's own examples answer "Hello NAME", without the frame. */
    if (begins(reply, "Hello") && strstr(reply, input))
        return 0;
    const char *rest = check_frame(input, reply, "HelloWorld", err);
    if (!rest)
        return -1;
    if (!strstr(rest, "Hello") || !strstr(rest, input))
        return wrong(input, reply, "no greeting of this name", err);
    return 0;
}

/* As many names, in this language; by a network that need not be ours. */
static int verify_names(const char *input, const char *reply, struct error *err) {
    char start[64];
    const char *colon = strrchr(input, ':');
    snprintf(start, sizeof start, "language:%.*s.n:%s | output:[", (int)(colon - input), input,
             colon + 1);
    const char *rest = check_frame(input, reply, "RNN-Serving", err);
    if (!rest)
        return -1;
    return begins(rest, start) ? 0 : wrong(input, reply, "other names than asked for", err);
}

int verify_sized(const struct sized_function *function, const char *input, const char *reply,
                 struct error *err) {
    int size = 0; /* what is asked for when nothing is, or the world greeted: the small one */
    if (function->numbered && strchr(input, ':'))
        return verify_names(input, reply, err);
    for (int i = 0; i < SIZES; i++)
        size = strcmp(input, sizes[i]) == 0 ? i : size;
    if (!begins(reply, "fn: ") || !begins(reply + 4, function->answers[size]))
        return wrong(input, reply, function->answers[size], err);
    return strstr(reply, " | runtime: ") ? 0 : wrong(input, reply, "has no ' | runtime: '", err);
}
