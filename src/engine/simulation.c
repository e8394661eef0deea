#include "engine/simulation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/mark.h"
#include "common/paths.h"
#include "common/progress.h"
#include "engine/machine.h"
#include "engine/record.h"
#include "model/flush.h"

#define LEAST_CORES 2
#define MOST_CORES 8 /* the plugin's */

int simulation_find_system(struct simulation *simulation, const char *system, struct error *err) {
    simulation->system_file = system_find(system, err);
    if (!simulation->system_file ||
        system_load(simulation->system_file, &simulation->system, err) < 0)
        return -1;
    if (simulation->system.cores < LEAST_CORES || simulation->system.cores > MOST_CORES)
        return error_usage(err, "%s: cores: there must be %d to %d: core 1 is the function's alone",
                           simulation->system_file, LEAST_CORES, MOST_CORES);
    return 0;
}

int simulation_prepare_image(struct simulation *simulation, const struct image_choice *choice,
                             struct error *err) {
    simulation->qemu_version = machine_qemu_version(err);
    return simulation->qemu_version ? image_prepare(&simulation->image, choice, err) : -1;
}

void simulation_free(struct simulation *simulation) {
    guest_free(&simulation->guest);
    checkpoint_free(&simulation->checkpoint);
    image_free(&simulation->image);
    free(simulation->system_file);
    free(simulation->qemu_version);
}

/* Commas in -plugin's values are doubled. */
static void add_value(FILE *out, const char *value) {
    for (; *value; value++)
        fputs(*value == ',' ? ",," : (char[]){*value, '\0'}, out);
}

static void add_text(FILE *out, const char *key, const char *value) {
    fprintf(out, ",%s=", key);
    add_value(out, value);
}

static bool has_content(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && about.st_size > 0;
}

/* -plugin's value. The caller frees it. */
static char *plugin_argument(const struct simulation *simulation, const struct simulation_job *job,
                             const char *folder) {
    autofree char *samples = format_string("%s/samples.tsv", folder);
    autofree char *profile = format_string("%s/profile.tsv", folder);
    autofree char *regions = format_string("%s/regions", simulation->checkpoint.folder);
    char *text, flush[FLUSH_TEXT];
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    add_value(out, paths_plugin());
    add_text(out, "system", simulation->system_file);
    add_text(out, "ram", simulation->checkpoint.ram);
    add_text(out, "samples", samples);
    fprintf(out, ",core=%u", job->core);
    if (has_content(regions)) /* a guest without a function tells nothing of its code */
        add_text(out, "regions", regions);
    if (job->profile) {
        add_text(out, "profile", profile);
        fprintf(out, ",profile_marks=%u", job->marks);
    }
    flush_print(job->flush, flush);
    if (*flush)
        add_text(out, "flush", flush);
    if (fclose(out) != 0)
        abort();
    return text;
}

struct mark_times {
    double first, reset, last; /* of machine_now(); 0: none yet */
};

static void note_mark(void *context, unsigned operation) {
    struct mark_times *times = context;
    double now = machine_now();
    if (!times->first)
        times->first = now;
    if (!times->reset || operation == M5_RESET_STATS)
        times->reset = now;
    if (operation != MARK_PROGRAM_ENDED)
        times->last = now;
}

int simulation_execute(struct simulation *simulation, const struct simulation_job *job,
                       const char *folder, struct sim_durations *durations, struct error *err) {
    const struct checkpoint *checkpoint = &simulation->checkpoint;
    const struct image *image = &simulation->image;
    unsigned cores = (unsigned)simulation->system.cores;
    autofree char *parameters = format_string("%s/parameters", folder);
    autofree char *console = format_string("%s/console.log", folder);
    autofree char *log = format_string("%s/qemu.log", folder);
    autofree char *plugin = plugin_argument(simulation, job, folder);
    if (checkpoint_write_parameters(parameters, job->parameters, err) < 0)
        return -1;
    const struct machine_options options = {
        .kernel = image->kernel,
        .initramfs = image->initramfs,
        .cores = cores,
        .memory_bytes = simulation->system.memory.size,
        .rootfs = image->rootfs,
        .nvdimms = job->nvdimms,
        .parameters = parameters,
        .console = console,
        .log = log,
        .plugin = job->timed ? plugin : NULL,
        .events = true,
    };
    struct guest *guest = &simulation->guest;
    struct mark_times marks = {0};
    double begun = machine_now();
    guest_free(guest);
    *guest = (struct guest){
        .subject = job->subject,
        .console = console,
        .files = folder,
        .timeout_seconds = job->timeout_seconds,
        .end_mark = job->end_mark,
        .marks = job->timed ? job->marks : 0,
        .progress = progress_begin("simulate", job->title, 1),
        .on_mark = note_mark,
        .context = &marks,
    };
    guest->machine = checkpoint_restore(checkpoint, &options, err);
    double restored = machine_now();
    int result = guest->machine ? guest_wait(guest, GUEST_DONE, err) : -1;
    *durations = (struct sim_durations){
        .restore = restored - begun,
        .first_mark = marks.first ? marks.first - begun : 0,
        .marked = marks.last - marks.reset,
        .simulate = machine_now() - restored,
    };
    machine_end(guest->machine);
    progress_end(guest->progress, result == 0);
    unlink(parameters);
    return result;
}

