#include "engine/shell.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/progress.h"
#include "engine/checkpoint.h"
#include "engine/disk.h"
#include "engine/guest.h"
#include "engine/kvm.h"
#include "engine/machine.h"
#include "engine/parcel.h"
#include "engine/sim.h"
#include "image/function.h"
#include "image/import.h"
#include "image/kernel_build.h"
#include "image/runtime.h"

struct shell {
    const struct shell_options *options;
    struct image image;
    struct function function;
    struct disk disk;
    struct checkpoint checkpoint; /* without a folder: the guest boots */
    bool kvm;                     /* it is not emulated */
    bool kept;                    /* the guest has said that its disk is whole */
    char *ram, *log, *console, *parameters, *parcel, *kernel_arguments;
};

/* The guest's terminal driver does the editing and the signals. */
static void set_raw(const struct termios *kept) {
    struct termios raw = *kept;
    cfmakeraw(&raw);
    raw.c_oflag |= OPOST;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

/* Until the guest is off. Whether it said that its disk is whole. */
static bool interact(struct machine *machine) {
    struct termios before;
    bool terminal = tcgetattr(STDIN_FILENO, &before) == 0, kept = false;
    if (terminal)
        set_raw(&before);
    for (;;) {
        struct machine_report report = machine_next(machine, machine_now() + 3600, NULL, NULL);
        if (report.kind == MACHINE_LINE)
            kept |= strcmp(report.text, "kept") == 0;
        else if (report.kind != MACHINE_FILE && report.kind != MACHINE_LATE)
            break;
    }
    if (terminal)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return kept;
}

static int run_script(struct shell *shell, struct machine *machine, struct error *err) {
    struct guest guest = {
        .machine = machine,
        .console = shell->console,
        .before_script = true,
        .timeout_seconds = shell->options->timeout_seconds,
        .files = ".",
    };
    guest.progress = shell->checkpoint.folder
                         ? progress_begin("script", "run the script in the guest", 2)
                         : progress_begin("shell", "boot and run the script in the guest", 15);
    int result = guest_wait(&guest, GUEST_DONE, err);
    progress_end(guest.progress, result == 0);
    shell->kept = guest.kept;
    guest_free(&guest);
    return result;
}

/* QEMU would say it in words of its own. */
static int check_port(unsigned port, struct error *err) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int reuse = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return 0;
    return error_set(err,
                     "port %u of this computer, for ssh, cannot be had: %s: name another with "
                     "--ssh, or 0 for none",
                     port, strerror(errno));
}

#define DISK_ARGUMENTS "console=ttyS0 rw root="

/* A disk of somebody's has its own kernel; or ours, which needs to know where its root is. */
static int prepare_disk(struct shell *shell, struct error *err) {
    const struct shell_options *options = shell->options;
    struct imported imported;
    if (strcmp(options->image.kernel, KERNEL_CUSTOM) != 0)
        return 0;
    if (image_look_at(options->disk, &imported, err) < 0 ||
        kernel_find_custom(&shell->image, err) < 0)
        return -1;
    shell->kernel_arguments = format_string(DISK_ARGUMENTS "%s", imported.device);
    return 0;
}

/* Into the parcel; at once, so that what cannot be read is known before anything takes time. */
static int pack_script(const struct shell *shell, struct error *err) {
    size_t size;
    autofree char *script = file_read(shell->options->script, &size, err);
    return script ? parcel_write_script(shell->parcel, script, size, err) : -1;
}

/* The emulated guest, booted, where its script would begin: what depends on nothing but files that
 * stay as they are. Otherwise it boots. */
static int freeze(struct shell *shell, const char *qemu_version, struct error *err) {
    const struct shell_options *options = shell->options;
    const struct nvdimms nvdimms = sim_nvdimms(&shell->function);
    if (!options->script || shell->kvm || options->network || options->commit ||
        !machine_has_place(&nvdimms))
        return 0;
    const char *function = options->function;
    autofree char *name = format_string("shell%s%s", function ? "-" : "", function ?: "");
    autofree char *title =
        format_string("boot the guest%s%s", function ? " with " : "", function ?: "");
    autofree char *recipe = format_string("%s/await-script", paths_recipes());
    autofree char *script = file_read(recipe, NULL, err);
    if (!script || pack_script(shell, err) < 0)
        return -1;
    const struct checkpoint_inputs inputs = {
        .image = &shell->image,
        .name = name,
        .title = title,
        .script = script,
        .nvdimms = nvdimms,
        .parcel = true,
        .digest = function ? shell->function.digest : "no function",
        .cores = options->cores,
        .memory_bytes = options->memory_bytes,
        .qemu_version = qemu_version,
        .timeout_seconds = GUEST_BOOT_SECONDS,
    };
    return checkpoint_prepare(&inputs, &shell->checkpoint, err);
}

