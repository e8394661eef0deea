#include "engine/kvm.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/progress.h"

#define PROBE_SECONDS 10
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static bool speaks(const struct machine_options *options, const char *folder) {
    autofree char *console = format_string("%s/kvm-console.log", folder);
    autofree char *log = format_string("%s/kvm.log", folder);
    struct machine_options probe = *options;
    probe.console = console;
    probe.log = log;
    probe.changes = NULL;
    probe.network = false;
    probe.kvm = true;
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

bool kvm_works(const struct machine_options *options, const char *folder) {
    if (access("/dev/kvm", R_OK | W_OK) < 0)
        return false;
    autofree char *known_at = format_string("%s/kvm", paths_cache());
    autofree char *boot = file_read(BOOT_ID, NULL, NULL);
    autofree char *yes = format_string("%sworks\n", boot ? boot : "");
    autofree char *no = format_string("%sdoes not\n", boot ? boot : "");
    autofree char *known = file_read(known_at, NULL, NULL);
    if (known && boot && (strcmp(known, yes) == 0 || strcmp(known, no) == 0))
        return strcmp(known, yes) == 0;
    struct progress *progress = progress_begin("kvm", "try KVM", 1);
    bool works = speaks(options, folder);
    progress_end(progress, works);
    if (!works)
        progress_note("KVM is there, but no guest gets anywhere with it: emulating");
    file_write(known_at, works ? yes : no, strlen(works ? yes : no), NULL);
    return works;
}
