#include "image/image.h"

#include <stdlib.h>

int image_prepare(struct image *image, const char *runtime, struct error *err) {
    *image = (struct image){0};
    if (kernel_prepare(image, err) < 0)
        return -1;
    return rootfs_prepare(image, runtime, err);
}

void image_free(struct image *image) {
    free(image->kernel);
    free(image->kernel_version);
    free(image->kernel_config);
    free(image->modules);
    free(image->initramfs);
    free(image->rootfs);
    *image = (struct image){0};
}
