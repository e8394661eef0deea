#include "engine/kvm.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/progress.h"
#include "engine/checkpoint.h"
#include "engine/machine.h"

#define PROBE_SECONDS 10
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static bool speaks(const struct image *image, const char *folder) {
    autofree char *console = format_string("%s/console.log", folder);
    autofree char *log = format_string("%s/qemu.log", folder);
    autofree char *ram = format_string("%s/ram", folder);
    autofree char *kernel_arguments = checkpoint_kernel_arguments(image, false);
    const struct machine_options probe = {
        .kernel = image->kernel,
        .initramfs = image->initramfs,
        .kernel_arguments = kernel_arguments,
        .cores = 2,
        .memory_bytes = (uint64_t)1 << 30,
        .memory_file = ram,
        .memory_writable = true,
        .rootfs = image->rootfs,
        .console = console,
        .log = log,
        .kvm = true,
    };
    struct machine *machine = machine_start(&probe, NULL);
    bool spoken = false;
    double deadline = machine_now() + PROBE_SECONDS;
    while (machine && !spoken) {
        struct machine_report report = machine_next(machine, deadline, NULL, NULL);
        spoken = report.kind == MACHINE_LINE && strcmp(report.text, "stage rootfs") == 0;
        if (report.kind != MACHINE_LINE)
            break;
    }
    machine_end(machine);
    return spoken;
}

bool kvm_works(const struct image *image) {
    if (access("/dev/kvm", R_OK | W_OK) < 0)
        return false;
    autofree char *known_at = format_string("%s/kvm", paths_cache());
    autofree char *boot = file_read(BOOT_ID, NULL, NULL);
    autofree char *yes = format_string("%sworks\n", boot ? boot : "");
    autofree char *no = format_string("%sdoes not\n", boot ? boot : "");
    autofree char *known = file_read(known_at, NULL, NULL);
    if (known && boot && (strcmp(known, yes) == 0 || strcmp(known, no) == 0))
        return strcmp(known, yes) == 0;
    char folder[] = "/tmp/slsuite-kvm-XXXXXX";
    if (!mkdtemp(folder))
        return false;
    struct progress *progress = progress_begin("kvm", "try KVM", 1);
    bool works = speaks(image, folder);
    progress_end(progress, works);
    folder_remove(folder, NULL);
    if (!works)
        progress_note("KVM is there, but no guest gets anywhere with it: emulating");
    file_write(known_at, works ? yes : no, strlen(works ? yes : no), NULL);
    return works;
}
