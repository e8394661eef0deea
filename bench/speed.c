/* How fast is the simulation? Against its named peer, the same QEMU command line without the
 * plugin, from the same checkpoint, the same invocations, in turn: A B A B …; medians and their
 * ratio. And the same for a whole machine, from power-on through the boot to power-off.
 *
 *     bench-speed FUNCTION INVOCATIONS ROUNDS [SYSTEM] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/progress.h"
#include "engine/checkpoint.h"
#include "engine/guest.h"
#include "engine/machine.h"
#include "engine/sim.h"
#include "image/image.h"
#include "system/system.h"

#define MOST_ROUNDS 100

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* Instructions of all cores from the first mark to the last: nearly all that was simulated. */
static double count_instructions(const char *folder, struct error *err) {
    autofree char *path = format_string("%s/samples.tsv", folder);
    struct samples *samples = samples_read(path, err);
    ssize_t index = samples ? samples_find(samples, "simInsts") : -1;
    double count = 0;
    if (index >= 0 && samples->mark_count > 1)
        count = (double)(samples->marks[samples->mark_count - 1].values[index] -
                         samples->marks[0].values[index]);
    samples_free(samples);
    return count;
}

static int measure(struct sim *sim, const char *folder, int rounds, struct error *err) {
    double timed[MOST_ROUNDS], plain[MOST_ROUNDS], first[MOST_ROUNDS], instructions = 0;
    for (int i = 0; i < rounds; i++) {
        struct sim_durations with, without;
        if (sim_execute(sim, folder, true, &with, err) < 0)
            return -1;
        instructions = count_instructions(folder, err);
        if (!instructions || sim_execute(sim, folder, false, &without, err) < 0)
            return -1;
        timed[i] = with.simulate;
        plain[i] = without.simulate;
        first[i] = with.first_mark;
    }
    double with = median(timed, rounds), without = median(plain, rounds);
    printf("simulated with the model     %7.3f s  %6.1f MIPS  (%.0f M instructions)\n", with,
           instructions / with / 1e6, instructions / 1e6);
    printf("the same QEMU, no plugin     %7.3f s  %6.1f MIPS\n", without,
           instructions / without / 1e6);
    printf("ratio of speeds              %7.3f\n", without / with);
    printf("start to first simulated mark%7.3f s\n", median(first, rounds));
    return 0;
}

/* Power-on to power-off, with an empty run script. Seconds, or -1. */
static double boot(const struct image *image, const char *folder, const char *plugin,
                   struct error *err) {
    autofree char *ram = format_string("%s/ram", folder), *log = format_string("%s/log", folder);
    autofree char *script = format_string("%s/script", folder);
    autofree char *console = format_string("%s/console", folder);
    autofree char *kernel_arguments = checkpoint_kernel_arguments();
    unlink(ram);
    if (file_write(script, ":\n", 2, err) < 0)
        return -1;
    const struct machine_options options = {
        .kernel = image->kernel,
        .initramfs = image->initramfs,
        .kernel_arguments = kernel_arguments,
        .cores = 2,
        .memory_bytes = (uint64_t)2 << 30,
        .memory_file = ram,
        .memory_writable = true,
        .rootfs = image->rootfs,
        .script = script,
        .console = console,
        .log = log,
        .plugin = plugin,
    };
    double begun = machine_now();
    struct guest guest = {.console = console, .timeout_seconds = 600};
    guest.machine = machine_start(&options, err);
    int result = guest.machine ? guest_wait(&guest, GUEST_DONE, err) : -1;
    machine_end(guest.machine);
    return result < 0 ? -1 : machine_now() - begun;
}

static int measure_boot(const char *folder, const char *system, int rounds, struct error *err) {
    double timed[MOST_ROUNDS], plain[MOST_ROUNDS];
    struct image image;
    autofree char *file = system_find(system, err);
    autofree char *plugin = file ? format_string("%s,system=%s,ram=%s/ram,samples=%s/samples.tsv",
                                                 paths_plugin(), file, folder, folder)
                                 : NULL;
    int result = plugin ? image_prepare(&image, err) : -1;
    for (int i = 0; result == 0 && i < rounds; i++) {
        timed[i] = boot(&image, folder, plugin, err);
        plain[i] = timed[i] < 0 ? -1 : boot(&image, folder, NULL, err);
        result = plain[i] < 0 ? -1 : 0;
    }
    if (result == 0) {
        double with = median(timed, rounds), without = median(plain, rounds);
        printf("boot to power-off, model     %7.3f s\n", with);
        printf("the same QEMU, no plugin     %7.3f s\n", without);
        printf("ratio of speeds              %7.3f\n", without / with);
    }
    image_free(&image);
    return result;
}

int main(int argc, char **argv) {
    struct error err = {0};
    int rounds = argc > 3 ? atoi(argv[3]) : 0;
    if (argc < 4 || atoi(argv[2]) < 1 || rounds < 1 || rounds > MOST_ROUNDS) {
        fputs("usage: bench-speed FUNCTION INVOCATIONS ROUNDS [SYSTEM]\n", stderr);
        return 2;
    }
    const struct sim_options options = {
        .function = argv[1],
        .system = argc > 4 ? argv[4] : "simple",
        .invocations = (unsigned)atoi(argv[2]),
        .warm_ups = -1,
        .timeout_seconds = 600,
        .command = argv,
    };
    char folder[] = "/tmp/slsuite-bench-XXXXXX";
    struct sim *sim = paths_init(&err) == 0 ? sim_open(&options, &err) : NULL;
    int result = !sim              ? -1
                 : mkdtemp(folder) ? measure(sim, folder, rounds, &err) < 0
                                         ? -1
                                         : measure_boot(folder, options.system, rounds, &err)
                                   : error_errno(&err, "cannot create %s", folder);
    sim_close(sim);
    folder_remove(folder, NULL);
    if (result < 0)
        fprintf(stderr, "bench-speed: %s\n", err.text);
    return result < 0;
}
