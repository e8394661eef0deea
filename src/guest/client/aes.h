/* AES-128, one block, without tables: slow, short,
 * and no relative of the functions' implementations. */
#ifndef SLS_GUEST_CLIENT_AES_H
#define SLS_GUEST_CLIENT_AES_H

#include <stdint.h>

#define AES_BLOCK 16 /* bytes; also of the key */

void aes128_encrypt_block(const uint8_t key[AES_BLOCK], const uint8_t in[AES_BLOCK],
                          uint8_t out[AES_BLOCK]);

#endif
