#include "engine/sim.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/progress.h"
#include "engine/checkpoint.h"
#include "engine/guest.h"
#include "engine/machine.h"
#include "image/function.h"
#include "image/image.h"
#include "system/system.h"

#define LEAST_CORES 2
#define MOST_CORES 8 /* the plugin's */

struct sim {
    const struct sim_options *options;
    char *qemu_version;
    char *system_file;
    struct model_parameters system;
    unsigned warm_ups;
    struct image image;
    struct function function;
    struct checkpoint checkpoint;
    struct guest guest; /* its replies */
};

static int prepare(struct sim *sim, struct error *err) {
    const struct sim_options *options = sim->options;
    sim->system_file = system_find(options->system, err);
    if (!sim->system_file || system_load(sim->system_file, &sim->system, err) < 0 ||
        function_find(options->function, &sim->function, err) < 0)
        return -1;
    if (sim->system.cores < LEAST_CORES || sim->system.cores > MOST_CORES)
        return error_usage(err, "%s: cores: there must be %d to %d: core 1 is the function's alone",
                           sim->system_file, LEAST_CORES, MOST_CORES);
    function_free(&sim->function);
    sim->qemu_version = machine_qemu_version(err);
    if (!sim->qemu_version || image_prepare(&sim->image, err) < 0 ||
        function_prepare(options->function, &sim->function, err) < 0)
        return -1;
    sim->warm_ups =
        options->warm_ups >= 0
            ? (unsigned)options->warm_ups
            : (unsigned)atoi(json_string_value(json_object_get(sim->function.yaml, "warm-ups")));
    const struct checkpoint_inputs inputs = {
        .image = &sim->image,
        .function = &sim->function,
        .cores = (unsigned)sim->system.cores,
        .warm_ups = sim->warm_ups,
        .memory_bytes = sim->system.memory_size,
        .qemu_version = sim->qemu_version,
        .timeout_seconds = options->timeout_seconds,
    };
    return checkpoint_prepare(&inputs, &sim->checkpoint, err);
}

struct sim *sim_open(const struct sim_options *options, struct error *err) {
    struct sim *sim = calloc(1, sizeof *sim);
    if (!sim)
        abort();
    sim->options = options;
    if (prepare(sim, err) == 0)
        return sim;
    sim_close(sim);
    return NULL;
}

void sim_close(struct sim *sim) {
    if (!sim)
        return;
    guest_free(&sim->guest);
    checkpoint_free(&sim->checkpoint);
    function_free(&sim->function);
    image_free(&sim->image);
    free(sim->system_file);
    free(sim->qemu_version);
    free(sim);
}

static int describe(const struct sim *sim, struct manifest *manifest, struct error *err) {
    const struct sim_options *options = sim->options;
    manifest_set_text(manifest, "function", sim->function.name);
    manifest_set_text(manifest, "system", sim->system.name);
    manifest_set_text(manifest, "engine", "sim");
    manifest_set_integer(manifest, "invocations", options->invocations);
    manifest_set_integer(manifest, "warm_ups", sim->warm_ups);
    manifest_set_integer(manifest, "measured_core", CHECKPOINT_FUNCTION_CORE);
    manifest_set_integer(manifest, "clock_hz", (int64_t)sim->system.clock);
    if (options->input)
        manifest_set_text(manifest, "input", options->input);
    if (options->generator)
        manifest_set_text(manifest, "generator", options->generator);
    manifest_set_command(manifest, (const char *const *)options->command);
    manifest_set_text(manifest, "versions.qemu", sim->qemu_version);
    manifest_set_text(manifest, "versions.kernel", sim->image.kernel_version);
    manifest_set_text(manifest, "digests.kernel", sim->image.kernel_digest);
    manifest_set_text(manifest, "digests.initramfs", sim->image.initramfs_digest);
    manifest_set_text(manifest, "digests.rootfs", sim->image.rootfs_digest);
    manifest_set_text(manifest, "digests.function", sim->function.digest);
    manifest_set_text(manifest, "digests.function_image", sim->function.image_digest);
    manifest_set_text(manifest, "digests.checkpoint", sim->checkpoint.checksum);
    char digest[HASH_HEX];
    if (hash_file(sim->system_file, digest, err) < 0)
        return -1;
    manifest_set_text(manifest, "digests.system", digest);
    if (hash_file(paths_plugin(), digest, err) < 0)
        return -1;
    manifest_set_text(manifest, "digests.plugin", digest);
    return 0;
}

/* -plugin's value: commas in paths are doubled. The caller frees it. */
static char *plugin_argument(const char *system, const char *ram, const char *samples) {
    const char *const parts[] = {paths_plugin(), ",system=", system, ",ram=", ram,
                                 ",samples=",    samples};
    size_t length = 1;
    for (size_t i = 0; i < 7; i++)
        length += 2 * strlen(parts[i]);
    char *text = malloc(length), *to = text;
    if (!text)
        abort();
    for (size_t i = 0; i < 7; i++)
        for (const char *from = parts[i]; *from; *to++ = *from++)
            if (*from == ',' && i % 2 == 0)
                *to++ = ',';
    *to = '\0';
    return text;
}

static int write_parameters(const struct sim_options *options, const char *path,
                            struct error *err) {
    const char *input = options->input, *generator = options->generator;
    if (input && strpbrk(input, "\n"))
        return error_usage(err, "--input holds a line break: give it in one line");
    autofree char *lines =
        format_string("n=%u\n%s%s%s%s%s%s", options->invocations, input ? "input=" : "",
                      input ? input : "", input ? "\n" : "", generator ? "generator=" : "",
                      generator ? generator : "", generator ? "\n" : "");
    return checkpoint_write_parameters(path, lines, err);
}

