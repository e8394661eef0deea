#include "image/kernel_build.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/hash.h"
#include "common/paths.h"
#include "common/process.h"
#include "common/progress.h"
#include "common/words.h"
#include "image/apt.h"
#include "image/kernel_config.h"
#include "image/store.h"

#define LAST CUSTOM_KERNELS "/last" /* a file: the name of the entry */

static const char *const fragments[] = {"machine", "containers", "simulators"};
enum { FRAGMENTS = sizeof fragments / sizeof *fragments };

static char *fragment_path(unsigned i) {
    return format_string("%s/kernel-%s.config", paths_recipes(), fragments[i]);
}

/* ---- the source ---- */

/* linux-source-VERSION; the caller frees it. */
static char *find_package(const struct kernel_build_options *options, struct error *err) {
    if (!options->version)
        return apt_dependency("linux-source", "linux-source-", err);
    char *package = format_string("linux-source-%s", options->version);
    if (apt_has(package))
        return package;
    error_set(err, "apt knows no package %s: see apt-cache search linux-source, or give --source",
              package);
    free(package);
    return NULL;
}

/* What the package holds, in the entry: a tar. The caller frees it. */
static char *fetch_source(const char *package, const struct store_entry *entry, const char *log,
                          struct error *err) {
    autofree char *pattern = store_file(entry, "*.deb"), *tree = store_file(entry, "package");
    autofree char *tar_pattern = format_string("%s/usr/src/linux-source-*.tar.*", tree);
    glob_t found;
    if (apt_download(package, entry->work, log, err) < 0)
        return NULL;
    if (glob(pattern, 0, NULL, &found) != 0) {
        error_set(err, "%s was not downloaded: see %s", package, log);
        return NULL;
    }
    const char *const unpack[] = {"dpkg-deb", "-x", found.gl_pathv[0], tree, NULL};
    struct process_options options = {.log = log};
    int result = process_run(unpack, &options, err);
    unlink(found.gl_pathv[0]);
    globfree(&found);
    if (result < 0)
        return NULL;
    if (glob(tar_pattern, 0, NULL, &found) != 0) {
        error_set(err, "%s holds no source", package);
        return NULL;
    }
    char *tar = strdup(found.gl_pathv[0]);
    globfree(&found);
    return tar;
}

/* ---- building ---- */

/* Each file that it compiles is a line of the log: so far is it, of so many. */
#define USUAL_LINES 3050.0 /* Linux 6.1 with our options; a third are not compiled */

static double fraction_done(const char *log) {
    autofclose FILE *file = fopen(log, "re");
    unsigned lines = 0;
    for (int c; file && (c = getc(file)) != EOF;)
        lines += c == '\n';
    return lines < USUAL_LINES ? lines / USUAL_LINES : 0.999;
}

/* With progress. The log is kept beside the cache's folders if it fails. */
static int compile(const char *source, const struct kernel_build_options *options,
                   const struct store_entry *entry, const char *log, struct progress *progress,
                   struct error *err) {
    autofree char *recipe = format_string("%s/make-kernel", paths_recipes());
    autofree char *kept = format_string("%s/failed-kernel.log", paths_cache());
    const char *arguments[4 + FRAGMENTS + 2] = {"sh", recipe, source, entry->work};
    char *ours[FRAGMENTS];
    for (unsigned i = 0; i < FRAGMENTS; i++)
        arguments[4 + i] = ours[i] = fragment_path(i);
    arguments[4 + FRAGMENTS] = options->fragment;
    const struct process_options running = {.log = log};
    struct process process = {.handle = -1};
    int result = process_start(arguments, &running, &process, err);
    while (result == 0 && process_wait(&process, 1, 1000) == 1) {
        autofree char *last = file_last_line(log, 0);
        progress_update(progress, fraction_done(log), last);
    }
    int status = result == 0 ? process_reap(&process) : 0;
    for (unsigned i = 0; i < FRAGMENTS; i++)
        free(ours[i]);
    if (result < 0 || status == 0)
        return result;
    autofree char *last = file_last_line(log, 0);
    return error_set(err, "the kernel cannot be built: %s: the whole is in %s", last,
                     file_copy(log, kept, err) == 0 ? kept : log);
}

static int make(const struct kernel_build_options *options, const char *package,
                struct store_entry *entry, struct error *err) {
    autofree char *log = store_file(entry, "log");
    struct progress *progress = progress_begin("kernel-build", "kernel from source", 600);
    autofree char *source =
        options->source ? realpath(options->source, NULL) : fetch_source(package, entry, log, err);
    autofree char *unpacked = store_file(entry, "package");
    int result = source ? compile(source, options, entry, log, progress, err) : -1;
    if (result == 0)
        result = folder_remove(unpacked, err);
    if (result == 0)
        result = store_commit(entry, err);
    progress_end(progress, result == 0);
    return result;
}

