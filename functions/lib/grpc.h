/* What both ends of a gRPC call share: status codes, the length-prefixed message, protobuf in and
 * out of it. gRPC over HTTP/2: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
#ifndef SLS_LIB_GRPC_H
#define SLS_LIB_GRPC_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

enum grpc_status {
    GRPC_OK = 0,
    GRPC_CANCELLED,
    GRPC_UNKNOWN,
    GRPC_INVALID_ARGUMENT,
    GRPC_DEADLINE_EXCEEDED,
    GRPC_NOT_FOUND,
    GRPC_ALREADY_EXISTS,
    GRPC_PERMISSION_DENIED,
    GRPC_RESOURCE_EXHAUSTED,
    GRPC_FAILED_PRECONDITION,
    GRPC_ABORTED,
    GRPC_OUT_OF_RANGE,
    GRPC_UNIMPLEMENTED,
    GRPC_INTERNAL,
    GRPC_UNAVAILABLE,
    GRPC_DATA_LOSS,
    GRPC_UNAUTHENTICATED,
};

/* "INVALID_ARGUMENT", …; never NULL. */
const char *grpc_status_name(int status);

#define GRPC_PREFIX 5u              /* compressed flag and big-endian length before each message */
#define GRPC_MESSAGE_MAX (4u << 20) /* bytes; what other gRPC implementations accept by default */

/* One message with its prefix, as it goes over the wire.
 * All zero: empty. Freed by grpc_message_free. */
struct grpc_message {
    uint8_t *bytes;
    size_t size; /* bytes so far, prefix included */
    size_t capacity;
};

/* Append bytes as they arrive. Not GRPC_OK: compressed (UNIMPLEMENTED), too long
 * (RESOURCE_EXHAUSTED), or more than one message (INTERNAL). Memory grows with what has come, not
 * with what the prefix promises. */
enum grpc_status grpc_message_add(struct grpc_message *message, const uint8_t *data, size_t size);

/* After the last byte: GRPC_OK if exactly one whole message has come, else INTERNAL. */
enum grpc_status grpc_message_check(const struct grpc_message *message);

/* Replace the contents. RESOURCE_EXHAUSTED if it would be too long. */
enum grpc_status grpc_message_pack(struct grpc_message *message, const ProtobufCMessage *value);

/* The value of a whole message, freed with protobuf_c_message_free_unpacked; NULL if it is no such
 * message, or a string in it is not UTF-8. (protobuf-c's strings end at the first NUL.) */
ProtobufCMessage *grpc_message_unpack(const struct grpc_message *message,
                                      const ProtobufCMessageDescriptor *descriptor);

void grpc_message_free(struct grpc_message *message);

#endif
