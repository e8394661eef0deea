/* The distribution's own kernel, taken from its package without installing it, an initramfs with
 * our init and the modules of recipes/modules.list, and those of recipes/modules-optional.list for
 * images with more than crun. */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/hash.h"
#include "common/paths.h"
#include "common/process.h"
#include "common/progress.h"
#include "image/apt.h"
#include "image/image.h"
#include "image/store.h"

#define RECIPE "3" /* raise it when the way a kernel is prepared changes */

#define MODULES "modules.list"
#define OPTIONAL_MODULES "modules-optional.list"

/* The package with the kernel, and those with its modules. Debian has all in one. */
static const struct kernel_packages {
    const char *distribution, *meta, *prefix;
    const char *modules[2]; /* prefixes that replace `prefix` */
} packages[] = {
    {"debian", "linux-image-cloud-amd64", "linux-image-", {NULL, NULL}},
    {"ubuntu", "linux-image-virtual", "linux-image-", {"linux-modules-", "linux-modules-extra-"}},
};

static int unpack(const char *package, const char *folder, const char *log, struct error *err) {
    autofree char *pattern = format_string("%s/%s_*.deb", folder, package);
    autofree char *tree = format_string("%s/tree", folder);
    glob_t found;
    if (apt_download(package, folder, log, err) < 0)
        return -1;
    if (glob(pattern, 0, NULL, &found) != 0)
        return error_set(err, "apt downloaded no %s: see %s", package, log);
    const char *const arguments[] = {"dpkg-deb", "-x", found.gl_pathv[0], tree, NULL};
    struct process_options options = {.log = log};
    int result = process_run(arguments, &options, err);
    globfree(&found);
    return result;
}

/* Download and unpack kernel and modules into FOLDER/tree. */
static int fetch(const char *folder, const char *log, struct error *err) {
    struct distribution distribution;
    if (apt_distribution(&distribution, err) < 0)
        return -1;
    const struct kernel_packages *row = packages;
    while (strcmp(row->distribution, distribution.id) != 0)
        row++;
    autofree char *image = apt_dependency(row->meta, row->prefix, err);
    if (!image || unpack(image, folder, log, err) < 0)
        return -1;
    for (int i = 0; i < 2 && row->modules[i]; i++) {
        autofree char *modules =
            format_string("%s%s", row->modules[i], image + strlen(row->prefix));
        if (unpack(modules, folder, log, err) < 0)
            return -1;
    }
    return 0;
}

/* A module as the kernel loads it: Debian 13 compresses them with xz, Ubuntu with zstd. */
static int add_module(const char *tree, const char *relative, const char *modules, FILE *list,
                      struct error *err) {
    const char *name = strrchr(relative, '/');
    name = name ? name + 1 : relative;
    autofree char *from = format_string("%s/%s", tree, relative);
    const char *ending = strrchr(name, '.');
    bool xz = strcmp(ending, ".xz") == 0, zstd = strcmp(ending, ".zst") == 0;
    int length = (int)(xz || zstd ? ending - name : (long)strlen(name));
    autofree char *to = format_string("%s/%.*s", modules, length, name);
    if (file_exists(to))
        return 0;
    fprintf(list, "%.*s\n", length, name);
    if (!xz && !zstd)
        return file_copy(from, to, err);
    const char *const arguments[] = {xz ? "xz" : "zstd", "-dcq", from, NULL};
    struct process_options options = {.output = to};
    return process_run(arguments, &options, err);
}

static bool same_module(const char *path, const char *name) {
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    for (; *name; base++, name++)
        if (*base != *name && !(*base == '-' && *name == '_'))
            return false;
    return strncmp(base, ".ko", 3) == 0;
}

/* Add the module and, before it, those it needs: a line of modules.dep is "PATH: NEEDED NEEDED …",
 * the last needed first. A module that is not there is built in. */
