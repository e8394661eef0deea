/* Kernels of one's own: built from source, with all that the guest
 * needs built in, for QEMU and gem5 alike. They lie in the cache,
 * and the last one built is the one that is meant by "custom". */
#ifndef SLS_IMAGE_KERNEL_BUILD_H
#define SLS_IMAGE_KERNEL_BUILD_H

#include "common/error.h"
#include "image/image.h"

#define CUSTOM_KERNELS "kernels" /* the folder of the cache */

struct kernel_build_options {
    const char *version; /* 6.1: of the distribution's package linux-source-VERSION; NULL: newest */
    const char *source;  /* a tree of source, or a tar of one, instead; NULL: the package */
    const char *fragment; /* a file of options, after ours; NULL: none */
};

/* Build it, unless there is one of the same source and options, with progress, and find it as
 * kernel_find_custom() does. A kernel that lacks what the simulators need is refused; what was
 * built then stays until the next build. */
int kernel_build(const struct kernel_build_options *options, struct image *image,
                 struct error *err);

/* The last one built: kernel, vmlinux, configuration,
 * version and digest of the image; no initramfs. */
int kernel_find_custom(struct image *image, struct error *err);

/* Its name in the cache, or NULL. The caller frees it. */
char *kernel_last_custom(void);

#endif
