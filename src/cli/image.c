/* slsuite image build|show|prune|import */
#include <glob.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/words.h"
#include "image/function.h"
#include "image/image.h"
#include "image/import.h"
#include "image/kernel_build.h"
#include "image/runtime.h"
#include "image/store.h"

struct request {
    const char *action;
    struct image_choice choice;
    const char *distribution, *release, *mirror;
    const char *disk, *out; /* import's */
    int anew;
    struct error *err;
};

enum { OPTION_DISTRIBUTION = 1000, OPTION_RELEASE, OPTION_MIRROR };

static const struct argp_option options[] = {
    {"anew", 'a', NULL, 0, "build: again from the package sources, even if there is one", 0},
    {"with", 'w', "RUNTIME", 0, "the image that also has docker, or podman", 0},
    {"distribution", OPTION_DISTRIBUTION, "NAME", 0,
     "build: of debian or ubuntu (this computer's); `run` and `shell` have --base for it", 0},
    {"release", OPTION_RELEASE, "CODENAME", 0, "build: of this release of it, as noble", 0},
    {"mirror", OPTION_MIRROR, "ADDRESS", 0, "build: where its packages are, if apt does not know",
     0},
    {"out", 'o', "FILE", 0, "import: the new raw image (DISK's name, -slsuite.raw, here)", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    if (key == 'a')
        request->anew = 1;
    else if (key == 'w') {
        request->choice.runtime = argument;
        return runtime_check(argument, request->err) < 0 ? EINVAL : 0;
    } else if (key == 'o')
        request->out = argument;
    else if (key == OPTION_DISTRIBUTION)
        request->distribution = argument;
    else if (key == OPTION_RELEASE)
        request->release = argument;
    else if (key == OPTION_MIRROR)
        request->mirror = argument;
    else if (key == ARGP_KEY_ARG && !request->action &&
             (strcmp(argument, "build") == 0 || strcmp(argument, "show") == 0 ||
              strcmp(argument, "prune") == 0 || strcmp(argument, "import") == 0))
        request->action = argument;
    else if (key == ARGP_KEY_ARG && request->action && strcmp(request->action, "import") == 0 &&
             !request->disk)
        request->disk = argument;
    else if (key == ARGP_KEY_ARG || key == ARGP_KEY_NO_ARGS)
        return EINVAL;
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

/* What is there is put aside, and comes back if it
 * cannot be made again: there may be no network. */
static const char *const kinds[] = {"kernel",         "initramfs",    "base",
                                    ROOTFS_IMAGES,    LANGUAGE_BASES, FUNCTION_IMAGES,
                                    FUNCTION_ARCHIVES};
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

/* Its base layer, if there was one. */
static int renew_base(struct language *language, struct error *err) {
    if (!language->base_entry)
        return 0;
    autofree char *before =
        format_string("%s/.%s.old/%s", paths_cache(), LANGUAGE_BASES, language->base_entry);
    return file_exists(before) ? language_prepare(language, err) : 0;
}

/* What lies below this function and below its data services. */
static int renew_bases_of(const char *function_name, struct error *err) {
    struct function function = {0};
    int result = function_find(function_name, &function, err);
    if (result == 0)
        result = renew_base(&function.language, err);
    if (result == 0)
        result = renew_base(&function.services, err);
    function_free(&function);
    return result;
}

/* All that was made of packages. Functions over a
 * base layer are made again when they are needed. */
static int renew_bases(struct error *err) {
    json_t *names = function_names(), *name;
    size_t index;
    int result = 0;
    json_array_foreach(names, index, name) if (result == 0) result =
        renew_bases_of(json_string_value(name), err);
    json_decref(names);
    return result;
}

/* Remove what an older version of the suite, or of a function, has left. Checkpoints have a prune
 * of their own. */
static int prune(const char *kind, const json_t *used, struct error *err) {
    autofree char *pattern = format_string("%s/%s/*", paths_cache(), kind);
    glob_t found;
    int result = 0;
    if (glob(pattern, 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; result == 0 && i < found.gl_pathc; i++) {
        if (words_contain(used, found.gl_pathv[i]))
            continue;
        result = folder_remove(found.gl_pathv[i], err);
        if (result == 0)
            printf("removed %s\n", found.gl_pathv[i]);
    }
    globfree(&found);
    return result;
}

static void add_path(json_t *paths, const char *kind, const char *entry) {
    autofree char *path = format_string("%s/%s/%s", paths_cache(), kind, entry ? entry : ".");
    json_array_append_new(paths, json_string(path));
}

static int prune_all(const struct image *image, struct error *err) {
    json_t *used = json_array(), *names = function_names(), *name;
    size_t index;
    int result = 0;
    const char *const files[] = {image->kernel, image->initramfs};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        json_array_append_new(used,
                              json_stringn(files[i], (size_t)(strrchr(files[i], '/') - files[i])));
    for (size_t i = 0; result == 0 && runtimes[i]; i++) {
        const struct image_choice choice = {.runtime = runtimes[i]};
        autofree char *rootfs = rootfs_name(image, &choice, err);
        result = rootfs ? 0 : -1;
        add_path(used, ROOTFS_IMAGES, rootfs);
    }
    autofree char *custom = kernel_last_custom();
    add_path(used, CUSTOM_KERNELS, custom);
    add_path(used, CUSTOM_KERNELS, "last");
    json_array_foreach(names, index, name) {
        struct function function;
        if (result == 0)
            result = function_find(json_string_value(name), &function, err);
        else
            break;
        add_path(used, FUNCTION_IMAGES, function.entry);
        add_path(used, FUNCTION_ARCHIVES, function.entry);
        add_path(used, LANGUAGE_BASES, function.language.base_entry);
        add_path(used, LANGUAGE_BASES, function.services.base_entry);
        function_free(&function);
    }
    static const char *const kinds[] = {"kernel",      CUSTOM_KERNELS,  "initramfs",
                                        ROOTFS_IMAGES, FUNCTION_IMAGES, FUNCTION_ARCHIVES,
                                        LANGUAGE_BASES};
    size_t unfinished = store_remove_unfinished("base");
    for (size_t i = 0; result == 0 && i < sizeof kinds / sizeof *kinds; i++) {
        unfinished += store_remove_unfinished(kinds[i]);
        result = prune(kinds[i], used, err);
    }
    if (unfinished)
        printf("removed %zu that were never finished\n", unfinished);
    json_decref(names);
    json_decref(used);
    return result;
}

/* DISK's last name without its ending, and ours. The caller frees it. */
static char *name_import(const char *disk) {
    const char *slash = strrchr(disk, '/'), *name = slash ? slash + 1 : disk;
    const char *dot = strrchr(name, '.');
    return format_string("%.*s-slsuite.raw",
                         dot && dot > name ? (int)(dot - name) : (int)strlen(name), name);
}

static int import(const struct request *request, struct error *err) {
    struct imported imported;
    if (!request->disk)
        return error_usage(err, "image import: which disk? Name an image file, raw or qcow2");
    autofree char *out = request->out ? strdup(request->out) : name_import(request->disk);
    if (image_import(request->disk, out, &imported, err) < 0)
        return -1;
    printf("image      %s\nsystem     %s\nroot       %s, byte %" PRIu64 "\n", out, imported.system,
           imported.device, imported.offset);
    return 0;
}

static int choose_base(struct request *request, struct error *err) {
    if (!request->distribution && !request->release && !request->mirror)
        return 0;
    if (!request->distribution || !request->release)
        return error_usage(err, "image build: --distribution and --release go together, as "
                                "--distribution ubuntu --release noble");
    autofree char *name =
        format_string("%s:%s%s%s", request->distribution, request->release,
                      request->mirror ? "@" : "", request->mirror ? request->mirror : "");
    return apt_parse_distribution(name, &request->choice.base, err);
}

int command_image(int argc, char **argv, struct error *err) {
    static const struct argp argp = {
        options,
        parse,
        "build\nshow\nprune\nimport DISK",
        "Make the guest's kernel and root file system, show them, or remove older ones; or copy "
        "somebody's disk image, a Debian or Ubuntu with systemd, and put the run script's service, "
        "m5 and client into the copy.",
        NULL,
        NULL,
        NULL};
    struct request request = {.choice = IMAGE_DEFAULT, .err = err};
    if (command_parse(&argp, argc, argv, &request, err) < 0)
        return -1;
    if (strcmp(request.action, "import") == 0)
        return import(&request, err);
    if (choose_base(&request, err) < 0 || (request.anew && put_aside(err) < 0))
        return -1;
    struct image image;
    int result = image_prepare(&image, &request.choice, err);
    if (result == 0 && request.anew)
        result = renew_bases(err);
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
