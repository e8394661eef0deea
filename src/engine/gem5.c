#include "engine/gem5.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/mark.h"
#include "common/paths.h"
#include "engine/gem5_checkpoint.h"
#include "engine/gem5_job.h"
#include "engine/gem5_process.h"
#include "engine/gem5_stats.h"
#include "engine/machine.h"

struct run {
    const struct sim_options *options;
    struct simulation simulation;
    struct function function;
    struct gem5 gem5;
    struct gem5_checkpoint checkpoint;
    unsigned warm_ups;
    uint64_t *ids; /* of the invocations, in the order in which they ended */
    double first_begin, last_end;
};

static int refuse_impossible(const struct sim_options *options, struct error *err) {
    if (options->start != START_WARM)
        return error_usage(err, "--start %s: gem5 starts warm only: use --engine sim or native",
                           start_names[options->start]);
    if (options->flush)
        return error_usage(err, "--flush: only with --start lukewarm");
    if (options->profile)
        return error_usage(err, "--profile: gem5 has no profile by symbol: use --engine sim");
    if (runtime_is_engine(options->image.runtime))
        return error_usage(err, "--runtime %s: with gem5 there is crun only",
                           options->image.runtime);
    return 0;
}

/* Before the boot, which takes long. */
static int check_machine(const struct run *run, struct error *err) {
    json_t *job = gem5_job(&run->simulation.system, &run->simulation.image, &run->function, "", "");
    int result = gem5_check(&run->gem5, job, err);
    json_decref(job);
    return result;
}

static int prepare(struct run *run, struct error *err) {
    const struct sim_options *options = run->options;
    struct simulation *simulation = &run->simulation;
    struct image_choice choice = options->image;
    choice.kernel = KERNEL_CUSTOM;
    if (refuse_impossible(options, err) < 0 ||
        simulation_find_system(simulation, options->system, err) < 0 ||
        function_find(options->function, &run->function, err) < 0)
        return -1;
    function_free(&run->function);
    if (gem5_find(options->gem5, &run->gem5, err) < 0 ||
        image_prepare(&simulation->image, &choice, err) < 0 ||
        function_prepare(options->function, &run->function, err) < 0 || check_machine(run, err) < 0)
        return -1;
    run->warm_ups = sim_warm_ups(options, &run->function);
    autofree char *script =
        sim_run_script(&run->function, run->warm_ups, options->image.runtime, false);
    const struct gem5_checkpoint_inputs inputs = {
        .gem5 = &run->gem5,
        .image = &simulation->image,
        .function = &run->function,
        .system = &simulation->system,
        .script = script,
        .timeout_seconds = options->timeout_seconds,
    };
    return gem5_checkpoint_prepare(&inputs, &run->checkpoint, err);
}

static void note_mark(void *context, unsigned operation, uint64_t id) {
    struct run *run = context;
    unsigned ended = run->simulation.guest.marks_seen;
    if (operation == M5_WORK_BEGIN && !run->first_begin)
        run->first_begin = machine_now();
    if (operation != M5_WORK_END || ended > run->options->invocations)
        return;
    run->ids[ended - 1] = id;
    run->last_end = machine_now();
}

