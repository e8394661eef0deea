#include "image/image.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "image/kernel_build.h"

int image_check_kernel(const char *name, struct error *err) {
    if (strcmp(name, KERNEL_DISTRIBUTION) == 0 || strcmp(name, KERNEL_CUSTOM) == 0)
        return 0;
    return error_usage(err,
                       "no kernel is named %s: there are " KERNEL_DISTRIBUTION
                       ", and " KERNEL_CUSTOM ", the last one that was built",
                       name);
}

int image_prepare(struct image *image, const struct image_choice *choice, struct error *err) {
    bool custom = strcmp(choice->kernel, KERNEL_CUSTOM) == 0;
    *image = (struct image){0};
    if ((custom ? kernel_find_custom(image, err) : kernel_prepare(image, err)) < 0)
        return -1;
    return rootfs_prepare(image, choice, err);
}

void image_free(struct image *image) {
    free(image->kernel);
    free(image->vmlinux);
    free(image->kernel_version);
    free(image->kernel_config);
    free(image->modules);
    free(image->initramfs);
    free(image->rootfs);
    *image = (struct image){0};
}