static int add_with_needs(const char *dependencies, const char *tree, const char *name,
                          const char *modules, FILE *list, struct error *err) {
    autofree char *text = strdup(dependencies);
    for (char *place = text, *line; (line = strsep(&place, "\n"));) {
        char *colon = strchr(line, ':');
        if (!colon)
            continue;
        *colon = '\0';
        if (!same_module(line, name))
            continue;
        char *needs = colon + 1;
        for (char *space; (space = strrchr(needs, ' ')); *space = '\0')
            if (space[1] && add_module(tree, space + 1, modules, list, err) < 0)
                return -1;
        return add_module(tree, line, modules, list, err);
    }
    return 0;
}

static int find_dependencies(const char *tree, const char *version, const char *log,
                             struct error *err) {
    autofree char *plain = format_string("%s/lib", tree);
    if (!file_exists(plain) && symlink("usr/lib", plain) < 0)
        return error_errno(err, "cannot create %s", plain);
    const char *const depmod[] = {"depmod", "-b", tree, version, NULL};
    struct process_options options = {.log = log};
    return process_run(depmod, &options, err);
}

/* The modules that a list names, and those that they need, into a folder, with a list of theirs. */
static int collect_modules(const char *tree, const char *version, const char *wanted_list,
                           const char *modules, struct error *err) {
    if (folder_make(modules, err) < 0)
        return -1;
    autofree char *folder = format_string("%s/lib/modules/%s", tree, version);
    autofree char *dependencies_file = format_string("%s/modules.dep", folder);
    autofree char *wanted_file = format_string("%s/%s", paths_recipes(), wanted_list);
    autofree char *dependencies = file_read(dependencies_file, NULL, err);
    autofree char *wanted = dependencies ? file_read(wanted_file, NULL, err) : NULL;
    autofree char *list_file = format_string("%s/list", modules);
    autofclose FILE *list = wanted ? fopen(list_file, "we") : NULL;
    if (!list)
        return wanted ? error_errno(err, "cannot write %s", list_file) : -1;
    for (char *place = wanted, *line; (line = strsep(&place, "\n"));)
        if (*line && *line != '#' &&
            add_with_needs(dependencies, folder, line, modules, list, err) < 0)
            return -1;
    return fflush(list) == 0 ? 0 : error_errno(err, "cannot write %s", list_file);
}

