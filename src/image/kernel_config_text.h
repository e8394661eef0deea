/* The text of a kernel's configuration, wherever it is: a file, a pipe, a kernel that has it in it.
 */
#ifndef SLS_IMAGE_KERNEL_CONFIG_TEXT_H
#define SLS_IMAGE_KERNEL_CONFIG_TEXT_H

#include "common/error.h"

/* What `path` says ("-": standard input), which is read once from its begin to its end: plain text;
 * that compressed by gzip, xz, zstd, bzip2, lzma or lz4, told by its first bytes, not by its name;
 * or a kernel, vmlinux or vmlinuz, that was built with CONFIG_IKCONFIG. The caller frees it. NULL
 * with an error: it cannot be read or unpacked, is too large, or is a kernel without one. */
char *kernel_config_text(const char *path, struct error *err);

#endif
