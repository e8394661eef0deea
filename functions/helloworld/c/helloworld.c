/* A greeting. What it costs is what any gRPC call costs. */
#include <stdlib.h>

#include "common/cleanup.h"
#include "lib/function.h"
#include "proto/helloworld.pb-c.h"

static enum grpc_status say_hello(const ProtobufCMessage *message, struct grpc_message *reply) {
    const char *name = ((const Helloworld__HelloRequest *)message)->name;
    autofree char *text =
        text_format("fn: HelloWorld | name: %s | greeting: Hello, %s! | runtime: c", name, name);
    if (!text)
        return GRPC_RESOURCE_EXHAUSTED;
    Helloworld__HelloReply hello = HELLOWORLD__HELLO_REPLY__INIT;
    hello.message = text;
    return grpc_message_pack(reply, &hello.base);
}

int main(int argc, char **argv) {
    static const struct function helloworld = {
        .name = "helloworld-c",
        .method = {"/helloworld.Greeter/SayHello", &helloworld__hello_request__descriptor,
                   say_hello},
    };
    return function_main(argc, argv, &helloworld);
}
