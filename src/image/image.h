/* The guest's image: kernel, initramfs and base root file system, made once from the host's package
 * sources and kept in the cache. */
#ifndef SLS_IMAGE_IMAGE_H
#define SLS_IMAGE_IMAGE_H

#include "common/error.h"
#include "common/hash.h"
#include "image/apt.h"
#include "image/runtime.h"

/* mtime of everything that is made, and clamp of everything
 * that is unpacked: 2024-01-01 00:00:00 UTC. */
#define IMAGE_EPOCH "SOURCE_DATE_EPOCH=1704067200"

struct image {
    char *kernel;         /* bzImage */
    char *vmlinux;        /* the same as ELF; NULL: not a custom one */
    char *kernel_version; /* as uname -r says */
    char *kernel_config;  /* what it was configured to have: kernel_config.h */
    char *modules;        /* folder of those that are not in the initramfs: modules-optional.list */
    char *initramfs;      /* NULL: a custom kernel mounts the root file system itself */
    char *rootfs;         /* ext4 */
    char kernel_digest[HASH_HEX], initramfs_digest[HASH_HEX], rootfs_digest[HASH_HEX];
};

/* What every image has below /usr/lib/slsuite, by its place in paths_guest(); NULL-terminated. One
 * is no program: the unit by which another init starts ours. */
#define GUEST_UNIT "slsuite-init.service"
extern const char *const guest_programs[];

/* Which guest it is to be. */
struct image_choice {
    const char *kernel;  /* KERNEL_DISTRIBUTION; or KERNEL_CUSTOM, the last one that was built */
    const char *runtime; /* runtime.h */
    /* Whose packages the root file system is made of; an id of "": the host's distribution. */
    struct distribution base;
};
#define KERNEL_DISTRIBUTION "distribution"
#define KERNEL_CUSTOM "custom"
#define IMAGE_DEFAULT                                                                              \
    { .kernel = KERNEL_DISTRIBUTION, .runtime = RUNTIME_DEFAULT }

/* Refuse an unknown name, as a usage error. */
int image_check_kernel(const char *name, struct error *err);

/* Make what is missing, with progress, and find the rest. The strings are owned by the image. */
int image_prepare(struct image *image, const struct image_choice *choice, struct error *err);
void image_free(struct image *image);

/* The parts of image_prepare(). */
int kernel_prepare(struct image *image, struct error *err);
int rootfs_prepare(struct image *image, const struct image_choice *choice, struct error *err);

/* The name that the root file system of this choice has in the cache, made or not. The caller frees
 * it; NULL on errors. */
#define ROOTFS_IMAGES "rootfs"
char *rootfs_name(const struct image *image, const struct image_choice *choice, struct error *err);

#endif
