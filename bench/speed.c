/* How fast is the simulation? Against its named peer, the same QEMU command line without the
 * plugin, from the same checkpoint, the same invocations, in turn: A B A B …; medians and their
 * ratio. Or the same for a whole machine, from power-on through the boot to power-off.
 *
 *     bench-speed FUNCTION INVOCATIONS ROUNDS [SYSTEM]
 *     bench-speed --boot ROUNDS [SYSTEM] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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
#include "image/runtime.h"
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

/* Instructions of all cores from the first mark to the last: nearly all that was simulated, if the
 * invocations are many. */
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

/* The most memory that a process of ours, one that has ended, had at a time; MB. */
static double most_memory(void) {
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return (double)usage.ru_maxrss / 1e3;
}

static int measure(struct sim *sim, const char *folder, int rounds, struct error *err) {
    double timed[MOST_ROUNDS], plain[MOST_ROUNDS], first[MOST_ROUNDS], instructions = 0;
    double memory = 0; /* of the first process without */
    for (int i = 0; i < rounds; i++) {
        struct sim_durations with, without;
        if (sim_execute(sim, folder, false, &without, err) < 0)
            return -1;
        memory = i ? memory : most_memory();
        if (sim_execute(sim, folder, true, &with, err) < 0)
            return -1;
        instructions = count_instructions(folder, err);
        if (!instructions)
            return error_set(err, "nothing was simulated");
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
    printf("memory for the model         %7.1f MB, translated code included\n",
           most_memory() - memory);
    return 0;
}

/* Power-on to power-off, with an empty run script. Seconds, or -1. */
static double boot(const struct image *image, const char *folder, const char *plugin,
                   struct error *err) {
    autofree char *ram = format_string("%s/ram", folder), *log = format_string("%s/log", folder);
    autofree char *script = format_string("%s/script", folder);
    autofree char *console = format_string("%s/console", folder);
    autofree char *kernel_arguments = checkpoint_kernel_arguments(image, false);
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

static int measure_boots(const char *folder, const char *system, int rounds, struct error *err) {
    double timed[MOST_ROUNDS], plain[MOST_ROUNDS];
    struct image image;
    autofree char *file = system_find(system, err);
    autofree char *plugin = file ? format_string("%s,system=%s,ram=%s/ram,samples=%s/samples.tsv",
                                                 paths_plugin(), file, folder, folder)
                                 : NULL;
    const struct image_choice choice = IMAGE_DEFAULT;
    int result = plugin ? image_prepare(&image, &choice, err) : -1;
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
    if (plugin)
        image_free(&image);
    return result;
}

static int measure_invocations(const char *folder, const struct sim_options *options, int rounds,
                               struct error *err) {
    struct sim *sim = sim_open(options, err);
    int result = sim ? measure(sim, folder, rounds, err) : -1;
    sim_close(sim);
    return result;
}

static int usage(void) {
    fputs("usage: bench-speed FUNCTION INVOCATIONS ROUNDS [SYSTEM]\n"
          "       bench-speed --boot ROUNDS [SYSTEM]\n",
          stderr);
    return 2;
}

int main(int argc, char **argv) {
    struct error err = {0};
    bool boots = argc > 1 && strcmp(argv[1], "--boot") == 0;
    int at = boots ? 2 : 3; /* of ROUNDS */
    int rounds = argc > at ? atoi(argv[at]) : 0;
    if (rounds < 1 || rounds > MOST_ROUNDS || argc > at + 2 || (!boots && atoi(argv[2]) < 1))
        return usage();
    const struct sim_options options = {
        .function = argv[1],
        .system = argc > at + 1 ? argv[at + 1] : "simple",
        .image = IMAGE_DEFAULT,
        .invocations = boots ? 0 : (unsigned)atoi(argv[2]),
        .warm_ups = -1,
        .timeout_seconds = 600,
        .command = argv,
    };
    char folder[] = "/tmp/slsuite-bench-XXXXXX";
    int result = paths_init(&err);
    if (result == 0 && !mkdtemp(folder))
        result = error_errno(&err, "cannot create %s", folder);
    else if (result == 0)
        result = boots ? measure_boots(folder, options.system, rounds, &err)
                       : measure_invocations(folder, &options, rounds, &err);
    folder_remove(folder, NULL);
    if (result < 0)
        fprintf(stderr, "bench-speed: %s\n", err.text);
    return result < 0;
}
