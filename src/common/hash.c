#include "common/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include "common/cleanup.h"

struct hash {
    struct sha256_ctx context;
};

struct hash *hash_new(void) {
    struct hash *hash = malloc(sizeof *hash);
    if (!hash)
        abort();
    sha256_init(&hash->context);
    return hash;
}

void hash_add(struct hash *hash, const void *data, size_t size) {
    sha256_update(&hash->context, size, data);
}

void hash_add_field(struct hash *hash, const char *name, const char *value) {
    hash_add(hash, name, strlen(name));
    hash_add(hash, "=", 1);
    hash_add(hash, value, strlen(value));
    hash_add(hash, "\n", 1);
}

int hash_add_file(struct hash *hash, const char *path, struct error *err) {
    autofclose FILE *stream = fopen(path, "re");
    if (!stream)
        return error_errno(err, "cannot read %s", path);
    static char buffer[1 << 16];
    size_t got;
    while ((got = fread(buffer, 1, sizeof buffer, stream)) > 0)
        hash_add(hash, buffer, got);
    return ferror(stream) ? error_errno(err, "cannot read %s", path) : 0;
}

static void to_hexadecimal(const unsigned char *digest, size_t size, char *hex) {
    for (size_t i = 0; i < size; i++)
        sprintf(hex + 2 * i, "%02x", digest[i]);
}

void hash_finish(struct hash *hash, char hex[HASH_HEX]) {
    unsigned char digest[SHA256_DIGEST_SIZE];
    sha256_digest(&hash->context, sizeof digest, digest);
    to_hexadecimal(digest, sizeof digest, hex);
    free(hash);
}

int hash_file(const char *path, char hex[HASH_HEX], struct error *err) {
    struct hash *hash = hash_new();
    int result = hash_add_file(hash, path, err);
    hash_finish(hash, hex);
    return result;
}

#define BLOCK 4096

/* One data extent, mapped a window at a time, so that the page cache is read in place. Blocks of
 * zeros are passed over: whether they are holes is the file system's affair. */
static int add_extent(XXH3_state_t *state, int fd, off_t start, off_t end) {
    static const char zeros[BLOCK];
    const off_t window = 64 << 20;
    for (off_t base = start; base < end; base += window) {
        size_t length = (size_t)(end - base < window ? end - base : window);
        char *data = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, base);
        if (data == MAP_FAILED)
            return -1;
        madvise(data, length, MADV_POPULATE_READ);
        for (size_t at = 0; at < length; at += BLOCK) {
            size_t size = length - at < BLOCK ? length - at : BLOCK;
            off_t place = base + (off_t)at;
            if (memcmp(data + at, zeros, size) == 0)
                continue;
            XXH3_128bits_update(state, &place, sizeof place);
            XXH3_128bits_update(state, data + at, size);
        }
        munmap(data, length);
    }
    return 0;
}

int checksum_sparse_file(const char *path, char hex[HASH_HEX], struct error *err) {
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        return error_errno(err, "cannot read %s", path);
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        return error_errno(err, "cannot check %s", path);
    XXH3_128bits_reset(state);
    int result = 0;
    for (off_t start = 0; result == 0 && start < status.st_size;) {
        start = lseek(fd, start, SEEK_DATA);
        if (start < 0)
            break; /* ENXIO: only a hole is left */
        off_t end = (lseek(fd, start, SEEK_HOLE) + BLOCK - 1) / BLOCK * BLOCK;
        start = start / BLOCK * BLOCK;
        end = end < status.st_size ? end : status.st_size;
        if (add_extent(state, fd, start, end) < 0)
            result = error_errno(err, "cannot read %s", path);
        start = end;
    }
    XXH3_128bits_update(state, &status.st_size, sizeof status.st_size);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
    XXH3_freeState(state);
    to_hexadecimal(canonical.digest, sizeof canonical.digest, hex);
    return result;
}
