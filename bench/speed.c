/* How fast is the simulation? Against its named peer, the same QEMU command line without the plugin, from the same
 * checkpoint, the same invocations, in turn: A B A B …; medians and their ratio.
 *
 *     bench-speed FUNCTION INVOCATIONS ROUNDS [SYSTEM] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "engine/sim.h"

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
    int result = !sim ? -1
                 : mkdtemp(folder) ? measure(sim, folder, rounds, &err)
                                   : error_errno(&err, "cannot create %s", folder);
    sim_close(sim);
    folder_remove(folder, NULL);
    if (result < 0)
        fprintf(stderr, "bench-speed: %s\n", err.text);
    return result < 0;
}
