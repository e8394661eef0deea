/* The base root file system: Debian's packages (debian.h), then the guest programs, then ext4 by
 * mke2fs. Two steps, so that a new guest program does not mean new packages. */
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
#include "image/store.h"

#define RECIPE "1" /* raise it when the way a root file system is made changes */
#define BASE_TAR "base.tar.zst"

static int find_base(struct store_entry *entry, char key[HASH_HEX], struct error *err) {
    struct distribution distribution;
    autofree char *list = format_string("%s/packages.list", paths_recipes());
    autofree char *packages = debian_packages(list, err);
    if (!packages || apt_distribution(&distribution, err) < 0)
        return -1;
    struct hash *hash = hash_new();
    hash_add_field(hash, "recipe", RECIPE);
    hash_add_field(hash, "codename", distribution.codename);
    hash_add_field(hash, "packages", packages);
    hash_finish(hash, key);
    autofree char *name = format_string("%s-%.16s", distribution.codename, key);
    if (store_open(entry, "base", name, err) < 0)
        return -1;
    if (!entry->work)
        return 0;
    if (store_need_room(900e6, "the root file system", err) < 0)
        return -1;
    struct progress *progress = progress_begin("base", "root file system: packages", 30);
    const struct debian debian = {
        .what = "the guest's root file system", .packages = packages, .devices = true};
    autofree char *tar = store_file(entry, BASE_TAR);
    int result = debian_make(&debian, entry, tar, err);
    if (result == 0)
        result = store_commit(entry, err);
    progress_end(progress, result == 0);
    return result;
}

static int make_image(const struct store_entry *entry, const struct store_entry *base,
                      struct error *err) {
    autofree char *recipe = format_string("%s/make-rootfs", paths_recipes());
    autofree char *tar = store_file(base, BASE_TAR), *content = store_file(entry, "content");
    autofree char *image = store_file(entry, "rootfs.ext4"), *log = store_file(entry, "log");
    autofree char *digest_file = store_file(entry, "digest");
    const char *const arguments[] = {"fakeroot",    "--",    "sh",  recipe, tar,
                                     paths_guest(), content, image, NULL};
    const char *const environment[] = {IMAGE_EPOCH, NULL};
    struct process_options options = {.environment = environment, .log = log};
    char digest[HASH_HEX];
    if (process_run(arguments, &options, err) < 0 || folder_remove(content, err) < 0 ||
        hash_file(image, digest, err) < 0)
        return -1;
    return file_write(digest_file, digest, strlen(digest), err);
}

/* The guest programs that make-rootfs installs. */
static const char *const guest_programs[] = {
    "init",
    "m5",
    "client/client",
    "slsuite-function",
    "slsuite-code",
    "slsuite-launch",
    "slsuite-channel",
    "slsuite-init.service",
};

static int find_image(struct store_entry *entry, const struct store_entry *base,
                      const char *base_key, struct error *err) {
    struct hash *hash = hash_new();
    char key[HASH_HEX];
    hash_add_field(hash, "base", base_key);
    int result = 0;
    for (size_t i = 0; result == 0 && i < sizeof guest_programs / sizeof *guest_programs; i++) {
        autofree char *program = format_string("%s/%s", paths_guest(), guest_programs[i]);
        result = hash_add_file(hash, program, err);
    }
    const char *const recipes[] = {"make-rootfs", "make-ext4"};
    for (size_t i = 0; result == 0 && i < 2; i++) {
        autofree char *recipe = format_string("%s/%s", paths_recipes(), recipes[i]);
        result = hash_add_file(hash, recipe, err);
    }
    hash_finish(hash, key);
    key[16] = '\0';
    if (result < 0 || store_open(entry, "rootfs", key, err) < 0)
        return -1;
    if (!entry->work)
        return 0;
    struct progress *progress = progress_begin("rootfs", "root file system: image", 6);
    result = make_image(entry, base, err);
    if (result == 0)
        result = store_commit(entry, err);
    progress_end(progress, result == 0);
    return result;
}

int rootfs_prepare(struct image *image, struct error *err) {
    struct store_entry base = {.lock = -1}, entry = {.lock = -1};
    char base_key[HASH_HEX];
    int result = find_base(&base, base_key, err);
    if (result == 0)
        result = find_image(&entry, &base, base_key, err);
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
