#include "image/import.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/process.h"
#include "common/progress.h"
#include "image/image.h"

#define SECTOR 512
#define MOST_PARTITIONS 32
#define NEEDED_BYTES 16e6 /* the programs below */
#define OS_RELEASE "/usr/lib/os-release"
#define SYSTEMD "/usr/lib/systemd/systemd"
#define X86_LOADER "/usr/lib64/ld-linux-x86-64.so.2"
#define UNITS "/etc/systemd/system"
#define WANTED UNITS "/multi-user.target.wants"

/* A file system in an image, as debugfs and its kin name it. */
struct file_system {
    char *name; /* FILE?offset=N */
    uint64_t offset;
    unsigned partition; /* 0: the image has no partitions */
};

/* What debugfs answers to a request;
 * its errors are on its other output. NULL if it cannot be asked. */
static char *ask(const struct file_system *system, const char *request) {
    const char *const arguments[] = {"debugfs", "-R", request, system->name, NULL};
    return process_output(arguments, NULL, NULL);
}

static bool has_file(const struct file_system *system, const char *path) {
    autofree char *request = format_string("stat %s", path);
    autofree char *answer = ask(system, request);
    return answer && strstr(answer, "Inode: ");
}

/* On older systems /usr/lib is not what /lib leads to. */
static bool has_either(const struct file_system *system, const char *path) {
    return has_file(system, path) || has_file(system, path + strlen("/usr"));
}

static int fill(struct file_system *system, const char *image, uint64_t offset,
                unsigned partition) {
    free(system->name);
    *system = (struct file_system){
        .name = offset ? format_string("%s?offset=%" PRIu64, image, offset) : strdup(image),
        .offset = offset,
        .partition = partition,
    };
    return has_file(system, OS_RELEASE) ? 0 : -1;
}

/* The partition, or the whole image, that holds an operating system. */
static int find_root(const char *image, struct file_system *system, struct error *err) {
    const char *const arguments[] = {"sfdisk", "--json", image, NULL};
    if (fill(system, image, 0, 0) == 0)
        return 0;
    autofree char *text = process_output(arguments, NULL, NULL);
    json_t *table = text ? json_loads(text, 0, NULL) : NULL;
    json_t *partitions = json_object_get(json_object_get(table, "partitiontable"), "partitions");
    json_int_t sector =
        json_integer_value(json_object_get(json_object_get(table, "partitiontable"), "sectorsize"));
    int result = -1;
    for (size_t i = 0; result < 0 && i < json_array_size(partitions) && i < MOST_PARTITIONS; i++) {
        const json_t *partition = json_array_get(partitions, i);
        const char *node = json_string_value(json_object_get(partition, "node"));
        json_int_t start = json_integer_value(json_object_get(partition, "start"));
        const char *digits = node ? node + strlen(node) : "";
        while (node && digits > node && digits[-1] >= '0' && digits[-1] <= '9')
            digits--;
        result = fill(system, image, (uint64_t)start * (uint64_t)(sector ? sector : SECTOR),
                      (unsigned)atoi(digits));
    }
    json_decref(table);
    return result == 0 ? 0
                       : error_set(err, "no partition is an ext4 file system with " OS_RELEASE
                                        ": the disk of a Debian or Ubuntu is needed");
}

/* A line "KEY: value" of dumpe2fs -h. "" if there is none; the caller frees it. */
static char *header(const struct file_system *system, const char *key) {
    const char *const arguments[] = {"dumpe2fs", "-h", system->name, NULL};
    autofree char *text = process_output(arguments, NULL, NULL);
    const char *line = text ? strstr(text, key) : NULL;
    if (!line)
        return strdup("");
    line += strlen(key);
    line += strspn(line, ": \t");
    return format_string("%.*s", (int)strcspn(line, "\n"), line);
}

static int check(const struct file_system *system, struct error *err) {
    autofree char *features = header(system, "Filesystem features");
    autofree char *state = header(system, "Filesystem state");
    autofree char *blocks = header(system, "Free blocks"), *size = header(system, "Block size");
    double room = strtod(blocks, NULL) * strtod(size, NULL);
    if (strstr(features, "needs_recovery") || strncmp(state, "clean", 5) != 0)
        return error_set(err, "its root file system was not unmounted: boot it and shut it down");
    if (!has_either(system, SYSTEMD))
        return error_set(err, "it has no systemd, which would start our service");
    if (!has_either(system, X86_LOADER))
        return error_set(err, "it is not of an x86-64 system");
    if (room < NEEDED_BYTES)
        return error_set(err,
                         "its root file system has %.0f MB free, and %.0f MB are needed: enlarge "
                         "it",
                         room / 1e6, NEEDED_BYTES / 1e6);
    return 0;
}

