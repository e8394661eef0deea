#include "engine/gem5_checkpoint.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <utime.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/progress.h"
#include "engine/gem5_job.h"
#include "engine/gem5_process.h"
#include "engine/kvm.h"
#include "image/store.h"

#define FORMAT "1"        /* raise it when the way to the checkpoint changes */
#define BOOT_SECONDS 1500 /* first guess: 1.4 G instructions at 1 MIPS */
#define ROOM 700e6        /* bytes: the guest's memory, packed, and its console */

/* What of our configuration decides how it boots. */
static const char *const scripts[] = {"run.py", "board.py", "cores.py", "main_memory.py"};

static int make_key(const struct gem5_checkpoint_inputs *inputs, char key[HASH_HEX],
                    struct error *err) {
    autofree char *arguments = gem5_kernel_arguments(inputs->system);
    autofree char *machine = format_string(
        "%llu cores, %llu Hz, %llu bytes", (unsigned long long)inputs->system->cores,
        (unsigned long long)inputs->system->clock, (unsigned long long)inputs->system->memory.size);
    struct hash *hash = hash_new();
    hash_add_field(hash, "format", FORMAT);
    hash_add_field(hash, "gem5", inputs->gem5->version);
    hash_add_field(hash, "kernel", inputs->image->kernel_digest);
    hash_add_field(hash, "kernel arguments", arguments);
    hash_add_field(hash, "rootfs", inputs->image->rootfs_digest);
    hash_add_field(hash, "function", inputs->function->digest);
    hash_add_field(hash, "machine", machine);
    hash_add_field(hash, "script", inputs->script);
    int result = 0;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts && result == 0; i++) {
        char digest[HASH_HEX];
        autofree char *path = format_string("%s/gem5/%s", paths_recipes(), scripts[i]);
        result = hash_file(path, digest, err);
        if (result == 0)
            hash_add_field(hash, scripts[i], digest);
    }
    hash_finish(hash, key);
    return result;
}

static int boot(const struct gem5_checkpoint_inputs *inputs, const char *core,
                const struct store_entry *entry, struct error *err) {
    autofree char *outdir = store_file(entry, "m5out"), *state = store_file(entry, "state");
    autofree char *log = store_file(entry, "gem5.log");
    autofree char *readfile = format_string("%s/script", outdir);
    autofree char *console = format_string("%s/" GEM5_CONSOLE, outdir);
    if (folder_make(outdir, err) < 0 ||
        file_write(readfile, inputs->script, strlen(inputs->script), err) < 0)
        return -1;
    json_t *job = gem5_job(inputs->system, inputs->image, inputs->function, readfile, state);
    json_object_set_new(job, "boot_core", json_string(core));
    struct guest guest = {
        .console = console,
        .timeout_seconds = inputs->timeout_seconds,
        .progress =
            progress_begin("gem5-boot", "gem5: boot, start and warm the function up", BOOT_SECONDS),
    };
    struct gem5_process process = {
        .gem5 = inputs->gem5,
        .folder = outdir,
        .writable = entry->work,
        .log = log,
        .job = job,
        .guest = &guest,
    };
    int result = gem5_process_run(&process, GUEST_CHECKPOINT, err);
    progress_end(guest.progress, result == 0);
    guest_free(&guest);
    json_decref(job);
    return result;
}

/* By KVM in seconds, where it works; else on the atomic core. */
static int boot_somehow(const struct gem5_checkpoint_inputs *inputs,
                        const struct store_entry *entry, struct error *err) {
    struct error why = {0};
    if (inputs->gem5->kvm && kvm_works(inputs->image)) {
        if (boot(inputs, "kvm", entry, &why) == 0)
            return 0;
        progress_note("gem5's KVM core does not boot the guest (%s): booting on the atomic core",
                      why.text);
        if (folder_remove(entry->work, err) < 0 || folder_make(entry->work, err) < 0)
            return -1;
    }
    return boot(inputs, "atomic", entry, err);
}

