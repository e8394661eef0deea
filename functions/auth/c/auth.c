/* An API gateway's authorizer, as vSwarm's auth: the token decides, the answer to `allow` and
 * `deny` is a policy document (AWS's format, as JSON on one line). */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "lib/function.h"
#include "proto/auth.pb-c.h"

static const char resource[] = "arn:aws:execute-api:{regionId}:{accountId}:{apiId}/{stage}/"
                               "{httpVerb}/[{resource}/[{child-resources}]]";

static char *policy(const char *principal, const char *effect) {
    return text_format("{\"principalId\":\"%s\",\"policyDocument\":{\"Version\":\"2012-10-17\","
                       "\"Statement\":[{\"Action\":\"execute-api:Invoke\",\"Effect\":\"%s\","
                       "\"Resource\":\"%s\"}]},\"context\":{\"stringKey\":\"stringval\","
                       "\"numberKey\":123,\"booleanKey\":true}}",
                       principal, effect, resource);
}

static char *authorize(const char *token) {
    if (strcmp(token, "allow") == 0)
        return policy("user", "Allow");
    if (strcmp(token, "deny") == 0)
        return policy("user", "Deny");
    return strdup(strcmp(token, "unauthorized") == 0 ? "Unauthorized" : "Error: Invalid token");
}

static enum grpc_status say_hello(const ProtobufCMessage *message, struct grpc_message *reply) {
    const char *token = ((const Auth__HelloRequest *)message)->name;
    autofree char *response = authorize(token);
    if (!response)
        return GRPC_RESOURCE_EXHAUSTED;
    autofree char *text =
        text_format("fn: Auth | token: %s | resp: %s | runtime: c", token, response);
    if (!text)
        return GRPC_RESOURCE_EXHAUSTED;
    Auth__HelloReply hello = AUTH__HELLO_REPLY__INIT;
    hello.message = text;
    return grpc_message_pack(reply, &hello.base);
}

int main(int argc, char **argv) {
    static const struct function auth = {
        .name = "auth-c",
        .method = {"/auth.Greeter/SayHello", &auth__hello_request__descriptor, say_hello},
    };
    return function_main(argc, argv, &auth);
}