static void describe(const struct file_system *system, struct imported *imported) {
    *imported = (struct imported){.offset = system->offset};
    if (system->partition)
        snprintf(imported->device, sizeof imported->device, "/dev/vda%u", system->partition);
    else
        snprintf(imported->device, sizeof imported->device, "/dev/vda");
    autofree char *text = ask(system, "cat " OS_RELEASE);
    const char *name = text ? strstr(text, "PRETTY_NAME=\"") : NULL;
    snprintf(imported->system, sizeof imported->system, "%.*s",
             name ? (int)strcspn(name + 13, "\"") : 7, name ? name + 13 : "unknown");
}

/* debugfs would make a folder a second time. */
static void add_folder(FILE *out, const struct file_system *system, const char *path) {
    if (!has_file(system, path))
        fprintf(out, "mkdir %s\n", path);
}

static void add_file(FILE *out, const struct file_system *system, const char *from,
                     const char *folder, const char *name, const char *mode) {
    autofree char *path = format_string("%s/%s", folder, name);
    fprintf(out, "cd %s\n", folder);
    if (has_file(system, path))
        fprintf(out, "rm %s\n", name);
    fprintf(out, "write \"%s/%s\" %s\n", paths_guest(), from, name);
    fprintf(out, "sif %s mode %s\nsif %s uid 0\nsif %s gid 0\n", name, mode, name, name);
}

static void add_link(FILE *out, const struct file_system *system, const char *folder,
                     const char *name, const char *target) {
    autofree char *path = format_string("%s/%s", folder, name);
    fprintf(out, "cd %s\n", folder);
    if (has_file(system, path))
        fprintf(out, "rm %s\n", name);
    fprintf(out, "symlink %s %s\n", name, target);
}

/* What debugfs is to do: its commands, a line each. The caller frees it. */
static char *write_commands(const struct file_system *system) {
    static const char *const folders[] = {"/usr/lib/slsuite", "/etc/systemd", UNITS, WANTED};
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        add_folder(out, system, folders[i]);
    for (const char *const *name = guest_programs; *name; name++) {
        const char *slash = strrchr(*name, '/');
        if (strcmp(*name, GUEST_UNIT) != 0)
            add_file(out, system, *name, folders[0], slash ? slash + 1 : *name, "0100755");
    }
    add_link(out, system, "/usr/bin", "m5", "../lib/slsuite/m5");
    add_link(out, system, "/usr/bin", "client", "../lib/slsuite/client");
    add_link(out, system, "/usr/bin", "slsuite-function", "../lib/slsuite/slsuite-function");
    add_file(out, system, GUEST_UNIT, UNITS, GUEST_UNIT, "0100644");
    add_link(out, system, WANTED, GUEST_UNIT, "../" GUEST_UNIT);
    fclose(out);
    return text;
}

static int install(const struct file_system *system, struct error *err) {
    char path[] = "/tmp/slsuite-import-XXXXXX";
    autofree char *text = write_commands(system);
    autoclose int fd = mkstemp(path);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        return error_errno(err, "cannot write %s", path);
    const char *const arguments[] = {"debugfs", "-w", "-f", path, system->name, NULL};
    const char *const verify[] = {"e2fsck", "-fn", system->name, NULL};
    int result = process_run(arguments, NULL, err);
    unlink(path);
    if (result == 0 && !has_file(system, UNITS "/" GUEST_UNIT))
        result = error_set(err, "debugfs could not write into it");
    return result == 0 ? process_run(verify, NULL, err) : -1;
}

int image_look_at(const char *image, struct imported *imported, struct error *err) {
    struct file_system system = {0};
    struct error why = {0};
    int result = find_root(image, &system, &why);
    if (result == 0)
        describe(&system, imported);
    else
        error_set(err, "cannot use %s: %s", image, why.text);
    free(system.name);
    return result;
}

static int work(const char *disk, const char *image, struct imported *imported, struct error *err) {
    const char *const convert[] = {"qemu-img", "convert", "-O", "raw", disk, image, NULL};
    struct file_system system = {0};
    struct error why = {0};
    int result = process_run(convert, NULL, &why);
    if (result == 0)
        result = find_root(image, &system, &why);
    if (result == 0)
        result = check(&system, &why);
    if (result == 0)
        result = install(&system, &why);
    if (result == 0)
        describe(&system, imported);
    free(system.name);
    return result == 0 ? 0 : error_set(err, "cannot import %s: %s", disk, why.text);
}

int image_import(const char *disk, const char *out, struct imported *imported, struct error *err) {
    autofree char *partial = format_string("%s.partial", out);
    if (strpbrk(out, "?\"\n"))
        return error_usage(err, "--out: a name without ?, \" and line breaks is needed");
    if (access(disk, R_OK) < 0)
        return error_errno(err, "cannot read %s", disk);
    if (file_exists(out))
        return error_set(err, "%s is there already: name another with --out", out);
    struct progress *progress = progress_begin("import", "copy the disk, and install in it", 20);
    int result = work(disk, partial, imported, err);
    if (result == 0 && rename(partial, out) < 0)
        result = error_errno(err, "cannot create %s", out);
    if (result < 0)
        unlink(partial);
    progress_end(progress, result == 0);
    return result;
}
