#include "engine/checkpoint.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <utime.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/progress.h"
#include "engine/code_report.h"
#include "engine/guest.h"
#include "engine/machine.h"
#include "engine/parcel.h"
#include "engine/state.h"
#include "image/store.h"

#define FORMAT "5" /* raise it when the machine or the way to the checkpoint changes */
#define PARAMETERS_BYTES 4096
#define MOST_BOOTS 5 /* one in thirty is in vain on a very busy host */

/* Determinism (nokaslr, random.trust_cpu), a modern core (mitigations: none of Nehalem's old
 * flaws), core 1 for the function alone, and a short boot: what is left out would only be
 * simulated. lpj is the clock's ticks in a jiffy: 1 GHz (shift=0) by HZ 250, which is Debian's. */
#define KERNEL_ARGUMENTS                                                                           \
    "console=ttyS0 quiet panic=-1 reboot=t nokaslr random.trust_cpu=off mitigations=off "          \
    "nowatchdog cryptomgr.notests swiotlb=noforce lpj=4000000 tsc=reliable no_timer_check "

/* As the initramfs does it. */
#define ROOT_ARGUMENTS " root=/dev/pmem0 ro rootfstype=ext4 rootflags=noload init=/sbin/init"

char *checkpoint_kernel_arguments(const struct image *image, bool tickless) {
    autofree char *arguments =
        format_string(KERNEL_ARGUMENTS "isolcpus=%u irqaffinity=0 rcu_nocbs=%u",
                      CHECKPOINT_FUNCTION_CORE, CHECKPOINT_FUNCTION_CORE);
    autofree char *ticks =
        tickless ? format_string(" nohz_full=%u", CHECKPOINT_FUNCTION_CORE) : strdup("");
    return format_string("%s%s%s", arguments, ticks, image->initramfs ? "" : ROOT_ARGUMENTS);
}

int checkpoint_write_parameters(const char *path, const char *lines, struct error *err) {
    char block[PARAMETERS_BYTES] = "";
    if (strlen(lines) >= sizeof block)
        return error_set(err, "the invocations' parameters are too long: at most %d bytes fit",
                         PARAMETERS_BYTES - 1);
    memcpy(block, lines, strlen(lines));
    return file_write(path, block, sizeof block, err);
}

static void make_key(const struct checkpoint_inputs *inputs, char key[HASH_HEX]) {
    autofree char *kernel_arguments = checkpoint_kernel_arguments(inputs->image, inputs->tickless);
    autofree char *memory = format_string("%llu", (unsigned long long)inputs->memory_bytes);
    autofree char *cores = format_string("%u", inputs->cores);
    struct hash *hash = hash_new();
    hash_add_field(hash, "format", FORMAT);
    hash_add_field(hash, "qemu", inputs->qemu_version);
    hash_add_field(hash, "kernel", inputs->image->kernel_digest);
    hash_add_field(hash, "kernel arguments", kernel_arguments);
    hash_add_field(hash, "initramfs", inputs->image->initramfs_digest);
    hash_add_field(hash, "rootfs", inputs->image->rootfs_digest);
    hash_add_field(hash, "function", inputs->digest);
    hash_add_field(hash, "cores", cores);
    hash_add_field(hash, "memory", memory);
    hash_add_field(hash, "script", inputs->script);
    hash_finish(hash, key);
}

/* Boot, start the function, warm it up, and stop at the very instruction the client asks for it.
 * STATE_LATE when it did not stop there. */
static int boot(const struct checkpoint_inputs *inputs, const struct store_entry *entry,
                struct error *err) {
    autofree char *script = store_file(entry, "script"),
                  *parameters = store_file(entry, "parameters");
    autofree char *ram = store_file(entry, "ram"), *state = store_file(entry, "state");
    autofree char *console = store_file(entry, "console.log"), *log = store_file(entry, "qemu.log");
    autofree char *parcel = inputs->parcel ? store_file(entry, "parcel") : NULL;
    autofree char *kernel_arguments = checkpoint_kernel_arguments(inputs->image, inputs->tickless);
    if (file_write(script, inputs->script, strlen(inputs->script), err) < 0 ||
        (parcel && parcel_write_empty(parcel, err) < 0) ||
        checkpoint_write_parameters(parameters, "", err) < 0)
        return -1;
    struct machine_options options = {
        .kernel = inputs->image->kernel,
        .initramfs = inputs->image->initramfs,
        .kernel_arguments = kernel_arguments,
        .cores = inputs->cores,
        .memory_bytes = inputs->memory_bytes,
        .memory_file = ram,
        .memory_writable = true,
        .rootfs = inputs->image->rootfs,
        .nvdimms = inputs->nvdimms,
        .script = script,
        .parameters = parameters,
        .console = console,
        .log = log,
    };
    options.nvdimms.parcel = parcel;
    struct guest guest = {
        .console = console,
        .files = entry->work,
        .before_script = true,
        .timeout_seconds = inputs->timeout_seconds,
    };
    autofree char *warm_up = format_string("boot and warm up %s", inputs->name);
    guest.progress = inputs->title ? progress_begin("boot-only", inputs->title, 10)
                                   : progress_begin("boot", warm_up, 20);
    guest.machine = machine_start(&options, err);
    int result = guest.machine ? guest_wait(&guest, GUEST_CHECKPOINT, err) : -1;
    if (result == 0)
        result = machine_save(guest.machine, state, err);
    if (result == 0)
        result = state_set_clocks(state, guest.clock, err);
    if (result == 0)
        result = code_report_take(entry->work, err);
    machine_end(guest.machine);
    progress_end(guest.progress, result == 0);
    guest_free(&guest);
    if (result == 0 && chmod(ram, 0444) < 0)
        result = error_errno(err, "cannot protect %s", ram);
    return result;
}

