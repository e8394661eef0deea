/* AES-128-CTR with an initial counter of zero, as vSwarm's aes.
 * Nettle chooses its code when the program starts (Debian builds it
 * "fat"): AES-NI where the processor has it, else table look-ups. */
#include <nettle/aes.h>
#include <nettle/base16.h>
#include <nettle/ctr.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "lib/function.h"
#include "proto/aes.pb-c.h"

static const char *key_text = "6368616e676520746869732070617373";
static const char *default_plaintext = "defaultplaintext";
static struct aes128_ctx key;

static int prepare_key(struct error *err) {
    uint8_t bytes[BASE16_DECODE_LENGTH(2ul * AES128_KEY_SIZE)];
    struct base16_decode_ctx hex;
    size_t size = sizeof bytes;
    base16_decode_init(&hex);
    if (strlen(key_text) != 2ul * AES128_KEY_SIZE ||
        !base16_decode_update(&hex, &size, bytes, strlen(key_text), key_text) ||
        !base16_decode_final(&hex))
        return error_usage(err, "key '%s': not 32 hexadecimal digits", key_text);
    aes128_set_encrypt_key(&key, bytes);
    return 0;
}

static enum grpc_status show_encryption(const ProtobufCMessage *message,
                                        struct grpc_message *reply) {
    const char *plaintext = ((const Aes__PlainTextMessage *)message)->plaintext_message;
    if (*plaintext == '\0' || strcmp(plaintext, "world") == 0)
        plaintext = default_plaintext;

    size_t size = strlen(plaintext);
    autofree uint8_t *ciphertext = malloc(size + 1);
    autofree char *hex = malloc(2 * size + 1);
    if (!ciphertext || !hex)
        return GRPC_RESOURCE_EXHAUSTED;
    uint8_t counter[AES_BLOCK_SIZE] = {0};
    ctr_crypt(&key, (nettle_cipher_func *)aes128_encrypt, AES_BLOCK_SIZE, counter, size, ciphertext,
              (const uint8_t *)plaintext);
    base16_encode_update(hex, size, ciphertext);
    hex[2 * size] = '\0';

    autofree char *text =
        text_format("fn: AES | plaintext: %s | ciphertext: %s | runtime: c", plaintext, hex);
    if (!text)
        return GRPC_RESOURCE_EXHAUSTED;
    Aes__ReturnEncryptionInfo info = AES__RETURN_ENCRYPTION_INFO__INIT;
    info.encryption_info = text;
    return grpc_message_pack(reply, &info.base);
}

int main(int argc, char **argv) {
    static const struct function_option options[] = {
        {"key", &key_text, "32 hexadecimal digits"},
        {"default-plaintext", &default_plaintext, "for an empty text or `world`"},
        {"default_plaintext", &default_plaintext, "the same, as vSwarm's Python spells it"},
        {NULL},
    };
    static const struct function aes = {
        .name = "aes-c",
        .method = {"/aes.Aes/ShowEncryption", &aes__plain_text_message__descriptor,
                   show_encryption},
        .options = options,
        .prepare = prepare_key,
    };
    return function_main(argc, argv, &aes);
}
