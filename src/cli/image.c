/* slsuite image build|show */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "image/image.h"

struct request {
    const char *action;
    int anew;
};

static const struct argp_option options[] = {
    {"anew", 'a', NULL, 0, "build: again from the package sources, even if there is one", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    if (key == 'a')
        request->anew = 1;
    else if (key == ARGP_KEY_ARG && !request->action &&
             (strcmp(argument, "build") == 0 || strcmp(argument, "show") == 0))
        request->action = argument;
    else if (key == ARGP_KEY_ARG || key == ARGP_KEY_NO_ARGS)
        return EINVAL;
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static int forget(struct error *err) {
    static const char *const kinds[] = {"kernel", "initramfs", "base", "rootfs"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        autofree char *folder = format_string("%s/%s", paths_cache(), kinds[i]);
        if (folder_remove(folder, err) < 0)
            return -1;
    }
    return 0;
}

int command_image(int argc, char **argv, struct error *err) {
    static const struct argp argp = {
        options, parse, "build|show", "Make the guest's kernel and root file system, or show them.",
        NULL,    NULL,  NULL};
    struct request request = {0};
    if (command_parse(&argp, argc, argv, &request, err) < 0 || (request.anew && forget(err) < 0))
        return -1;
    struct image image;
    int result = image_prepare(&image, err);
    if (result == 0) {
        printf("kernel     %s  %s\n", image.kernel_digest, image.kernel);
        printf("initramfs  %s  %s\n", image.initramfs_digest, image.initramfs);
        printf("rootfs     %s  %s\n", image.rootfs_digest, image.rootfs);
        printf("version    %s\n", image.kernel_version);
    }
    image_free(&image);
    return result;
}
