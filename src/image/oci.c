#include "image/oci.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/process.h"
#include "image/image.h"

#define CREATED "2024-01-01T00:00:00Z" /* the same instant as IMAGE_EPOCH */
#define MTIME "--mtime=@1704067200"    /* and again */

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

/* An argument vector that grows: a JSON list of words. */
static void add_word(json_t *words, const char *word) {
    json_array_append_new(words, json_string_nocheck(word));
}

/* `option` before each word of a list. */
static void add_list(json_t *words, const char *option, const json_t *list) {
    size_t index;
    json_t *word;
    json_array_foreach(list, index, word) {
        add_word(words, option);
        json_array_append(words, word);
    }
}

static int run_words(const json_t *words, const char *log, struct error *err) {
    autofree const char **arguments = calloc(json_array_size(words) + 1, sizeof *arguments);
    size_t index;
    const json_t *word;
    if (!arguments)
        abort();
    json_array_foreach(words, index, word) arguments[index] = json_string_value(word);
    return run(arguments, log, err);
}

int oci_add_empty(const char *layout, const char *folder, const json_t *names, const char *tar,
                  const char *log, struct error *err) {
    json_t *words = json_array();
    static const char *const usual[] = {"tar",       "--no-recursion", MTIME,
                                        "--owner=0", "--group=0",      "--numeric-owner"};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        add_word(words, usual[i]);
    add_word(words, "-C");
    add_word(words, folder);
    add_word(words, "-cf");
    add_word(words, tar);
    add_word(words, "--");
    json_array_extend(words, (json_t *)names);
    int result = run_words(words, log, err);
    json_decref(words);
    return result < 0 ? -1 : oci_add_tar(layout, tar, log, err);
}

/* Change the configuration, and keep no more than it needs. The words are given up. */
static int run_config(const char *layout, json_t *config, const char *log, struct error *err) {
    const char *const collect[] = {"umoci", "gc", "--layout", layout, NULL};
    int result = run_words(config, log, err);
    json_decref(config);
    return result < 0 ? -1 : run(collect, log, err);
}

static json_t *begin_config(const char *image) {
    return json_pack("[s,s,s,s,s,s]", "umoci", "config", "--image", image, "--history.created",
                     CREATED);
}

int oci_finish(const char *layout, const json_t *entrypoint, const char *log, struct error *err) {
    static const char *const usual[] = {"--created", CREATED,          "--os",
                                        "linux",     "--architecture", "amd64"};
    autofree char *image = format_string("%s:latest", layout);
    json_t *config = begin_config(image);
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        add_word(config, usual[i]);
    add_list(config, "--config.entrypoint", entrypoint);
    return run_config(layout, config, log, err);
}

static bool is_of_name(const json_t *variable, const char *name, size_t length) {
    const char *text = json_string_value(variable);
    return strncmp(text, name, length) == 0 && (text[length] == '=' || !text[length]);
}

/* The image's NAME=VALUEs with these changes; a NAME alone is taken away. NULL with an error. */
static json_t *change_environment(const char *layout, const json_t *changes, struct error *err) {
    json_t *image = oci_config(layout, err), *list = json_array(), *one, *change;
    size_t index, other;
    if (!image)
        return json_decref(list), NULL;
    json_array_foreach(json_object_get(json_object_get(image, "config"), "Env"), index, one) {
        bool changes_it = !json_is_string(one);
        json_array_foreach(changes, other, change) {
            const char *text = json_string_value(change);
            changes_it = changes_it || is_of_name(one, text, strcspn(text, "="));
        }
        if (!changes_it)
            json_array_append(list, one);
    }
    json_array_foreach(changes, index, change) {
        if (strchr(json_string_value(change), '='))
            json_array_append(list, change);
    }
    json_decref(image);
    return list;
}

int oci_configure(const char *layout, const json_t *how, const char *log, struct error *err) {
    const json_t *entrypoint = json_object_get(how, "entrypoint");
    const json_t *command = json_object_get(how, "command");
    const json_t *environment = json_object_get(how, "environment");
    const char *folder = json_string_value(json_object_get(how, "working_dir"));
    const char *user = json_string_value(json_object_get(how, "user"));
    autofree char *image = format_string("%s:latest", layout);
    if (!entrypoint && !command && !environment && !folder && !user)
        return 0;
    json_t *variables = environment ? change_environment(layout, environment, err) : NULL;
    if (environment && !variables)
        return -1;
    json_t *config = begin_config(image);
    if (entrypoint)
        add_word(config, "--clear=config.entrypoint");
    if (entrypoint || command)
        add_word(config, "--clear=config.cmd");
    if (environment)
        add_word(config, "--clear=config.env");
    add_list(config, "--config.entrypoint", entrypoint);
    add_list(config, "--config.cmd", command);
    add_list(config, "--config.env", variables);
    if (folder)
        add_word(config, "--config.workingdir"), add_word(config, folder);
    if (user)
        add_word(config, "--config.user"), add_word(config, user);
    json_decref(variables);
    return run_config(layout, config, log, err);
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