/* ---- which one ---- */

static int hash_file_named(struct hash *hash, const char *name, const char *path,
                           struct error *err) {
    hash_add_field(hash, "file", name);
    return hash_add_file(hash, path, err);
}

/* By what it is made from: its name in the cache; a tree of source by its place, as it is not read
 * until it is built. The caller frees it; NULL with an error. */
static char *name_kernel(const struct kernel_build_options *options, const char *package,
                         struct error *err) {
    autofree char *recipe = format_string("%s/make-kernel", paths_recipes());
    autofree char *place = options->source ? realpath(options->source, NULL) : NULL;
    autofree char *version = package ? apt_version(package, err) : NULL;
    if (options->source && !place) {
        error_errno(err, "cannot read %s", options->source);
        return NULL;
    }
    if (package && !version)
        return NULL;
    struct hash *hash = hash_new();
    char key[HASH_HEX];
    hash_add_field(hash, "source", place ? place : package);
    hash_add_field(hash, "version", version ? version : "");
    int result = hash_file_named(hash, "recipe", recipe, err);
    for (unsigned i = 0; result == 0 && i < FRAGMENTS; i++) {
        autofree char *path = fragment_path(i);
        result = hash_file_named(hash, fragments[i], path, err);
    }
    if (result == 0 && options->fragment)
        result = hash_file_named(hash, "fragment", options->fragment, err);
    hash_finish(hash, key);
    return result == 0 ? format_string("%.16s", key) : NULL;
}

/* ---- whether it is good ---- */

static void note_missing(const struct kernel_requirement *requirement, void *missing) {
    bool matters = strcmp(requirement->who, "docker") != 0 && requirement->need != OPTIONAL;
    if (!requirement->met && matters)
        json_array_append_new(missing, json_string(requirement->options));
}

static int check(const char *config_file, struct error *err) {
    struct kernel_config config;
    json_t *missing = json_array();
    int result = kernel_config_read(&config, config_file, err);
    if (result == 0)
        result = kernel_config_check(&config, note_missing, missing, err);
    autofree char *list = words_join(missing);
    if (result == 0 && *list)
        result = error_set(err,
                           "this kernel was built, but is not as the simulators need it: %s: see "
                           "slsuite kernel check %s",
                           list, config_file);
    kernel_config_free(&config);
    json_decref(missing);
    return result;
}

static int find(struct image *image, const char *name, struct error *err) {
    autofree char *folder = format_string("%s/" CUSTOM_KERNELS "/%s", paths_cache(), name);
    autofree char *version_file = format_string("%s/version", folder);
    *image = (struct image){
        .kernel = format_string("%s/bzImage", folder),
        .vmlinux = format_string("%s/vmlinux", folder),
        .kernel_config = format_string("%s/config", folder),
        .kernel_version = file_read(version_file, NULL, err),
    };
    if (!image->kernel_version)
        return -1;
    image->kernel_version[strcspn(image->kernel_version, "\n")] = '\0';
    return hash_file(image->kernel, image->kernel_digest, err);
}

char *kernel_last_custom(void) {
    autofree char *last = format_string("%s/" LAST, paths_cache());
    return file_exists(last) ? file_read(last, NULL, NULL) : NULL;
}

int kernel_find_custom(struct image *image, struct error *err) {
    autofree char *name = kernel_last_custom();
    return name ? find(image, name, err)
                : error_set(err, "no kernel was built yet: slsuite kernel build");
}

int kernel_build(const struct kernel_build_options *options, struct image *image,
                 struct error *err) {
    autofree char *package = options->source ? NULL : find_package(options, err);
    autofree char *last = format_string("%s/" LAST, paths_cache());
    if (!options->source && !package)
        return -1;
    autofree char *name = name_kernel(options, package, err);
    struct store_entry entry = {.lock = -1};
    int result = name ? store_open(&entry, CUSTOM_KERNELS, name, err) : -1;
    if (result == 0 && entry.work)
        result = store_need_room(4e9, "building a kernel", err);
    if (result == 0 && entry.work)
        result = make(options, package, &entry, err);
    store_close(&entry);
    if (result == 0)
        result = find(image, name, err);
    if (result == 0)
        result = check(image->kernel_config, err);
    return result == 0 ? file_write(last, name, strlen(name), err) : -1;
}
