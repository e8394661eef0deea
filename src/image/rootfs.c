/* The base root file system: Debian's packages (debian.h), then the guest programs, then ext4 by
 * mke2fs. Two steps, so that a new guest program does not mean new packages. With another container
 * runtime than crun it is another one: more packages, and the modules that these need. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/hash.h"
#include "common/paths.h"
#include "common/process.h"
#include "common/progress.h"
#include "image/apt.h"
#include "image/debian.h"
#include "image/image.h"
#include "image/runtime.h"
#include "image/store.h"

#define RECIPE "1" /* raise it when the way a root file system is made changes */
#define BASE_TAR "base.tar.zst"

/* The packages, separated by commas. The caller frees it. */
static char *list_packages(const char *runtime, struct error *err) {
    autofree char *list = format_string("%s/packages.list", paths_recipes());
    autofree char *more = format_string("%s/%s.packages", paths_recipes(), runtime);
    char *packages = debian_packages(list, err);
    if (!packages || !runtime_is_engine(runtime))
        return packages;
    autofree char *added = debian_packages(more, err);
    char *all = added ? format_string("%s,%s", packages, added) : NULL;
    free(packages);
    return all;
}

/* What the base is made from, as a digest, and the entry's name; the caller frees it. */
static char *name_base(const char *packages, const struct distribution *base, char key[HASH_HEX],
                       struct error *err) {
    struct distribution distribution = *base;
    if (!packages || (!*base->id && apt_distribution(&distribution, err) < 0))
        return NULL;
    struct hash *hash = hash_new();
    hash_add_field(hash, "recipe", RECIPE);
    hash_add_field(hash, "codename", distribution.codename);
    hash_add_field(hash, "packages", packages);
    hash_finish(hash, key);
    return format_string("%s-%.16s", distribution.codename, key);
}

static int find_base(struct store_entry *entry, const struct image_choice *choice,
                     char key[HASH_HEX], struct error *err) {
    const char *runtime = choice->runtime;
    autofree char *packages = list_packages(runtime, err);
    autofree char *name = name_base(packages, &choice->base, key, err);
    if (!name || store_open(entry, "base", name, err) < 0)
        return -1;
    if (!entry->work)
        return 0;
    if (store_need_room(900e6, "the root file system", err) < 0)
        return -1;
    bool engine = runtime_is_engine(runtime);
    autofree char *title = format_string("root file system%s%s: packages", engine ? " with " : "",
                                         engine ? runtime : "");
    struct progress *progress = progress_begin("base", title, engine ? 60 : 30);
    const struct debian debian = {
        .what = "the guest's root file system",
        .distribution = *choice->base.id ? &choice->base : NULL,
        .packages = packages,
        .devices = true,
    };
    autofree char *tar = store_file(entry, BASE_TAR);
    int result = debian_make(&debian, entry, tar, err);
    if (result == 0)
        result = store_commit(entry, err);
    progress_end(progress, result == 0);
    return result;
}

static int make_image(const struct store_entry *entry, const struct store_entry *base,
                      const struct image *image, const char *runtime, struct error *err) {
    autofree char *recipe = format_string("%s/make-rootfs", paths_recipes());
    autofree char *tar = store_file(base, BASE_TAR), *content = store_file(entry, "content");
    autofree char *file = store_file(entry, "rootfs.ext4"), *log = store_file(entry, "log");
    autofree char *digest_file = store_file(entry, "digest");
    const char *arguments[] = {"fakeroot", "--", "sh", recipe, tar,  paths_guest(),
                               content,    file, NULL, NULL,   NULL, NULL};
    if (runtime_is_engine(runtime)) {
        arguments[8] = runtime;
        arguments[9] = image->modules; /* NULL: the kernel has all built in */
        arguments[10] = image->kernel_version;
    }
    const char *const environment[] = {IMAGE_EPOCH, NULL};
    struct process_options options = {.environment = environment, .log = log};
    char digest[HASH_HEX];
    if (process_run(arguments, &options, err) < 0 || folder_remove(content, err) < 0 ||
        hash_file(file, digest, err) < 0)
        return -1;
    return file_write(digest_file, digest, strlen(digest), err);
}

