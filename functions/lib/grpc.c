#include "lib/grpc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const char *grpc_status_name(int status) {
    static const char *const names[] = {
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    };
    bool known = status >= 0 && (size_t)status < sizeof names / sizeof *names;
    return known ? names[status] : "no gRPC status";
}

static size_t promised_length(const struct grpc_message *message) {
    const uint8_t *b = message->bytes;
    return (size_t)b[1] << 24 | (size_t)b[2] << 16 | (size_t)b[3] << 8 | b[4];
}

static bool message_reserve(struct grpc_message *message, size_t capacity) {
    if (capacity <= message->capacity)
        return true;
    capacity = capacity < 256 ? 256 : capacity > 2 * message->capacity ? capacity : 2 * capacity;
    uint8_t *bytes = realloc(message->bytes, capacity);
    if (!bytes)
        return false;
    message->bytes = bytes;
    message->capacity = capacity;
    return true;
}

enum grpc_status grpc_message_add(struct grpc_message *message, const uint8_t *data, size_t size) {
    if (size > GRPC_PREFIX + GRPC_MESSAGE_MAX - message->size ||
        !message_reserve(message, message->size + size))
        return GRPC_RESOURCE_EXHAUSTED;
    if (size)
        memcpy(message->bytes + message->size, data, size);
    message->size += size;
    if (message->size < GRPC_PREFIX)
        return GRPC_OK;
    if (message->bytes[0] != 0)
        return message->bytes[0] == 1 ? GRPC_UNIMPLEMENTED : GRPC_INTERNAL;
    size_t length = promised_length(message);
    if (length > GRPC_MESSAGE_MAX)
        return GRPC_RESOURCE_EXHAUSTED;
    return message->size > GRPC_PREFIX + length ? GRPC_INTERNAL : GRPC_OK;
}

enum grpc_status grpc_message_check(const struct grpc_message *message) {
    bool whole =
        message->size >= GRPC_PREFIX && message->size == GRPC_PREFIX + promised_length(message);
    return whole ? GRPC_OK : GRPC_INTERNAL;
}

enum grpc_status grpc_message_pack(struct grpc_message *message, const ProtobufCMessage *value) {
    size_t length = protobuf_c_message_get_packed_size(value);
    if (length > GRPC_MESSAGE_MAX || !message_reserve(message, GRPC_PREFIX + length))
        return GRPC_RESOURCE_EXHAUSTED;
    message->bytes[0] = 0; /* not compressed */
    for (int i = 0; i < 4; i++)
        message->bytes[1 + i] = (uint8_t)(length >> (24 - 8 * i));
    protobuf_c_message_pack(value, message->bytes + GRPC_PREFIX);
    message->size = GRPC_PREFIX + length;
    return GRPC_OK;
}

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
static bool utf8_valid(const char *text) {
    const uint8_t *p = (const uint8_t *)text;
    while (*p) {
        int more = *p < 0x80   ? 0
                   : *p < 0xc2 ? -1
                   : *p < 0xe0 ? 1
                   : *p < 0xf0 ? 2
                   : *p < 0xf5 ? 3
                               : -1;
        uint8_t low = *p == 0xe0 ? 0xa0 : *p == 0xf0 ? 0x90 : 0x80; /* of the second byte */
        uint8_t high = *p == 0xed ? 0x9f : *p == 0xf4 ? 0x8f : 0xbf;
        if (more < 0)
            return false;
        for (p++; more > 0; more--, p++, low = 0x80, high = 0xbf)
            if (*p < low || *p > high)
                return false;
    }
    return true;
}

static bool strings_valid(const ProtobufCMessage *value) {
    const ProtobufCMessageDescriptor *descriptor = value->descriptor;
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        const char *const *text = (const void *)((const char *)value + field->offset);
        if (field->type == PROTOBUF_C_TYPE_STRING && field->label != PROTOBUF_C_LABEL_REPEATED &&
            *text && !utf8_valid(*text))
            return false;
    }
    return true;
}

ProtobufCMessage *grpc_message_unpack(const struct grpc_message *message,
                                      const ProtobufCMessageDescriptor *descriptor) {
    if (grpc_message_check(message) != GRPC_OK)
        return NULL;
    ProtobufCMessage *value = protobuf_c_message_unpack(
        descriptor, NULL, message->size - GRPC_PREFIX, message->bytes + GRPC_PREFIX);
    if (value && !strings_valid(value)) {
        protobuf_c_message_free_unpacked(value, NULL);
        return NULL;
    }
    return value;
}

void grpc_message_free(struct grpc_message *message) {
    free(message->bytes);
    *message = (struct grpc_message){0};
}