static void note_first_mark(void *context) {
    double *first_mark = context;
    if (!*first_mark)
        *first_mark = machine_now();
}

int sim_execute(struct sim *sim, const char *folder, bool timed, struct sim_durations *durations,
                struct error *err) {
    autofree char *parameters = format_string("%s/parameters", folder);
    autofree char *script = format_string("%s/script", sim->checkpoint.folder);
    autofree char *console = format_string("%s/console.log", folder);
    autofree char *log = format_string("%s/qemu.log", folder);
    autofree char *samples = format_string("%s/samples.tsv", folder);
    autofree char *kernel_arguments = checkpoint_kernel_arguments();
    autofree char *plugin = plugin_argument(sim->system_file, sim->checkpoint.ram, samples);
    if (write_parameters(sim->options, parameters, err) < 0 ||
        file_copy(sim->checkpoint.console, console, err) < 0)
        return -1;
    const struct machine_options options = {
        .kernel = sim->image.kernel,
        .initramfs = sim->image.initramfs,
        .kernel_arguments = kernel_arguments,
        .cores = (unsigned)sim->system.cores,
        .memory_bytes = sim->system.memory_size,
        .memory_file = sim->checkpoint.ram,
        .rootfs = sim->image.rootfs,
        .function = sim->function.image,
        .script = script,
        .parameters = parameters,
        .console = console,
        .log = log,
        .plugin = timed ? plugin : NULL,
        .events = true,
        .incoming = true,
    };
    autofree char *title = format_string("simulate %u invocations", sim->options->invocations);
    double first_mark = 0, begun = machine_now();
    guest_free(&sim->guest);
    sim->guest = (struct guest){
        .console = console,
        .files = folder,
        .timeout_seconds = sim->options->timeout_seconds,
        .marks = timed ? sim->options->invocations : 0,
        .progress = progress_begin("simulate", title, 1),
        .on_mark = note_first_mark,
        .context = &first_mark,
    };
    sim->guest.machine = machine_start(&options, err);
    int result =
        sim->guest.machine ? machine_restore(sim->guest.machine, sim->checkpoint.state, err) : -1;
    double restored = machine_now();
    if (result == 0)
        result = guest_wait(&sim->guest, GUEST_DONE, err);
    *durations = (struct sim_durations){
        .restore = restored - begun,
        .first_mark = first_mark ? first_mark - begun : 0,
        .simulate = machine_now() - restored,
    };
    machine_end(sim->guest.machine);
    progress_end(sim->guest.progress, result == 0);
    unlink(parameters);
    return result;
}

/* The plugin can only say that its file is cut off, and QEMU less: so ask before. An invocation
 * takes 17 kB of files with the system `simple`. */
static int need_room(const char *folder, unsigned invocations, struct error *err) {
    double needed = 1e6 + 25e3 * invocations;
    int64_t room = folder_free_bytes(folder);
    if (room < 0 || (double)room >= needed)
        return 0;
    return error_set(err,
                     "not enough room for the results: %s has %.1f MB free and %.1f MB are "
                     "needed: free some, or name another place with --out",
                     folder, (double)room / 1e6, needed / 1e6);
}

/* Simulate, write the run folder's files, print. */
static int produce(struct sim *sim, const char *folder, struct manifest *manifest, FILE *out,
                   enum results_format format, struct error *err) {
    autofree char *samples_file = format_string("%s/samples.tsv", folder);
    autofree char *system = file_read(sim->system_file, NULL, err);
    struct sim_durations durations;
    if (!system || need_room(folder, sim->options->invocations, err) < 0 ||
        sim_execute(sim, folder, true, &durations, err) < 0)
        return -1;
    manifest_set_seconds(manifest, "seconds.restore", durations.restore);
    manifest_set_seconds(manifest, "seconds.simulate", durations.simulate);
    if (sim->guest.reply_count != sim->options->invocations)
        return error_set(err, "only %zu of %u invocations were answered", sim->guest.reply_count,
                         sim->options->invocations);
    struct samples *samples = samples_read(samples_file, err);
    if (!samples)
        return -1;
    const struct run_results run = {
        .manifest = manifest,
        .samples = samples,
        .replies = sim->guest.replies,
        .reply_count = sim->guest.reply_count,
        .clock_hz = sim->system.clock,
        .measured_core = CHECKPOINT_FUNCTION_CORE,
        .system = system,
    };
    int result = results_write_all(folder, &run, err);
    if (result == 0 && out)
        result = results_print(out, &run, format, err);
    samples_free(samples);
    return result;
}

/* A failed run keeps its folder, with console and manifest, beside the place of a whole one. */
static void keep_failed(struct run_folder *folder, struct manifest *manifest, struct error *err) {
    results_write_failure(results_folder_path(folder), manifest, err, NULL);
    if (results_finish(folder, false, NULL) == 0)
        error_hint(err, "see %s", results_folder_path(folder));
}

int sim_run(const struct sim_options *options, FILE *out, enum results_format format, char **path,
            struct error *err) {
    double begun = machine_now();
    struct sim *sim = sim_open(options, err);
    if (!sim)
        return -1;
    struct manifest *manifest = manifest_new();
    manifest_set_seconds(manifest, "seconds.prepare", machine_now() - begun);
    struct run_folder *folder =
        results_create(options->out, sim->function.name, sim->system.name, err);
    int result = folder && describe(sim, manifest, err) == 0 ? 0 : -1;
    if (result == 0)
        result = produce(sim, results_folder_path(folder), manifest, out, format, err);
    if (result == 0)
        result = results_finish(folder, true, err);
    else if (folder)
        keep_failed(folder, manifest, err);
    if (result == 0 && path)
        *path = strdup(results_folder_path(folder));
    results_folder_free(folder);
    manifest_free(manifest);
    sim_close(sim);
    return result;
}
