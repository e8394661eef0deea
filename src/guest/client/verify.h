/* Is this reply right? Each check computes the answer in another way
 * than the functions do. -1: wrong, and why. The formats are vSwarm's,
 * whatever the language: fn: NAME | … | runtime: LANGUAGE. */
#ifndef SLS_GUEST_CLIENT_VERIFY_H
#define SLS_GUEST_CLIENT_VERIFY_H

#include "client/sized.h"
#include "common/error.h"

/* AES-128-CTR with vSwarm's key, decrypted by an AES of our own without tables. */
int verify_aes(const char *input, const char *reply, struct error *err);

/* The policy's fields, in whatever notation. */
int verify_auth(const char *input, const char *reply, struct error *err);

/* fib(x) by fast doubling, modulo three primes of 61 bits. */
int verify_fibonacci(const char *input, const char *reply, struct error *err);

int verify_helloworld(const char *input, const char *reply, struct error *err);

/* Known answers: the reply begins with that of the input's size. */
int verify_sized(const struct sized_function *function, const char *input, const char *reply,
                 struct error *err);

#endif
