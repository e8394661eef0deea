/* Digests: SHA-256 (nettle) names contents,
 * XXH3 (xxHash) finds damage in large files at memory speed. */
#ifndef SLS_COMMON_HASH_H
#define SLS_COMMON_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define HASH_HEX 65 /* 64 hexadecimal digits and a NUL */

struct hash; /* a SHA-256 under way */

struct hash *hash_new(void); /* never NULL; freed by hash_finish */
void hash_add(struct hash *hash, const void *data, size_t size);
/* Adds "NAME=VALUE\n": for keys made of several named parts. */
void hash_add_field(struct hash *hash, const char *name, const char *value);
int hash_add_file(struct hash *hash, const char *path, struct error *err);
/* Writes the digest as lower-case hexadecimal and frees the hash. */
void hash_finish(struct hash *hash, char hex[HASH_HEX]);

int hash_file(const char *path, char hex[HASH_HEX], struct error *err);

/* XXH3-128 of a file that may be sparse: of its blocks that are not all zeros, with their places,
 * wherever its holes are. As 32 hexadecimal digits. */
int checksum_sparse_file(const char *path, char hex[HASH_HEX], struct error *err);

#endif
