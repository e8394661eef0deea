/* A greeting that goes wrong when its request says so: at "crash at 2" it crashes, at the second
 * request of this text. So one checkpoint serves all that goes wrong after it (run --input TEXT).
 * -start HOW is for what goes wrong before it listens. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mark.h"
#include "lib/function.h"
#include "proto/helloworld.pb-c.h"

static const char *start = "well";

static const char *misbehave(const char *how, const char *reply) {
    if (strcmp(how, "crash") == 0)
        __builtin_trap(); /* a signal to itself would not end a container's process 1 */
    else if (strcmp(how, "exit") == 0)
        _exit(0);
    while (strcmp(how, "idle") == 0)
        pause();
    while (strcmp(how, "spin") == 0)
        __asm__ volatile("");
    if (strcmp(how, "mark") == 0) { /* what a function has no business to say */
        MARK(M5_RESET_STATS, 0, 0);
        MARK(M5_DUMP_STATS, 0, 0);
        MARK(M5_DUMP_RESET_STATS, 0, 0);
    }
    return strcmp(how, "wrong") == 0 ? "good evening" : reply;
}

static int prepare(struct error *err) {
    misbehave(start, "");
    return 0;
}

static enum grpc_status say_hello(const ProtobufCMessage *message, struct grpc_message *reply) {
    static unsigned requests;
    const char *name = ((const Helloworld__HelloRequest *)message)->name;
    char *text =
        text_format("fn: HelloWorld | name: %s | greeting: Hello, %s! | runtime: c", name, name);
    Helloworld__HelloReply hello = HELLOWORLD__HELLO_REPLY__INIT;
    char how[16];
    unsigned at;
    bool now = sscanf(name, "%15s at %u", how, &at) == 2 && ++requests == at;
    hello.message = now ? (char *)misbehave(how, text) : text;
    enum grpc_status status = grpc_message_pack(reply, &hello.base);
    free(text);
    return status;
}

int main(int argc, char **argv) {
    static const struct function_option options[] = {
        {"start", &start, "how: well, crash, exit, idle, spin"},
        {NULL},
    };
    static const struct function odd = {
        .name = "odd-c",
        .method = {"/helloworld.Greeter/SayHello", &helloworld__hello_request__descriptor,
                   say_hello},
        .options = options,
        .prepare = prepare,
    };
    return function_main(argc, argv, &odd);
}
