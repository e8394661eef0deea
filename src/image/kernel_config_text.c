/* Compressed bytes go through the programs that Debian's kernels and modules need anyway (xz, zstd)
 * or that stand beside them: one way for all six, each in a process of its own, which the kernel
 * stops when it writes too much. */
#include "image/kernel_config_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/process.h"

#define MIB ((size_t)1 << 20)
#define INPUT_MOST (1024 * MIB)   /* a vmlinux with all its debugging information has 800 */
#define UNPACKED_MOST (256 * MIB) /* a vmlinuz has some 70 */
#define TEXT_MOST (16 * MIB)      /* allyesconfig has half of one */
#define STEPS 8                   /* vmlinuz.gz: unpack, cut out, unpack, cut out, unpack */

struct bytes {
    char *data; /* with a NUL behind them */
    size_t size;
};

/* ---- reading ---- */

static int grow(struct bytes *bytes, size_t *capacity) {
    if (bytes->size + 1 < *capacity)
        return 0;
    char *larger = realloc(bytes->data, *capacity += *capacity + 65536);
    if (!larger)
        return -1;
    bytes->data = larger;
    return 0;
}

/* All of it: of a pipe nobody knows the size before, and files of /proc have none. */
static int read_all(int fd, const char *path, struct bytes *bytes, struct error *err) {
    size_t capacity = 0;
    ssize_t got = 1;
    while (got > 0 || (got < 0 && errno == EINTR)) {
        if (grow(bytes, &capacity) < 0)
            return error_errno(err, "cannot read %s", path);
        got = read(fd, bytes->data + bytes->size, capacity - bytes->size - 1);
        bytes->size += got > 0 ? (size_t)got : 0;
        if (bytes->size > INPUT_MOST)
            return error_set(err, "%s is no kernel's configuration: it has more than %zu MiB", path,
                             INPUT_MOST / MIB);
    }
    if (got < 0)
        return error_errno(err, "cannot read %s", path);
    bytes->data[bytes->size] = '\0';
    return 0;
}

static bool begins(const struct bytes *bytes, size_t at, const char *magic, size_t size) {
    return bytes->size >= at + size && memcmp(bytes->data + at, magic, size) == 0;
}

/* ---- compressed ---- */

static const struct format {
    const char *magic;
    size_t size;
    const char *program, *package;
    const char *option; /* or NULL */
} formats[] = {
    {"\x1f\x8b", 2, "gzip", "gzip", NULL},
    {"\xfd"
     "7zXZ",
     6, "xz", "xz-utils", NULL},
    {"\x28\xb5\x2f\xfd", 4, "zstd", "zstd", "-q"},
    {"BZh", 3, "bzip2", "bzip2", NULL},
    {"\x5d\0\0", 3, "xz", "xz-utils", "--format=lzma"},
    {"\x02\x21\x4c\x18", 4, "lz4", "lz4", "-q"}, /* the frames of kernels: its legacy ones */
    {"\x04\x22\x4d\x18", 4, "lz4", "lz4", "-q"},
};

static const struct format *format_of(const struct bytes *bytes) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (begins(bytes, 0, formats[i].magic, formats[i].size))
            return &formats[i];
    return NULL;
}

