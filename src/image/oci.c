#include "image/oci.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/process.h"
#include "image/image.h"

#define CREATED "2024-01-01T00:00:00Z" /* the same instant as IMAGE_EPOCH */
#define MTIME "--mtime=@1704067200"    /* and again */
#define MOST_ARGUMENTS 128

static int run(const char *const arguments[], const char *log, struct error *err) {
    const char *const environment[] = {IMAGE_EPOCH, NULL};
    struct process_options options = {.log = log, .environment = environment};
    return process_run(arguments, &options, err);
}

int oci_new(const char *layout, const char *base, const char *log, struct error *err) {
    autofree char *image = format_string("%s:latest", layout);
    /* Blobs are never changed, only added and removed; the index is replaced by renaming. */
    const char *const link[] = {"cp", "-rl", base, layout, NULL};
    const char *const init[] = {"umoci", "init", "--layout", layout, NULL};
    const char *const new[] = {"umoci", "new", "--image", image, NULL};
    if (base)
        return run(link, log, err);
    return run(init, log, err) < 0 ? -1 : run(new, log, err);
}

int oci_add_tar(const char *layout, const char *tar, const char *log, struct error *err) {
    autofree char *image = format_string("%s:latest", layout);
    const char *const arguments[] = {
        "umoci", "raw", "add-layer", "--image", image, "--history.created", CREATED, tar, NULL};
    return run(arguments, log, err);
}

int oci_add_folder(const char *layout, const char *folder, const char *tar, const char *log,
                   struct error *err) {
    const char *const arguments[] = {"tar",
                                     "--sort=name",
                                     MTIME,
                                     "--owner=0",
                                     "--group=0",
                                     "--numeric-owner",
                                     "--mode=u=rwX,go=rX",
                                     "-C",
                                     folder,
                                     "-cf",
                                     tar,
                                     ".",
                                     NULL};
    return run(arguments, log, err) < 0 ? -1 : oci_add_tar(layout, tar, log, err);
}

/* The words of an argument vector; `option` stands before each word of a list. */
struct vector {
    const char *word[MOST_ARGUMENTS + 1];
    size_t count;
};

static void add_list(struct vector *vector, const char *option, const json_t *list) {
    size_t index;
    json_t *word;
    json_array_foreach(list, index, word) {
        if (vector->count + 2 <= MOST_ARGUMENTS) {
            vector->word[vector->count] = option;
            vector->word[vector->count + 1] = json_string_value(word);
        }
        vector->count += 2;
    }
}

/* Change the configuration, and keep no more than it needs. */
static int run_config(const char *layout, const struct vector *config, const char *log,
                      struct error *err) {
    const char *const collect[] = {"umoci", "gc", "--layout", layout, NULL};
    if (config->count > MOST_ARGUMENTS)
        return error_set(err,
                         "entry point, command and environment are too long together: "
                         "more than %d words",
                         MOST_ARGUMENTS / 2);
    return run(config->word, log, err) < 0 ? -1 : run(collect, log, err);
}

int oci_finish(const char *layout, const json_t *entrypoint, const char *log, struct error *err) {
    autofree char *image = format_string("%s:latest", layout);
    struct vector config = {.word = {"umoci", "config", "--image", image, "--created", CREATED,
                                     "--history.created", CREATED, "--os", "linux",
                                     "--architecture", "amd64"},
                            .count = 12};
    add_list(&config, "--config.entrypoint", entrypoint);
    return run_config(layout, &config, log, err);
}

int oci_configure(const char *layout, const json_t *entrypoint, const json_t *command,
                  const json_t *environment, const char *log, struct error *err) {
    autofree char *image = format_string("%s:latest", layout);
    struct vector config = {
        .word = {"umoci", "config", "--image", image, "--history.created", CREATED}, .count = 6};
    if (entrypoint)
        config.word[config.count++] = "--clear=config.entrypoint";
    if (entrypoint || command)
        config.word[config.count++] = "--clear=config.cmd";
    add_list(&config, "--config.entrypoint", entrypoint);
    add_list(&config, "--config.cmd", command);
    add_list(&config, "--config.env", environment);
    return run_config(layout, &config, log, err);
}

/* The blob that a descriptor of an index or a manifest names, as JSON. NULL: it is not there. */
static json_t *load_blob(const char *layout, const json_t *descriptor) {
    const char *digest = json_string_value(json_object_get(descriptor, "digest"));
    if (!digest || strncmp(digest, "sha256:", 7) != 0 || strchr(digest, '/'))
        return NULL;
    autofree char *path = format_string("%s/blobs/sha256/%s", layout, digest + 7);
    return json_load_file(path, 0, NULL);
}

json_t *oci_config(const char *layout, struct error *err) {
    autofree char *path = format_string("%s/index.json", layout);
    json_t *index = json_load_file(path, 0, NULL);
    json_t *manifest = load_blob(layout, json_array_get(json_object_get(index, "manifests"), 0));
    json_t *config = load_blob(layout, json_object_get(manifest, "config"));
    if (!config)
        error_set(err, "%s names no image with a configuration: is it an OCI image?", path);
    json_decref(index);
    json_decref(manifest);
    return config;
}

int oci_runtime_config(const char *layout, const char *root, const char *config, const char *log,
                       struct error *err) {
    autofree char *image = format_string("%s:latest", layout);
    const char *const plain[] = {"umoci", "raw", "runtime-config", "--image", image, config, NULL};
    const char *const rooted[] = {"umoci",    "raw", "runtime-config", "--image", image,
                                  "--rootfs", root,  config,           NULL};
    return run(root ? rooted : plain, log, err);
}

int oci_unpack(const char *layout, const char *bundle, const char *log, struct error *err) {
    autofree char *image = format_string("%s:latest", layout);
    const char *const arguments[] = {"umoci", "unpack", "--rootless", "--image",
                                     image,   bundle,   NULL};
    return run(arguments, log, err);
}

int oci_export(const char *layout, const char *archive, const char *name, struct error *err) {
    autofree char *temporary = format_string("%s.tmp.%d", archive, (int)getpid());
    autofree char *from = format_string("oci:%s:latest", layout);
    autofree char *to = format_string("docker-archive:%s:%s:latest", temporary, name);
    /* The policy is for what comes from elsewhere. */
    const char *const arguments[] = {"skopeo", "--insecure-policy", "copy", "--quiet", from, to,
                                     NULL};
    int result = strchr(temporary, ':')
                     ? error_usage(err, "%s: skopeo takes no colon in a file's name", archive)
                     : run(arguments, NULL, err);
    if (result == 0 && rename(temporary, archive) < 0)
        result = error_errno(err, "cannot write %s", archive);
    if (result < 0)
        unlink(temporary);
    return result;
}

int oci_digest(const char *layout, char digest[HASH_HEX], struct error *err) {
    autofree char *path = format_string("%s/index.json", layout);
    json_t *index = json_load_file(path, 0, NULL);
    const json_t *manifest = json_array_get(json_object_get(index, "manifests"), 0);
    const char *text = json_string_value(json_object_get(manifest, "digest"));
    int result =
        text && strncmp(text, "sha256:", 7) == 0
            ? 0
            : error_set(err, "%s names no image: remove its folder, it will be made again", path);
    if (result == 0)
        snprintf(digest, HASH_HEX, "%s", text + 7);
    json_decref(index);
    return result;
}