static int add_sum(struct hash *hash, const char *folder, const char *name, struct error *err) {
    autofree char *path = format_string("%s/%s", folder, name);
    char part[HASH_HEX] = "";
    int result = checksum_sparse_file(path, part, err);
    hash_add_field(hash, name, part);
    return result;
}

static int sum(const char *folder, char checksum[HASH_HEX], struct error *err) {
    struct hash *hash = hash_new();
    int result = add_sum(hash, folder, "ram", err);
    if (result == 0)
        result = add_sum(hash, folder, "state", err);
    for (const char *const *name = code_report_files; result == 0 && *name; name++)
        result = add_sum(hash, folder, *name, err);
    hash_finish(hash, checksum);
    return result;
}

static int describe(const struct checkpoint_inputs *inputs, const struct store_entry *entry,
                    const char *key, struct error *err) {
    char checksum[HASH_HEX], date[32];
    autofree char *path = store_file(entry, "checkpoint.json");
    time_t now = time(NULL);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    if (sum(entry->work, checksum, err) < 0)
        return -1;
    json_t *about = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s}", "function", inputs->name, "key",
                              key, "checksum", checksum, "created", date, "warm_ups",
                              (int)inputs->warm_ups, "qemu", inputs->qemu_version);
    autofree char *text = json_dumps(about, JSON_INDENT(2));
    json_decref(about);
    return file_write(path, text, strlen(text), err);
}

static int make(const struct checkpoint_inputs *inputs, struct store_entry *entry, const char *key,
                struct error *err) {
    /* RAM that the guest touches, with a margin: QEMU would die of a full disk. */
    if (store_need_room(700e6, "a checkpoint", err) < 0)
        return -1;
    int result = STATE_LATE;
    for (int attempt = 0; attempt < MOST_BOOTS && result == STATE_LATE; attempt++) {
        if (attempt)
            progress_note("the busy host let the guest run on after its stop: booting it again");
        if (folder_remove(entry->work, err) < 0 || folder_make(entry->work, err) < 0)
            return -1;
        result = boot(inputs, entry, err);
    }
    if (result == STATE_LATE)
        return error_set(
            err,
            "cannot stop the guest where the checkpoint is to be taken: this host is too busy: "
            "try again when it is not");
    if (result < 0) {
        autofree char *console = store_file(entry, "console.log");
        autofree char *kept = format_string("%s/failed-boot.log", paths_cache());
        if (file_copy(console, kept, NULL) == 0)
            error_hint(err, "the whole console is %s", kept);
        return -1;
    }
    if (describe(inputs, entry, key, err) < 0)
        return -1;
    return store_commit(entry, err);
}

/* Whether the checkpoint in this folder is what its description says. Sets checksum. */
static bool whole(const char *folder, char checksum[HASH_HEX]) {
    autofree char *path = format_string("%s/checkpoint.json", folder);
    json_t *about = json_load_file(path, 0, NULL);
    const char *expected = json_string_value(json_object_get(about, "checksum"));
    bool good = expected && sum(folder, checksum, NULL) == 0 && strcmp(checksum, expected) == 0;
    json_decref(about);
    return good;
}

/* Under the lock of those who make it, and only if nobody else has done so meanwhile. */
static int remove_damaged(const char *name, struct error *err) {
    autofree char *path = format_string("%s/" CHECKPOINTS "/%s", paths_cache(), name);
    autofree char *lock = format_string("%s/" CHECKPOINTS "/.%s.lock", paths_cache(), name);
    autoclose int held = file_lock(lock, err);
    char checksum[HASH_HEX];
    if (held < 0)
        return -1;
    return !file_exists(path) || whole(path, checksum) ? 0
                                                       : checkpoint_remove(CHECKPOINTS, name, err);
}