/* A file in memory that holds these bytes, and a path by which a child can open it. */
static int open_memory(const struct bytes *bytes, char path[32]) {
    int fd = memfd_create("slsuite", MFD_CLOEXEC);
    for (size_t done = 0; fd >= 0 && done < bytes->size;) {
        ssize_t put = write(fd, bytes->data + done, bytes->size - done);
        if (put < 0) {
            close(fd);
            return -1;
        }
        done += (size_t)put;
    }
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

static int unpack(const struct format *format, const char *path, struct bytes *bytes,
                  struct error *err) {
    char input[32], output[32];
    const struct bytes none = {0};
    autoclose int from = open_memory(bytes, input), to = open_memory(&none, output);
    const char *const arguments[] = {format->program, "-dc", format->option, NULL};
    const struct process_options options = {
        .input = input, .output = output, .output_most = UNPACKED_MOST};
    struct stat unpacked = {0};
    if (from < 0 || to < 0)
        return error_errno(err, "cannot unpack %s", path);
    if (!process_exists(format->program))
        return error_set(err, "%s is compressed by %s, which is not installed: apt-get install %s",
                         path, format->program, format->package);
    int result = process_run(arguments, &options, err);
    if (result < 0 && fstat(to, &unpacked) == 0 && (size_t)unpacked.st_size >= UNPACKED_MOST)
        return error_set(err, "%s is no kernel's configuration: unpacked it has more than %zu MiB",
                         path, UNPACKED_MOST / MIB);
    if (result < 0)
        return error_hint(err, "%s is damaged, or cut off", path);
    free(bytes->data);
    *bytes = (struct bytes){0};
    return lseek(to, 0, SEEK_SET) == 0 ? read_all(to, path, bytes, err) : -1;
}

/* ---- kernels ---- */

static uint32_t word(const struct bytes *bytes, size_t at) {
    uint32_t value;
    memcpy(&value, bytes->data + at, sizeof value);
    return value;
}

/* Keep this part only. */
static void cut_out(struct bytes *bytes, size_t at, size_t size) {
    memmove(bytes->data, bytes->data + at, size);
    bytes->size = size;
    bytes->data[size] = '\0';
}

static bool is_bzimage(const struct bytes *bytes) {
    return begins(bytes, 0x202, "HdrS", 4) && bytes->size >= 0x250;
}

/* Of a vmlinuz, the compressed kernel (Documentation/arch/x86/boot.rst: payload_offset counts from
 * the end of the real-mode code). All but gzip are followed by four bytes, the size unpacked.
 * False: it lies about where that is. */
static bool cut_payload(struct bytes *bytes) {
    unsigned char sectors = (unsigned char)bytes->data[0x1f1];
    size_t at = ((size_t)(sectors ? sectors : 4) + 1) * 512 + word(bytes, 0x248);
    size_t size = word(bytes, 0x24c);
    if (at > bytes->size || size > bytes->size - at || size < 8)
        return false;
    cut_out(bytes, at, size);
    const struct format *format = format_of(bytes);
    if (format && format != &formats[0])
        cut_out(bytes, 0, size - 4);
    return format != NULL;
}

/* What `make` puts in with CONFIG_IKCONFIG: kernel/configs.c. */
static bool cut_ikconfig(struct bytes *bytes) {
    char *from = memmem(bytes->data, bytes->size, "IKCFG_ST\x1f\x8b", 10);
    char *end =
        from ? memmem(from, bytes->size - (size_t)(from - bytes->data), "IKCFG_ED", 8) : NULL;
    if (end)
        cut_out(bytes, (size_t)(from + 8 - bytes->data), (size_t)(end - from) - 8);
    return end != NULL;
}

static int refuse_kernel(const char *path, struct error *err) {
    return error_set(err,
                     "%s is no kernel's configuration, nor a kernel with one in it "
                     "(CONFIG_IKCONFIG): give a .config, or a /boot/config-VERSION",
                     path);
}

/* From what is there to what is in it. 0: it is the text. -1: an error. */
static int peel(const char *path, struct bytes *bytes, struct error *err) {
    const struct format *format = format_of(bytes);
    bool kernel = is_bzimage(bytes), elf = begins(bytes, 0,
                                                  "\x7f"
                                                  "ELF",
                                                  4);
    if (format)
        return unpack(format, path, bytes, err) < 0 ? -1 : 1;
    if (kernel && cut_payload(bytes))
        return 1;
    if (!kernel && !elf)
        return 0;
    return cut_ikconfig(bytes) ? 1 : refuse_kernel(path, err);
}

char *kernel_config_text(const char *path, struct error *err) {
    bool standard = strcmp(path, "-") == 0;
    autoclose int fd =
        standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);
    struct bytes bytes = {0};
    int more = fd < 0                                ? error_errno(err, "cannot read %s", path)
               : read_all(fd, path, &bytes, err) < 0 ? -1
                                                     : 1;
    for (int step = 0; more > 0 && step < STEPS; step++)
        more = peel(path, &bytes, err);
    if (more > 0)
        error_set(err, "%s is no kernel's configuration: it is compressed over and over", path);
    if (more == 0 && bytes.size > TEXT_MOST)
        more = error_set(err, "%s is no kernel's configuration: it has more than %zu MiB", path,
                         TEXT_MOST / MIB);
    if (more == 0)
        return bytes.data;
    free(bytes.data);
    return NULL;
}
