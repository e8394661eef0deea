/* A greeting that goes wrong: HOW at the AT-th request, counted from 1; at 0 before it listens. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mark.h"
#include "lib/function.h"
#include "proto/helloworld.pb-c.h"

static const char *at = "1", *how = "crash";

static const char *misbehave(const char *reply) {
    if (strcmp(how, "crash") == 0)
        __builtin_trap(); /* a fault: signals that it sends itself do not end a container's process 1 */
    else if (strcmp(how, "exit") == 0)
        _exit(0);
    while (strcmp(how, "idle") == 0)
        pause();
    while (strcmp(how, "spin") == 0)
        ;
    if (strcmp(how, "mark") == 0) { /* what a function has no business to say */
        MARK(M5_RESET_STATS, 0, 0);
        MARK(M5_DUMP_STATS, 0, 0);
        MARK(M5_DUMP_RESET_STATS, 0, 0);
    }
    return strcmp(how, "wrong") == 0 ? "good evening" : reply;
}

static int prepare(struct error *err) {
    if (atoi(at) == 0)
        misbehave("");
    return 0;
}

static enum grpc_status say_hello(const ProtobufCMessage *message, struct grpc_message *reply) {
    static int requests;
    const char *name = ((const Helloworld__HelloRequest *)message)->name;
    char *text =
        text_format("fn: HelloWorld | name: %s | greeting: Hello, %s! | runtime: c", name, name);
    Helloworld__HelloReply hello = HELLOWORLD__HELLO_REPLY__INIT;
    hello.message = ++requests == atoi(at) ? (char *)misbehave(text) : text;
    enum grpc_status status = grpc_message_pack(reply, &hello.base);
    free(text);
    return status;
}

int main(int argc, char **argv) {
    static const struct function_option options[] = {
        {"at", &at, "number of the request"},
        {"how", &how, "crash, exit, idle, spin, wrong, mark"},
        {NULL},
    };
    static const struct function misbehaving = {
        .name = "misbehave",
        .method = {"/helloworld.Greeter/SayHello", &helloworld__hello_request__descriptor,
                   say_hello},
        .options = options,
        .prepare = prepare,
    };
    return function_main(argc, argv, &misbehaving);
}