static int prepare(struct shell *shell, struct error *err) {
    const struct shell_options *options = shell->options;
    if (options->network && options->ssh_port && check_port(options->ssh_port, err) < 0)
        return -1;
    autofree char *version = machine_qemu_version(err);
    if (!version || checkpoint_write_parameters(shell->parameters, "", err) < 0)
        return -1;
    shell->kvm = options->kvm == SHELL_KVM_ON;
    if (options->disk)
        return prepare_disk(shell, err);
    if (image_prepare(&shell->image, &options->image, err) < 0)
        return -1;
    shell->kernel_arguments = checkpoint_kernel_arguments(&shell->image, false);
    if (options->function && function_prepare(options->function, &shell->function, err) < 0)
        return -1;
    if (options->function && runtime_is_engine(options->image.runtime) &&
        function_prepare_archive(&shell->function, err) < 0)
        return -1;
    const struct nvdimms nvdimms = sim_nvdimms(&shell->function);
    if (options->commit && !machine_has_place(&nvdimms))
        return error_usage(err,
                           "--commit: %s takes all places for disks: use it without a function",
                           options->function);
    if (options->commit && disk_open(&shell->disk, options->image.runtime, err) < 0)
        return -1;
    if (options->kvm == SHELL_KVM_AUTO)
        shell->kvm = kvm_works(&shell->image);
    return freeze(shell, version, err);
}

static struct machine *start(struct shell *shell, struct error *err) {
    const struct shell_options *options = shell->options;
    struct machine_options machine_options = {
        .kernel = shell->image.kernel,
        .initramfs = shell->image.initramfs,
        .kernel_arguments = shell->kernel_arguments,
        .cores = options->cores,
        .memory_bytes = options->memory_bytes,
        .memory_file = shell->ram,
        .memory_writable = true,
        .rootfs = shell->image.rootfs,
        .disk = options->disk,
        .disk_writable = options->commit,
        .nvdimms = sim_nvdimms(&shell->function),
        .script = options->script,
        .parameters = shell->parameters,
        .console = options->script ? shell->console : NULL,
        .log = shell->log,
        .network = options->network,
        .ssh_port = options->ssh_port,
        .changes = shell->disk.path,
        .kvm = shell->kvm,
    };
    if (shell->checkpoint.folder) {
        machine_options.nvdimms.parcel = shell->parcel;
        return checkpoint_restore(&shell->checkpoint, &machine_options, err);
    }
    if (options->network && options->ssh_port)
        progress_note("ssh -p %u root@127.0.0.1 (password root) once it has booted",
                      options->ssh_port);
    struct machine *machine = machine_start(&machine_options, err);
    unlink(shell->ram); /* QEMU has it; nothing large stays if we are killed */
    return machine;
}

/* A failed script's changes are not kept: it can be tried again. */
static int keep(struct shell *shell, struct error *err) {
    if (!shell->kept)
        return error_set(err, "the changes were not kept: the guest was not powered off: end it "
                              "with `poweroff`");
    if (disk_commit(&shell->disk, err) < 0)
        return -1;
    progress_note("the changes are kept for the next shell --commit with this image");
    return 0;
}

static int boot(struct shell *shell, struct error *err) {
    if (prepare(shell, err) < 0)
        return -1;
    struct machine *machine = start(shell, err);
    int result = machine ? 0 : -1;
    if (machine && shell->options->script)
        result = run_script(shell, machine, err);
    else if (machine)
        shell->kept = interact(machine);
    machine_end(machine);
    autofree char *said =
        result == 0 && shell->options->script ? file_read(shell->console, NULL, NULL) : NULL;
    if (said)
        fputs(said, stdout);
    return result == 0 && shell->disk.path ? keep(shell, err) : result;
}

int shell_run(const struct shell_options *options, struct error *err) {
    char folder[] = "/tmp/slsuite-shell-XXXXXX";
    if (!mkdtemp(folder))
        return error_errno(err, "cannot create %s", folder);
    struct shell shell = {
        .options = options,
        .disk.entry.lock = -1,
        .ram = format_string("%s/ram", folder),
        .log = format_string("%s/qemu.log", folder),
        .console = format_string("%s/console.log", folder),
        .parameters = format_string("%s/parameters", folder),
        .parcel = format_string("%s/parcel", folder),
    };
    int result = boot(&shell, err);
    if (shell.disk.path)
        disk_close(&shell.disk);
    function_free(&shell.function);
    image_free(&shell.image);
    free(shell.ram);
    free(shell.log);
    free(shell.console);
    free(shell.parameters);
    free(shell.parcel);
    checkpoint_free(&shell.checkpoint);
    free(shell.kernel_arguments);
    folder_remove(folder, NULL);
    return result;
}
