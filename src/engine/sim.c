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

/* All that one run holds on to. */
struct sim {
    const struct sim_options *options;
    char *qemu_version;
    char *system_file;
    struct model_parameters system;
    unsigned warm_ups;
    struct image image;
    struct function function;
    struct checkpoint checkpoint;
    struct run_folder *folder;
    struct manifest *manifest;
    struct guest guest;
    struct samples *samples;
};

static int prepare(struct sim *sim, struct error *err) {
    const struct sim_options *options = sim->options;
    sim->system_file = system_find(options->system, err);
    if (!sim->system_file || system_load(sim->system_file, &sim->system, err) < 0 ||
        function_find(options->function, &sim->function, err) < 0)
        return -1;
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
    double begun = machine_now();
    if (checkpoint_prepare(&inputs, &sim->checkpoint, err) < 0)
        return -1;
    manifest_set_seconds(sim->manifest, "seconds.checkpoint", machine_now() - begun);
    return 0;
}

static int describe(struct sim *sim, struct error *err) {
    struct manifest *manifest = sim->manifest;
    const struct sim_options *options = sim->options;
    manifest_set_text(manifest, "function", sim->function.name);
    manifest_set_text(manifest, "system", sim->system.name);
    manifest_set_text(manifest, "engine", "sim");
    manifest_set_integer(manifest, "invocations", options->invocations);
    manifest_set_integer(manifest, "warm_ups", sim->warm_ups);
    manifest_set_integer(manifest, "measured_core",
                         checkpoint_function_core((unsigned)sim->system.cores));
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

/* Restore the checkpoint and simulate the invocations. */
static int simulate(struct sim *sim, const char *samples, struct error *err) {
    const char *folder = results_folder_path(sim->folder);
    autofree char *parameters = format_string("%s/parameters", folder);
    autofree char *script = format_string("%s/script", sim->checkpoint.folder);
    autofree char *console = format_string("%s/console.log", folder);
    autofree char *log = format_string("%s/qemu.log", folder);
    autofree char *kernel_arguments = checkpoint_kernel_arguments((unsigned)sim->system.cores);
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
        .plugin = plugin,
        .events = true,
        .incoming = true,
    };
    autofree char *title = format_string("simulate %u invocations", sim->options->invocations);
    sim->guest = (struct guest){
        .console = console,
        .files = folder,
        .timeout_seconds = sim->options->timeout_seconds,
        .invocations = sim->options->invocations,
        .progress = progress_begin("simulate", title, 1),
    };
    double begun = machine_now();
    sim->guest.machine = machine_start(&options, err);
    int result =
        sim->guest.machine ? machine_restore(sim->guest.machine, sim->checkpoint.state, err) : -1;
    manifest_set_seconds(sim->manifest, "seconds.restore", machine_now() - begun);
    begun = machine_now();
    if (result == 0)
        result = guest_wait(&sim->guest, GUEST_DONE, err);
    manifest_set_seconds(sim->manifest, "seconds.simulate", machine_now() - begun);
    machine_end(sim->guest.machine);
    progress_end(sim->guest.progress, result == 0);
    unlink(parameters);
    return result;
}

static int write_results(struct sim *sim, FILE *out, enum results_format format,
                         struct error *err) {
    autofree char *samples = format_string("%s/samples.tsv", results_folder_path(sim->folder));
    autofree char *system = file_read(sim->system_file, NULL, err);
    if (!system || simulate(sim, samples, err) < 0 || !(sim->samples = samples_read(samples, err)))
        return -1;
    if (sim->guest.reply_count != sim->options->invocations)
        return error_set(err, "only %zu of %u invocations were answered", sim->guest.reply_count,
                         sim->options->invocations);
    const struct run_results run = {
        .manifest = sim->manifest,
        .samples = sim->samples,
        .replies = sim->guest.replies,
        .reply_count = sim->guest.reply_count,
        .clock_hz = sim->system.clock,
        .measured_core = checkpoint_function_core((unsigned)sim->system.cores),
        .system = system,
    };
    manifest_set_text(sim->manifest, "status", "complete");
    if (results_write_all(results_folder_path(sim->folder), &run, err) < 0)
        return -1;
    return out ? results_print(out, &run, format, err) : 0;
}

/* A failed run keeps its folder, with console and manifest, beside the place of a whole one. */
static void keep_failed(struct sim *sim, struct error *err) {
    autofree char *path = format_string("%s/run.json", results_folder_path(sim->folder));
    manifest_set_text(sim->manifest, "status", "failed");
    manifest_set_text(sim->manifest, "error", err->text);
    manifest_write(sim->manifest, path, NULL);
    if (results_finish(sim->folder, false, NULL) == 0)
        error_hint(err, "see %s", results_folder_path(sim->folder));
}

int sim_run(const struct sim_options *options, FILE *out, enum results_format format, char **folder,
            struct error *err) {
    struct sim sim = {.options = options, .manifest = manifest_new()};
    int result = prepare(&sim, err);
    if (result == 0) {
        sim.folder = results_create(options->out, sim.function.name, sim.system.name, err);
        result = sim.folder ? describe(&sim, err) : -1;
    }
    if (result == 0)
        result = write_results(&sim, out, format, err);
    if (result == 0)
        result = results_finish(sim.folder, true, err);
    else if (sim.folder)
        keep_failed(&sim, err);
    if (result == 0 && folder)
        *folder = strdup(results_folder_path(sim.folder));

    results_folder_free(sim.folder);
    samples_free(sim.samples);
    manifest_free(sim.manifest);
    guest_free(&sim.guest);
    checkpoint_free(&sim.checkpoint);
    function_free(&sim.function);
    image_free(&sim.image);
    free(sim.system_file);
    free(sim.qemu_version);
    return result;
}
