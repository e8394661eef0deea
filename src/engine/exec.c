#include "engine/exec.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/mark.h"
#include "engine/machine.h"
#include "engine/parcel.h"
#include "engine/program.h"
#include "engine/simulation.h"

/* The checkpoint is the same for all programs: a machine in which nothing runs. */
#define SCRIPT "exec slsuite-launch\n"

/* Beside the parcel, a region takes 17 kB of files with the system `simple`. */
#define BYTES_PER_RUN 4e6

struct exec {
    const struct exec_options *options;
    struct program program;
    struct simulation simulation;
    unsigned core;
    FILE *standard, *error; /* where the program's output goes; NULL: nowhere */
};

static int choose_core(struct exec *exec, struct error *err) {
    unsigned cores = (unsigned)exec->simulation.system.cores;
    int core = exec->options->core;
    exec->core = core < 0 ? CHECKPOINT_FUNCTION_CORE : (unsigned)core;
    if (exec->core < cores)
        return 0;
    return error_usage(err, "--core %d: the system %s has the cores 0 to %u", core,
                       exec->simulation.system.name, cores - 1);
}

static int prepare(struct exec *exec, struct error *err) {
    const struct exec_options *options = exec->options;
    struct simulation *simulation = &exec->simulation;
    const struct image_choice image = IMAGE_DEFAULT;
    if (simulation_find_system(simulation, options->system, err) < 0 ||
        choose_core(exec, err) < 0 || program_find(options->program, &exec->program, err) < 0 ||
        simulation_prepare_image(simulation, &image, err) < 0)
        return -1;
    const struct checkpoint_inputs inputs = {
        .image = &simulation->image,
        .name = "exec",
        .script = SCRIPT,
        .parcel = true,
        .digest = "an empty parcel",
        .cores = (unsigned)simulation->system.cores,
        .tickless = true,
        .memory_bytes = simulation->system.memory.size,
        .qemu_version = simulation->qemu_version,
        .timeout_seconds = options->timeout_seconds,
    };
    return checkpoint_prepare(&inputs, &simulation->checkpoint, err);
}

static void describe(void *context, struct manifest *manifest) {
    const struct exec *exec = context;
    manifest_set_text(manifest, "program", exec->program.path);
    manifest_set_texts(manifest, "arguments", (const char *const *)exec->options->arguments);
    manifest_set_text(manifest, "digests.program", exec->program.digest);
}

/* What the program wrote, if it wrote anything. */
static void show(const char *folder, const char *name, FILE *to) {
    autofree char *path = format_string("%s/guest-%s", folder, name);
    size_t size;
    autofree char *text = to && file_exists(path) ? file_read(path, &size, NULL) : NULL;
    if (text) {
        fwrite(text, 1, size, to);
        fflush(to);
    }
}

/* The last line that the program wrote to standard error, else to standard output; "" if none. The
 * caller frees it. */
static char *last_line(const char *folder) {
    static const char *const names[] = {"stderr", "stdout"};
    for (int i = 0; i < 2; i++) {
        autofree char *path = format_string("%s/guest-%s", folder, names[i]);
        autofree char *text = file_exists(path) ? file_read(path, NULL, NULL) : NULL;
        char *place = text, *last = NULL;
        for (char *line; (line = strsep(&place, "\r\n"));)
            last = *line ? line : last;
        if (last)
            return format_string(": %.200s", last);
    }
    return strdup("");
}

/* Whether the program came to a good end, in words if it did not. */
static int judge_end(const struct exec *exec, const char *folder, struct error *err) {
    const char *path = exec->options->program, *interpreter = exec->program.interpreter;
    const struct program_end *end = &exec->simulation.guest.program;
    autofree char *last = last_line(folder);
    switch (end->how) {
    case PROGRAM_EXITED:
        if (end->number == 0)
            return 0;
        error_set(err, "%s failed with exit status %d%s", path, end->number, last);
        break;
    case PROGRAM_KILLED:
        error_set(err, "%s was ended by signal %d (%s)%s", path, end->number,
                  strsignal(end->number), last);
        break;
    case PROGRAM_UNSTARTABLE:
        error_set(err, "cannot run %s: %s", path, end->text);
        break;
    case PROGRAM_UNKNOWN:
        return error_set(err, "%s: the guest did not say how it ended", path);
    }
    /* Only the guest's own loader knows which library is missing; it says so in its last line. */
    return interpreter
               ? error_hint(err,
                            "it is dynamic, and the guest may lack %s or a library: link it "
                            "with -static",
                            interpreter)
               : -1;
}

static int execute(void *context, const char *folder, struct manifest *manifest,
                   struct run_results *results, struct error *err) {
    (void)results;
    struct exec *exec = context;
    autofree char *parcel = format_string("%s/parcel", folder);
    autofree char *title = format_string("simulate %s", exec->program.name);
    const struct simulation_job job = {
        .title = title,
        .subject = exec->options->program,
        .nvdimms = {.parcel = parcel},
        .parameters = "",
        .end_mark = MARK_PROGRAM_ENDED,
        .marks = 1,
        .timed = true,
        .core = exec->core,
        .timeout_seconds = exec->options->timeout_seconds,
    };
    struct sim_durations durations;
    int result = simulation_need_room(folder, BYTES_PER_RUN + (double)exec->program.bytes, err);
    if (result == 0)
        result = parcel_write(parcel, &exec->program, exec->options->arguments, exec->core, err);
    if (result == 0)
        result = simulation_execute(&exec->simulation, &job, folder, &durations, err);
    unlink(parcel);
    if (result < 0)
        return -1;
    simulation_note_durations(&durations, manifest);
    show(folder, "stdout", exec->standard);
    show(folder, "stderr", exec->error);
    return judge_end(exec, folder, err);
}

int exec_run(const struct exec_options *options, FILE *out, enum results_format format,
             char **folder, struct error *err) {
    double begun = machine_now();
    struct exec exec = {
        .options = options,
        .standard = out && format == RESULTS_TABLE ? stdout : stderr,
        .error = stderr,
    };
    if (!out)
        exec.standard = exec.error = NULL;
    int result = prepare(&exec, err);
    if (result == 0) {
        const struct simulation_run run = {
            .engine = ENGINE_SIM,
            .name = exec.program.name,
            .out = options->out,
            .command = options->command,
            .prepare_seconds = machine_now() - begun,
            .core = exec.core,
            .measured = RESULTS_REGIONS,
            .describe = describe,
            .execute = execute,
            .context = &exec,
        };
        result = simulation_record(&exec.simulation, &run, out, format, folder, err);
    }
    simulation_free(&exec.simulation);
    program_free(&exec.program);
    return result;
}