static int make_kernel(const struct store_entry *entry, struct error *err) {
    autofree char *log = store_file(entry, "log"), *tree = store_file(entry, "tree");
    autofree char *modules = store_file(entry, "modules"),
                  *optional = store_file(entry, "optional"),
                  *pattern = format_string("%s/boot/vmlinuz-*", tree);
    autofree char *kernel = store_file(entry, "vmlinuz"),
                  *version_file = store_file(entry, "version"),
                  *config = store_file(entry, "config");
    if (fetch(entry->work, log, err) < 0)
        return -1;
    glob_t found;
    if (glob(pattern, 0, NULL, &found) != 0)
        return error_set(err, "the kernel's package holds no boot/vmlinuz: see %s", log);
    autofree char *image = strdup(found.gl_pathv[0]);
    globfree(&found);
    const char *version = strstr(image, "/boot/vmlinuz-") + strlen("/boot/vmlinuz-");
    autofree char *its_config = format_string("%s/boot/config-%s", tree, version);
    if (file_copy(image, kernel, err) < 0 || file_copy(its_config, config, err) < 0 ||
        find_dependencies(tree, version, log, err) < 0 ||
        collect_modules(tree, version, MODULES, modules, err) < 0 ||
        collect_modules(tree, version, OPTIONAL_MODULES, optional, err) < 0 ||
        file_write(version_file, version, strlen(version), err) < 0 || folder_remove(tree, err) < 0)
        return -1;
    autofree char *packages_pattern = store_file(entry, "*.deb");
    if (glob(packages_pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            unlink(found.gl_pathv[i]);
        globfree(&found);
    }
    return 0;
}

/* The kernel's cache entry: named by distribution, recipe and module list, not by today's package
 * version: the machine stays the same until it is asked to be made anew. */
static int find_kernel(struct store_entry *entry, struct error *err) {
    struct distribution distribution;
    autofree char *list = format_string("%s/" MODULES, paths_recipes());
    autofree char *optional = format_string("%s/" OPTIONAL_MODULES, paths_recipes());
    if (apt_distribution(&distribution, err) < 0)
        return -1;
    struct hash *hash = hash_new();
    char key[HASH_HEX];
    hash_add_field(hash, "recipe", RECIPE);
    hash_add_field(hash, "distribution", distribution.id);
    hash_add_field(hash, "codename", distribution.codename);
    int result = hash_add_file(hash, list, err) < 0 ? -1 : hash_add_file(hash, optional, err);
    hash_finish(hash, key);
    autofree char *name = format_string("%s-%.16s", distribution.codename, key);
    if (result < 0 || store_open(entry, "kernel", name, err) < 0)
        return -1;
    if (!entry->work)
        return 0;
    if (store_need_room(300e6, "the kernel", err) < 0)
        return -1;
    struct progress *progress = progress_begin("kernel", "kernel", 8);
    result = make_kernel(entry, err);
    if (result == 0)
        result = store_commit(entry, err);
    progress_end(progress, result == 0);
    return result;
}

static int make_initramfs(const struct store_entry *entry, const char *kernel_folder,
                          struct error *err) {
    autofree char *content = store_file(entry, "content"),
                  *modules = store_file(entry, "content/modules");
    autofree char *archive = store_file(entry, "initramfs"),
                  *from = format_string("%s/modules", kernel_folder);
    autofree char *init = store_file(entry, "content/init"), *log = store_file(entry, "log");
    autofree char *program = format_string("%s/initramfs", paths_guest());
    autofree char *recipe = format_string("%s/make-initramfs", paths_recipes());
    const char *const copy[] = {"cp", "-r", from, modules, NULL};
    const char *const pack[] = {"sh", recipe, content, archive, NULL};
    const char *const environment[] = {IMAGE_EPOCH, NULL};
    struct process_options options = {.log = log, .environment = environment};
    if (folder_make(content, err) < 0 || process_run(copy, &options, err) < 0 ||
        file_copy(program, init, err) < 0)
        return -1;
    for (const char *const *name = (const char *const[]){"dev", "proc", "sys", "root", NULL}; *name;
         name++) {
        autofree char *place = format_string("%s/%s", content, *name);
        if (folder_make(place, err) < 0)
            return -1;
    }
    if (process_run(pack, &options, err) < 0)
        return -1;
    return folder_remove(content, err);
}

static int find_initramfs(struct image *image, const char *kernel_folder, struct error *err) {
    autofree char *program = format_string("%s/initramfs", paths_guest());
    autofree char *recipe = format_string("%s/make-initramfs", paths_recipes());
    struct hash *hash = hash_new();
    char key[HASH_HEX];
    hash_add_field(hash, "kernel", image->kernel_digest);
    int result = hash_add_file(hash, recipe, err) == 0 ? hash_add_file(hash, program, err) : -1;
    hash_finish(hash, key);
    key[16] = '\0';
    struct store_entry entry = {.lock = -1};
    if (result == 0)
        result = store_open(&entry, "initramfs", key, err);
    if (result == 0 && entry.work) {
        result = make_initramfs(&entry, kernel_folder, err);
        if (result == 0)
            result = store_commit(&entry, err);
    }
    if (result == 0) {
        image->initramfs = store_file(&entry, "initramfs");
        result = hash_file(image->initramfs, image->initramfs_digest, err);
    }
    store_close(&entry);
    return result;
}

int kernel_prepare(struct image *image, struct error *err) {
    struct store_entry entry = {.lock = -1};
    int result = find_kernel(&entry, err);
    if (result == 0) {
        autofree char *version_file = store_file(&entry, "version");
        image->kernel = store_file(&entry, "vmlinuz");
        image->kernel_config = store_file(&entry, "config");
        image->modules = store_file(&entry, "optional");
        image->kernel_version = file_read(version_file, NULL, err);
        result = image->kernel_version ? hash_file(image->kernel, image->kernel_digest, err) : -1;
    }
    if (result == 0)
        result = find_initramfs(image, entry.path, err);
    store_close(&entry);
    return result;
}