static int simulate(struct run *run, const char *folder, struct sim_durations *durations,
                    struct error *err) {
    const struct sim_options *options = run->options;
    struct guest *guest = &run->simulation.guest;
    autofree char *outdir = format_string("%s/m5out", folder);
    autofree char *log = format_string("%s/gem5.log", folder);
    autofree char *console = format_string("%s/" GEM5_CONSOLE, outdir);
    autofree char *readfile = format_string("%s/parameters", outdir);
    autofree char *channel = format_string("%s/" GEM5_CHANNEL, outdir);
    autofree char *parameters = sim_parameters(options, err);
    if (!parameters || folder_make(outdir, err) < 0 ||
        file_write(readfile, parameters, strlen(parameters), err) < 0 ||
        file_copy(run->checkpoint.channel, channel, err) < 0)
        return -1;
    json_t *job = gem5_job(&run->simulation.system, &run->simulation.image, &run->function,
                           readfile, run->checkpoint.state);
    json_object_set_new(job, "restore", json_true());
    guest_free(guest);
    *guest = (struct guest){
        .console = console,
        .timeout_seconds = options->timeout_seconds,
        .marks = options->invocations,
    };
    autofree char *title = format_string("gem5: simulate %u invocations on %s",
                                         options->invocations, run->simulation.system.name);
    guest->progress = progress_begin("gem5-simulate", title, 60);
    struct gem5_process process = {
        .gem5 = &run->gem5,
        .folder = outdir,
        .writable = outdir,
        .log = log,
        .job = job,
        .heard = (size_t)file_size(channel),
        .guest = guest,
        .on_mark = note_mark,
        .context = run,
    };
    double begun = machine_now();
    run->ids = calloc(options->invocations, sizeof *run->ids);
    if (!run->ids)
        abort();
    int result = gem5_process_run(&process, GUEST_DONE, err);
    double ended = machine_now();
    *durations = (struct sim_durations){
        .restore = run->first_begin ? run->first_begin - begun : ended - begun,
        .marked = run->last_end - run->first_begin,
        .simulate = ended - begun,
    };
    progress_end(guest->progress, result == 0);
    json_decref(job);
    return result;
}

static int keep_console(const struct run *run, const char *folder, struct error *err) {
    autofree char *boot = file_read(run->checkpoint.console, NULL, err);
    autofree char *here = format_string("%s/m5out/" GEM5_CONSOLE, folder);
    autofree char *rest = file_read(here, NULL, NULL);
    autofree char *text = boot ? format_string("%s%s", boot, rest ? rest : "") : NULL;
    autofree char *path = format_string("%s/console.log", folder);
    return text ? file_write(path, text, strlen(text), err) : -1;
}

static void describe(void *context, struct manifest *manifest) {
    const struct run *run = context;
    sim_describe(run->options, &run->function, run->warm_ups, manifest);
    manifest_set_text(manifest, "kernel", KERNEL_CUSTOM);
    manifest_set_text(manifest, "versions.gem5", run->gem5.version);
    manifest_set_text(manifest, "digests.checkpoint", run->checkpoint.key);
}

static int execute(void *context, const char *folder, struct manifest *manifest,
                   struct run_results *results, struct error *err) {
    struct run *run = context;
    unsigned invocations = run->options->invocations;
    autofree char *stats = format_string("%s/m5out/stats.txt", folder);
    autofree char *samples = format_string("%s/samples.tsv", folder);
    struct sim_durations durations;
    if (simulation_need_room(folder, sim_bytes(invocations) + GEM5_STATS_BYTES * invocations, err) <
        0)
        return -1;
    int result = simulate(run, folder, &durations, err);
    if (keep_console(run, folder, result == 0 ? err : NULL) < 0 || result < 0 ||
        gem5_stats_take(stats, samples, run->ids, invocations,
                        (unsigned)run->simulation.system.cores, run->simulation.system.clock,
                        err) < 0)
        return -1;
    simulation_note_durations(&durations, manifest);
    return simulation_take_replies(&run->simulation, invocations, results, err);
}

int gem5_run(const struct sim_options *options, FILE *out, enum results_format format,
             char **folder, struct error *err) {
    struct run run = {.options = options};
    double begun = machine_now();
    int result = prepare(&run, err);
    if (result == 0) {
        const struct simulation_run record = {
            .engine = ENGINE_GEM5,
            .name = run.function.name,
            .out = options->out,
            .command = options->command,
            .prepare_seconds = machine_now() - begun,
            .core = CHECKPOINT_FUNCTION_CORE,
            .measured = RESULTS_INVOCATIONS,
            .describe = describe,
            .execute = execute,
            .context = &run,
        };
        result = simulation_record(&run.simulation, &record, out, format, folder, err);
    }
    free(run.ids);
    gem5_checkpoint_free(&run.checkpoint);
    simulation_free(&run.simulation);
    function_free(&run.function);
    gem5_free(&run.gem5);
    return result;
}