int checkpoint_prepare(const struct checkpoint_inputs *inputs, struct checkpoint *checkpoint,
                       struct error *err) {
    *checkpoint = (struct checkpoint){0};
    make_key(inputs, checkpoint->key);
    autofree char *name = format_string("%s-%.16s", inputs->name, checkpoint->key);
    for (int attempt = 0; attempt < 2; attempt++) {
        struct store_entry entry = {.lock = -1};
        int result = store_open(&entry, CHECKPOINTS, name, err);
        checkpoint->made = result == 0 && entry.work;
        if (checkpoint->made)
            result = make(inputs, &entry, checkpoint->key, err);
        bool good = result == 0 && whole(entry.path, checkpoint->checksum);
        if (good) {
            utime(entry.path, NULL); /* when it was last used */
            checkpoint->folder = strdup(entry.path);
            /* Without symbolic links: the plugin looks for this path in /proc/self/maps. */
            autofree char *ram = store_file(&entry, "ram");
            checkpoint->ram = realpath(ram, NULL) ?: strdup(ram);
            checkpoint->kernel_arguments =
                checkpoint_kernel_arguments(inputs->image, inputs->tickless);
            checkpoint->state = store_file(&entry, "state");
            checkpoint->console = store_file(&entry, "console.log");
        }
        store_close(&entry);
        if (result < 0 || good)
            return result;
        progress_note("the checkpoint %s is damaged: making it again", name);
        if (remove_damaged(name, err) < 0)
            return -1;
    }
    return error_set(err, "the checkpoint %s is damaged as soon as it is made: check the disk",
                     name);
}

struct machine *checkpoint_restore(const struct checkpoint *checkpoint,
                                   const struct machine_options *options, struct error *err) {
    autofree char *script = format_string("%s/script", checkpoint->folder);
    struct machine_options restored = *options;
    restored.kernel_arguments = checkpoint->kernel_arguments;
    restored.memory_file = checkpoint->ram;
    restored.memory_writable = false;
    restored.script = script;
    restored.incoming = true;
    if (file_copy(checkpoint->console, options->console, err) < 0)
        return NULL;
    struct machine *machine = machine_start(&restored, err);
    if (machine && machine_restore(machine, checkpoint->state, err) == 0)
        return machine;
    machine_end(machine);
    return NULL;
}

void checkpoint_free(struct checkpoint *checkpoint) {
    free(checkpoint->folder);
    free(checkpoint->kernel_arguments);
    free(checkpoint->ram);
    free(checkpoint->state);
    free(checkpoint->console);
    *checkpoint = (struct checkpoint){0};
}

/* Bytes on disk: holes do not count. */
static json_int_t disk_bytes(const char *folder, const char *name) {
    autofree char *path = format_string("%s/%s", folder, name);
    struct stat status;
    return stat(path, &status) == 0 ? (json_int_t)status.st_blocks * 512 : 0;
}

static json_t *list_one(const char *folder, bool check) {
    char checksum[HASH_HEX], used[32] = "";
    autofree char *path = format_string("%s/checkpoint.json", folder);
    json_t *about = json_load_file(path, 0, NULL);
    struct stat status;
    if (stat(folder, &status) == 0)
        strftime(used, sizeof used, "%Y-%m-%dT%H:%M:%SZ", gmtime(&status.st_mtime));
    const char *function = json_string_value(json_object_get(about, "function"));
    const char *created = json_string_value(json_object_get(about, "created"));
    json_t *entry =
        json_pack("{s:s, s:s, s:s, s:s, s:I, s:b}", "name", strrchr(folder, '/') + 1, "function",
                  function ? function : "?", "created", created ? created : "?", "used", used,
                  "bytes", disk_bytes(folder, "ram") + disk_bytes(folder, "state"), "damaged",
                  !about || (check && !whole(folder, checksum)));
    json_decref(about);
    return entry;
}

json_t *checkpoint_list(bool check) {
    autofree char *pattern = format_string("%s/" CHECKPOINTS "/*", paths_cache());
    json_t *list = json_array();
    glob_t found;
    if (glob(pattern, 0, NULL, &found) != 0)
        return list;
    for (size_t i = 0; i < found.gl_pathc; i++)
        json_array_append_new(list, list_one(found.gl_pathv[i], check));
    globfree(&found);
    return list;
}

/* Renamed first, so that nobody finds a half-removed one. */
int checkpoint_remove(const char *kind, const char *name, struct error *err) {
    autofree char *path = format_string("%s/%s/%s", paths_cache(), kind, name);
    autofree char *doomed = format_string("%s/%s/.%s.removed", paths_cache(), kind, name);
    if (folder_remove(doomed, err) < 0)
        return -1;
    if (rename(path, doomed) < 0)
        return error_errno(err, "cannot remove the checkpoint %s", name);
    return folder_remove(doomed, err);
}
