/* The x-th Fibonacci number by x additions of big numbers, as vSwarm's fibonacci (which counts on
 * its languages' big integers). A number is an array of limbs in base 10^18, least significant
 * first: fast to add, and its decimal digits are at hand. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "lib/function.h"
#include "proto/fibonacci.pb-c.h"

#define LIMB 1000000000000000000u /* 10^18 */
#define LIMB_DIGITS 18
/* Some seconds of work, a reply of 209 kB: no request shall keep the core for minutes. */
#define X_MAX 1000000

static size_t limbs_of(int64_t x) {
    return (size_t)(x > 0 ? x : 0) * 209 / 1000 / LIMB_DIGITS +
           2; /* log10 of the golden ratio: 0.20899 */
}

/* a += b, of `size` limbs with room for one more. Returns the new size. */
static size_t add(uint64_t *a, const uint64_t *b, size_t size) {
    uint64_t carry = 0;
    for (size_t i = 0; i < size; i++) {
        uint64_t sum = a[i] + b[i] + carry;
        carry = sum >= LIMB;
        a[i] = carry ? sum - LIMB : sum;
    }
    if (carry)
        a[size++] = 1;
    return size;
}

/* fib(x) in decimal; the caller frees it. NULL: no memory. */
static char *fibonacci(int64_t x) {
    size_t limbs = limbs_of(x), size = 1;
    autofree uint64_t *memory = calloc(2 * limbs, sizeof *memory);
    char *text = malloc(limbs * LIMB_DIGITS + 1);
    if (!memory || !text) {
        free(text);
        return NULL;
    }
    uint64_t *current = memory, *next = memory + limbs; /* fib(i), fib(i + 1) */
    next[0] = 1;
    for (int64_t i = 0; i < x; i++) {
        size = add(current, next, size);
        uint64_t *sum = current;
        current = next;
        next = sum;
    }
    while (size > 1 && current[size - 1] == 0)
        size--;
    int length = sprintf(text, "%" PRIu64, current[size - 1]);
    for (size_t i = size - 1; i-- > 0;)
        length += sprintf(text + length, "%018" PRIu64, current[i]);
    return text;
}

/* What is no whole number counts as 0, as in vSwarm's Go. */
static int64_t parse(const char *text) {
    char *end;
    errno = 0;
    int64_t x = strtoll(text, &end, 10);
    return *end || errno == EINVAL ? 0 : x;
}

static enum grpc_status say_hello(const ProtobufCMessage *message, struct grpc_message *reply) {
    int64_t x = parse(((const Fibonacci__HelloRequest *)message)->name);
    if (x > X_MAX)
        return GRPC_INVALID_ARGUMENT;
    autofree char *y = fibonacci(x);
    if (!y)
        return GRPC_RESOURCE_EXHAUSTED;
    autofree char *text =
        text_format("fn: Fib: y = fib(x) | x: %" PRId64 " y: %s | runtime: c", x, y);
    if (!text)
        return GRPC_RESOURCE_EXHAUSTED;
    Fibonacci__HelloReply hello = FIBONACCI__HELLO_REPLY__INIT;
    hello.message = text;
    return grpc_message_pack(reply, &hello.base);
}

int main(int argc, char **argv) {
    static const struct function fibonacci = {
        .name = "fibonacci-c",
        .method = {"/fibonacci.Greeter/SayHello", &fibonacci__hello_request__descriptor, say_hello},
    };
    return function_main(argc, argv, &fibonacci);
}