static int make(const struct gem5_checkpoint_inputs *inputs, struct store_entry *entry,
                struct error *err) {
    autofree char *outdir = store_file(entry, "m5out"), *log = store_file(entry, "gem5.log");
    autofree char *console = format_string("%s/" GEM5_CONSOLE, outdir);
    autofree char *channel = format_string("%s/" GEM5_CHANNEL, outdir);
    autofree char *kept_console = store_file(entry, "console.log");
    autofree char *kept_channel = store_file(entry, "channel");
    if (store_need_room(ROOM, "a checkpoint of gem5's", err) < 0)
        return -1;
    if (boot_somehow(inputs, entry, err) < 0) {
        autofree char *failed = format_string("%s/failed-gem5.log", paths_cache());
        if (file_copy(log, failed, NULL) == 0)
            error_hint(err, "all that gem5 said is in %s", failed);
        return -1;
    }
    if (file_copy(console, kept_console, err) < 0 || file_copy(channel, kept_channel, err) < 0 ||
        folder_remove(outdir, err) < 0)
        return -1;
    return store_commit(entry, err);
}

int gem5_checkpoint_prepare(const struct gem5_checkpoint_inputs *inputs,
                            struct gem5_checkpoint *checkpoint, struct error *err) {
    *checkpoint = (struct gem5_checkpoint){0};
    if (make_key(inputs, checkpoint->key, err) < 0)
        return -1;
    autofree char *name = format_string("%s-%.16s", inputs->function->name, checkpoint->key);
    struct store_entry entry = {.lock = -1};
    int result = store_open(&entry, GEM5_CHECKPOINTS, name, err);
    if (result == 0 && entry.work)
        result = make(inputs, &entry, err);
    if (result == 0) {
        utime(entry.path, NULL); /* when it was last used */
        checkpoint->state = store_file(&entry, "state");
        checkpoint->channel = store_file(&entry, "channel");
        checkpoint->console = store_file(&entry, "console.log");
    }
    store_close(&entry);
    return result;
}

void gem5_checkpoint_free(struct gem5_checkpoint *checkpoint) {
    free(checkpoint->state);
    free(checkpoint->channel);
    free(checkpoint->console);
    *checkpoint = (struct gem5_checkpoint){0};
}

static json_int_t disk_bytes(const char *folder) {
    autofree char *pattern = format_string("%s/state/*", folder);
    json_int_t sum = 0;
    glob_t found;
    if (glob(pattern, 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; i < found.gl_pathc; i++)
        sum += file_size(found.gl_pathv[i]);
    globfree(&found);
    return sum;
}

/* FUNCTION-KEY; when it was made is when its console was last written. */
static json_t *list_one(const char *folder) {
    const char *name = strrchr(folder, '/') + 1, *dash = strrchr(name, '-');
    autofree char *console = format_string("%s/console.log", folder);
    char created[32] = "?", used[32] = "?";
    struct stat status;
    if (stat(console, &status) == 0)
        strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", gmtime(&status.st_mtime));
    if (stat(folder, &status) == 0)
        strftime(used, sizeof used, "%Y-%m-%dT%H:%M:%SZ", gmtime(&status.st_mtime));
    return json_pack("{s:s, s:s%, s:s, s:s, s:I, s:b}", "name", name, "function", name,
                     dash ? (size_t)(dash - name) : strlen(name), "created", created, "used", used,
                     "bytes", disk_bytes(folder), "damaged", 0);
}

json_t *gem5_checkpoint_list(void) {
    autofree char *pattern = format_string("%s/" GEM5_CHECKPOINTS "/*", paths_cache());
    json_t *list = json_array();
    glob_t found;
    if (glob(pattern, 0, NULL, &found) != 0)
        return list;
    for (size_t i = 0; i < found.gl_pathc; i++)
        json_array_append_new(list, list_one(found.gl_pathv[i]));
    globfree(&found);
    return list;
}