void simulation_note_durations(const struct sim_durations *durations, struct manifest *manifest) {
    manifest_set_seconds(manifest, "seconds.restore", durations->restore);
    manifest_set_seconds(manifest, "seconds.marked", durations->marked);
    manifest_set_seconds(manifest, "seconds.simulate", durations->simulate);
}

int simulation_take_replies(const struct simulation *simulation, unsigned invocations,
                            struct run_results *results, struct error *err) {
    const struct guest *guest = &simulation->guest;
    if (guest->reply_count != invocations)
        return error_set(err, "only %zu of %u invocations were answered", guest->reply_count,
                         invocations);
    results->replies = guest->replies;
    results->reply_count = guest->reply_count;
    return 0;
}

int simulation_need_room(const char *folder, double bytes, struct error *err) {
    int64_t room = folder_free_bytes(folder);
    if (room < 0 || (double)room >= bytes)
        return 0;
    return error_set(err,
                     "not enough room for the results: %s has %.1f MB free and %.1f MB are "
                     "needed: free some, or name another place with --out",
                     folder, (double)room / 1e6, bytes / 1e6);
}

/* What only our own engine has. */
static int describe_sim(const struct simulation *simulation, struct manifest *manifest,
                        struct error *err) {
    char digest[HASH_HEX];
    manifest_set_text(manifest, "versions.qemu", simulation->qemu_version);
    manifest_set_text(manifest, "digests.initramfs", simulation->image.initramfs_digest);
    manifest_set_text(manifest, "digests.checkpoint", simulation->checkpoint.checksum);
    if (hash_file(paths_plugin(), digest, err) < 0)
        return -1;
    manifest_set_text(manifest, "digests.plugin", digest);
    return 0;
}

/* What a record tells its callbacks. */
struct recorded {
    struct simulation *simulation;
    const struct simulation_run *run;
};

static int describe(void *context, struct manifest *manifest, struct error *err) {
    const struct recorded *recorded = context;
    const struct simulation *simulation = recorded->simulation;
    const struct image *image = &simulation->image;
    manifest_set_text(manifest, "versions.kernel", image->kernel_version);
    manifest_set_text(manifest, "digests.kernel", image->kernel_digest);
    manifest_set_text(manifest, "digests.rootfs", image->rootfs_digest);
    if (recorded->run->phases)
        manifest_set_texts(manifest, "phases", recorded->run->phases);
    recorded->run->describe(recorded->run->context, manifest);
    char digest[HASH_HEX];
    if (hash_file(simulation->system_file, digest, err) < 0)
        return -1;
    manifest_set_text(manifest, "digests.system", digest);
    bool ours = strcmp(recorded->run->engine, ENGINE_SIM) == 0;
    return ours ? describe_sim(simulation, manifest, err) : 0;
}

static int execute(void *context, const char *folder, struct manifest *manifest,
                   struct run_results *results, struct error *err) {
    const struct simulation_run *run = ((struct recorded *)context)->run;
    return run->execute(run->context, folder, manifest, results, err);
}

int simulation_record(struct simulation *simulation, const struct simulation_run *run, FILE *out,
                      enum results_format format, char **path, struct error *err) {
    struct recorded recorded = {simulation, run};
    autofree char *system = file_read(simulation->system_file, NULL, err);
    const struct record record = {
        .engine = run->engine,
        .name = run->name,
        .out = run->out,
        .command = run->command,
        .system = simulation->system.name,
        .system_text = system,
        .clock_hz = simulation->system.clock,
        .prepare_seconds = run->prepare_seconds,
        .core = run->core,
        .measured = run->measured,
        .phases = run->phases,
        .describe = describe,
        .execute = execute,
        .context = &recorded,
    };
    return system ? record_run(&record, out, format, path, err) : -1;
}