/* What more goes into an image with this runtime. */
static int hash_add_runtime(struct hash *hash, const struct image *image, const char *runtime,
                            struct error *err) {
    autofree char *program = format_string("%s/slsuite-runtime", paths_guest());
    autofree char *configuration = format_string(
        "%s/%s", paths_recipes(), strcmp(runtime, "docker") == 0 ? "docker.json" : "podman.conf");
    if (hash_add_file(hash, program, err) < 0 || hash_add_file(hash, configuration, err) < 0)
        return -1;
    if (!image->modules)
        return 0;
    autofree char *modules = format_string("%s/list", image->modules);
    hash_add_field(hash, "kernel", image->kernel_digest);
    return hash_add_file(hash, modules, err);
}

const char *const guest_programs[] = {"init",
                                      "m5",
                                      "client/client",
                                      "slsuite-function",
                                      "slsuite-code",
                                      "slsuite-launch",
                                      "slsuite-channel",
                                      GUEST_UNIT,
                                      NULL};

static char *name_image(const char *base_key, const struct image *image, const char *runtime,
                        struct error *err) {
    struct hash *hash = hash_new();
    char key[HASH_HEX];
    hash_add_field(hash, "base", base_key);
    int result = 0;
    for (const char *const *name = guest_programs; result == 0 && *name; name++) {
        autofree char *program = format_string("%s/%s", paths_guest(), *name);
        result = hash_add_file(hash, program, err);
    }
    const char *const recipes[] = {"make-rootfs", "make-ext4"};
    for (size_t i = 0; result == 0 && i < 2; i++) {
        autofree char *recipe = format_string("%s/%s", paths_recipes(), recipes[i]);
        result = hash_add_file(hash, recipe, err);
    }
    if (result == 0 && runtime_is_engine(runtime))
        result = hash_add_runtime(hash, image, runtime, err);
    hash_finish(hash, key);
    return result < 0 ? NULL : format_string("%.16s", key);
}

static int find_image(struct store_entry *entry, const struct store_entry *base,
                      const char *base_key, const struct image *image, const char *runtime,
                      struct error *err) {
    autofree char *name = name_image(base_key, image, runtime, err);
    if (!name || store_open(entry, ROOTFS_IMAGES, name, err) < 0)
        return -1;
    if (!entry->work)
        return 0;
    struct progress *progress = progress_begin("rootfs", "root file system: image", 6);
    int result = make_image(entry, base, image, runtime, err);
    if (result == 0)
        result = store_commit(entry, err);
    progress_end(progress, result == 0);
    return result;
}

char *rootfs_name(const struct image *image, const struct image_choice *choice, struct error *err) {
    char key[HASH_HEX];
    autofree char *packages = list_packages(choice->runtime, err);
    autofree char *base = name_base(packages, &choice->base, key, err);
    return base ? name_image(key, image, choice->runtime, err) : NULL;
}

int rootfs_prepare(struct image *image, const struct image_choice *choice, struct error *err) {
    struct store_entry base = {.lock = -1}, entry = {.lock = -1};
    char base_key[HASH_HEX];
    int result = find_base(&base, choice, base_key, err);
    if (result == 0)
        result = find_image(&entry, &base, base_key, image, choice->runtime, err);
    if (result == 0) {
        autofree char *digest_file = store_file(&entry, "digest");
        autofree char *digest = file_read(digest_file, NULL, err);
        image->rootfs = store_file(&entry, "rootfs.ext4");
        result = digest ? 0 : -1;
        if (digest)
            snprintf(image->rootfs_digest, HASH_HEX, "%s", digest);
    }
    store_close(&base);
    store_close(&entry);
    return result;
}
