/* slsuite image build|show|prune */
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "image/function.h"
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
             (strcmp(argument, "build") == 0 || strcmp(argument, "show") == 0 ||
              strcmp(argument, "prune") == 0))
        request->action = argument;
    else if (key == ARGP_KEY_ARG || key == ARGP_KEY_NO_ARGS)
        return EINVAL;
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

/* What is there is put aside, and comes back if it cannot be made again: there may be no network.
 */
static const char *const kinds[] = {"kernel", "initramfs", "base", "rootfs"};
#define KINDS (sizeof kinds / sizeof *kinds)

static int put_aside(struct error *err) {
    for (size_t i = 0; i < KINDS; i++) {
        autofree char *folder = format_string("%s/%s", paths_cache(), kinds[i]);
        autofree char *aside = format_string("%s/.%s.old", paths_cache(), kinds[i]);
        if (!file_exists(folder)) /* interrupted before: what is aside is all there is */
            continue;
        if (folder_remove(aside, err) < 0)
            return -1;
        if (rename(folder, aside) < 0)
            return error_errno(err, "cannot rename %s", folder);
    }
    return 0;
}

static void settle(int made) {
    for (size_t i = 0; i < KINDS; i++) {
        autofree char *folder = format_string("%s/%s", paths_cache(), kinds[i]);
        autofree char *aside = format_string("%s/.%s.old", paths_cache(), kinds[i]);
        if (!made && file_exists(aside) && folder_remove(folder, NULL) == 0)
            rename(aside, folder);
        folder_remove(aside, NULL);
    }
}

/* Whether this entry of the cache holds one of the files in use. */
static int in_use(const char *entry, const char *const files[]) {
    size_t length = strlen(entry);
    for (; *files; files++)
        if (strncmp(*files, entry, length) == 0 && (*files)[length] == '/')
            return 1;
    return 0;
}

/* Remove what an older version of the suite, or of a function, has left. Checkpoints have a prune
 * of their own. */
static int prune(const char *kind, const char *const files[], struct error *err) {
    autofree char *pattern = format_string("%s/%s/*", paths_cache(), kind);
    glob_t found;
    int result = 0;
    if (glob(pattern, 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; result == 0 && i < found.gl_pathc; i++) {
        if (in_use(found.gl_pathv[i], files))
            continue;
        result = folder_remove(found.gl_pathv[i], err);
        if (result == 0)
            printf("removed %s\n", found.gl_pathv[i]);
    }
    globfree(&found);
    return result;
}

static int prune_all(const struct image *image, struct error *err) {
    enum { MOST_FUNCTIONS = 256 };
    const char *files[3 + MOST_FUNCTIONS + 1] = {image->kernel, image->initramfs, image->rootfs};
    struct function functions[MOST_FUNCTIONS];
    json_t *names = function_names();
    size_t count = json_array_size(names), prepared = 0;
    int result = count <= MOST_FUNCTIONS ? 0 : error_set(err, "too many functions to prune");
    for (; result == 0 && prepared < count; prepared++) {
        result = function_prepare(json_string_value(json_array_get(names, prepared)),
                                  &functions[prepared], err);
        files[3 + prepared] = functions[prepared].image;
    }
    static const char *const kinds[] = {"kernel", "initramfs", "rootfs", "functions"};
    for (size_t i = 0; result == 0 && i < sizeof kinds / sizeof *kinds; i++)
        result = prune(kinds[i], files, err);
    while (prepared > 0)
        function_free(&functions[--prepared]);
    json_decref(names);
    return result;
}

int command_image(int argc, char **argv, struct error *err) {
    static const struct argp argp = {
        options,
        parse,
        "build|show|prune",
        "Make the guest's kernel and root file system, show them, or remove older ones.",
        NULL,
        NULL,
        NULL};
    struct request request = {0};
    if (command_parse(&argp, argc, argv, &request, err) < 0 || (request.anew && put_aside(err) < 0))
        return -1;
    struct image image;
    int result = image_prepare(&image, err);
    if (request.anew)
        settle(result == 0);
    if (result == 0 && strcmp(request.action, "prune") == 0) {
        result = prune_all(&image, err);
    } else if (result == 0) {
        printf("kernel     %s  %s\n", image.kernel_digest, image.kernel);
        printf("initramfs  %s  %s\n", image.initramfs_digest, image.initramfs);
        printf("rootfs     %s  %s\n", image.rootfs_digest, image.rootfs);
        printf("version    %s\n", image.kernel_version);
    }
    image_free(&image);
    return result;
}
