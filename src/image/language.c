#include "image/language.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/process.h"
#include "common/progress.h"
#include "image/apt.h"
#include "image/debian.h"
#include "image/image.h"
#include "image/oci.h"
#include "image/store.h"

#define RECIPE "2" /* raise it when the way a base layer is made changes */

/* The files of a folder, not those of its folders. */
static int add_files(struct hash *hash, const char *folder, struct error *err) {
    autofree char *pattern = format_string("%s/*", folder);
    glob_t found;
    int result = 0;
    if (glob(pattern, 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; result == 0 && i < found.gl_pathc; i++) {
        struct stat status;
        if (stat(found.gl_pathv[i], &status) == 0 && S_ISREG(status.st_mode)) {
            hash_add_field(hash, "file", strrchr(found.gl_pathv[i], '/'));
            result = hash_add_file(hash, found.gl_pathv[i], err);
        }
    }
    globfree(&found);
    return result;
}

/* CODENAME-KEY of the base layer. */
static int find_base(struct language *language, const char *folder, struct error *err) {
    struct distribution distribution;
    char key[HASH_HEX];
    if (apt_distribution(&distribution, err) < 0)
        return -1;
    autofree char *recipe = format_string("%s/make-base", paths_recipes());
    struct hash *hash = hash_new();
    hash_add_field(hash, "recipe", RECIPE);
    int result = hash_add_file(hash, recipe, err) < 0 ? -1 : add_files(hash, folder, err);
    hash_finish(hash, key);
    language->base_entry = format_string("%s-%s-%.16s", language->name, distribution.codename, key);
    return result;
}

static int find(const char *name, const char *uuid, struct language *language, struct error *err) {
    *language = (struct language){.name = strdup(name),
                                  .uuid = uuid,
                                  .folder = format_string("%s/lib/%s", paths_functions(), name)};
    autofree char *base = format_string("%s/base", language->folder);
    autofree char *packages = format_string("%s/packages.list", base);
    if (file_exists(packages) && find_base(language, base, err) < 0)
        return -1;
    struct hash *hash = hash_new();
    hash_add_field(hash, "base", language->base_entry ? language->base_entry : "none");
    int result = add_files(hash, language->folder, err);
    hash_finish(hash, language->key);
    return result;
}

int language_find(const char *name, struct language *language, struct error *err) {
    int result = find(name, "51e5e5e5-0000-4000-8000-000000000003", language, err);
    autofree char *build = format_string("%s/build", language->folder);
    if (result == 0 && !file_exists(build))
        return error_set(
            err,
            "functions in the language %s cannot be built: there is no %s: put a ready "
            "program into a folder `program`",
            name, build);
    return result;
}

int language_find_services(struct language *services, struct error *err) {
    return find("services", "51e5e5e5-0000-4000-8000-000000000004", services, err);
}

int language_run(const struct language *language, const char *script, const char *const arguments[],
                 const char *log, struct error *err) {
    autofree char *path = format_string("%s/%s", language->folder, script);
    /* For compilers: what they keep is theirs, and may be removed at any time. */
    autofree char *cache = format_string("BUILD_CACHE=%s/build", paths_cache());
    const char *const environment[] = {IMAGE_EPOCH, cache, "LC_ALL=C.UTF-8", NULL};
    struct process_options options = {
        .environment = environment, .log = log, .timeout_seconds = 1200};
    const char *vector[64] = {"sh", path};
    size_t count = 2;
    for (; *arguments; arguments++) {
        if (count + 1 == sizeof vector / sizeof *vector)
            return error_set(err, "%s: too many files", path);
        vector[count++] = *arguments;
    }
    return process_run(vector, &options, err);
}

/* Debian's packages as one tar, and what the language adds as another. */
static int make_tars(const struct language *language, const struct store_entry *entry,
                     const char *debian_tar, const char *files, struct error *err) {
    autofree char *list = format_string("%s/base/packages.list", language->folder);
    autofree char *hook_file = format_string("%s/base/hook", language->folder);
    autofree char *script = format_string("%s/base/files", language->folder);
    autofree char *what = format_string("the base layer of %s", language->name);
    autofree char *packages = debian_packages(list, err), *log = store_file(entry, "log");
    autofree char *hook = file_exists(hook_file) ? file_read(hook_file, NULL, err) : strdup("true");
    const struct debian debian = {.what = what, .packages = packages, .hook = hook};
    const char *const to[] = {files, NULL};
    if (!packages || !hook || folder_make(files, err) < 0 ||
        (file_exists(script) && language_run(language, "base/files", to, log, err) < 0))
        return -1;
    return debian_make(&debian, entry, debian_tar, err);
}

static int make_base(const struct language *language, const struct store_entry *entry,
                     struct error *err) {
    autofree char *tar = store_file(entry, "debian.tar"), *files = store_file(entry, "files");
    autofree char *files_tar = store_file(entry, "files.tar"), *log = store_file(entry, "log");
    autofree char *layout = store_file(entry, "oci"), *content = store_file(entry, "content");
    autofree char *image = store_file(entry, "base.ext4");
    autofree char *digest_file = store_file(entry, "digest");
    autofree char *recipe = format_string("%s/make-base", paths_recipes());
    const char *const pack[] = {"fakeroot", "--",           "sh", recipe,    content,
                                image,      language->uuid, tar,  files_tar, NULL};
    const char *const environment[] = {IMAGE_EPOCH, NULL};
    struct process_options options = {.environment = environment, .log = log};
    char digest[HASH_HEX];
    if (make_tars(language, entry, tar, files, err) < 0 || oci_new(layout, NULL, log, err) < 0 ||
        oci_add_tar(layout, tar, log, err) < 0 ||
        oci_add_folder(layout, files, files_tar, log, err) < 0 ||
        process_run(pack, &options, err) < 0)
        return -1;
    if (folder_remove(content, err) < 0 || folder_remove(files, err) < 0 ||
        folder_remove(tar, err) < 0 || folder_remove(files_tar, err) < 0 ||
        hash_file(image, digest, err) < 0)
        return -1;
    return file_write(digest_file, digest, strlen(digest), err);
}

static int read_base(struct language *language, const struct store_entry *entry,
                     struct error *err) {
    autofree char *digest_file = store_file(entry, "digest");
    autofree char *digest = file_read(digest_file, NULL, err);
    if (!digest)
        return -1;
    language->base_layout = store_file(entry, "oci");
    language->base_image = store_file(entry, "base.ext4");
    snprintf(language->base_digest, HASH_HEX, "%s", digest);
    return 0;
}

int language_prepare(struct language *language, struct error *err) {
    struct store_entry entry = {.lock = -1};
    if (!language->base_entry)
        return 0;
    int result = store_open(&entry, LANGUAGE_BASES, language->base_entry, err);
    if (result == 0 && entry.work)
        result = store_need_room(1e9, "a base layer", err);
    if (result == 0 && entry.work) {
        autofree char *title = format_string("base layer of %s", language->name);
        struct progress *progress = progress_begin(language->name, title, 60);
        result = make_base(language, &entry, err);
        if (result == 0)
            result = store_commit(&entry, err);
        progress_end(progress, result == 0);
    }
    if (result == 0)
        result = read_base(language, &entry, err);
    store_close(&entry);
    return result;
}

void language_free(struct language *language) {
    free(language->name);
    free(language->folder);
    free(language->base_entry);
    free(language->base_layout);
    free(language->base_image);
    *language = (struct language){0};
}
