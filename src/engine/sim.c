#include "engine/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/mark.h"
#include "engine/code_report.h"
#include "engine/machine.h"
#include "image/function.h"
#include "image/runtime.h"
#include "model/flush.h"

/* An invocation takes 17 kB of files with the system `simple`, and a region of its code 1 kB of it
 * more; a profile some 2 MB. */
#define BYTES_PER_RUN 4e6
#define BYTES_PER_INVOCATION 60e3

/* Docker and Podman check and unpack the image in the guest: three minutes for 280 MB. */
#define ENGINE_PATIENCE 3

struct sim {
    const struct sim_options *options;
    struct simulation simulation;
    struct function function;
    unsigned warm_ups;
    unsigned flush;        /* at each invocation's begin */
    struct code_map *code; /* the profile's names; NULL: not profiled */
    struct profile *profile;
};

/* 'TEXT' for a shell. The caller frees it. */
static char *quote(const char *text) {
    char *quoted = malloc(4 * strlen(text) + 3), *to = quoted;
    if (!quoted)
        abort();
    *to++ = '\'';
    for (; *text; text++)
        if (*text == '\'')
            to = stpcpy(to, "'\\''");
        else
            *to++ = *text;
    strcpy(to, "'");
    return quoted;
}

/* What the function's description tells the client. The caller frees it. */
static char *client_arguments(const struct function *function) {
    char *arguments = strdup("");
    size_t index;
    json_t *argument;
    json_array_foreach(json_object_get(function->yaml, "client"), index, argument) {
        autofree char *quoted = quote(json_string_value(argument));
        char *longer = format_string("%s%s ", arguments, quoted);
        free(arguments);
        arguments = longer;
    }
    return arguments;
}

#define PARAMETERS "/sys/firmware/qemu_fw_cfg/by_name/opt/slsuite/parameters/raw"

/* The run script of a cold start: the checkpoint is before the container, and the client, which is
 * up by then, has it created. */
static char *cold_script(const struct function *function) {
    autofree char *arguments = client_arguments(function);
    return format_string("set -e\n"
                         "slsuite-function services %s\n"
                         "slsuite-code kernel >/dev/null\n"
                         "client -addr localhost:50051 %s-cold %s -settle " SIM_SETTLE_US
                         " -channel -checkpoint -parameters " PARAMETERS " ||\n"
                         "    status=$?\n"
                         "slsuite-function check %s\n"
                         "exit ${status:-0}\n",
                         function->name, arguments, function->name, function->name);
}

char *sim_run_script(const struct function *function, unsigned warm_ups, const char *runtime,
                     bool code_report) {
    autofree char *arguments = client_arguments(function);
    return format_string("set -e\n"
                         "slsuite-function start %s %s\n"
                         "%s"
                         "slsuite-channel stage warm-up\n"
                         "client -addr localhost:50051 %s-wait 10 -warm %u -settle " SIM_SETTLE_US
                         " -m5ops -channel -checkpoint \\\n"
                         "    %s-parameters " PARAMETERS " ||\n"
                         "    status=$?\n"
                         "slsuite-function check %s\n"
                         "exit ${status:-0}\n",
                         function->name, runtime,
                         code_report ? "slsuite-code kernel >/dev/null\n" : "", arguments, warm_ups,
                         code_report ? "-then 'slsuite-code function >/dev/null' \\\n    " : "",
                         function->name);
}

unsigned sim_warm_ups(const struct sim_options *options, const struct function *function) {
    const char *text = json_string_value(json_object_get(function->yaml, "warm-ups"));
    return options->warm_ups >= 0 ? (unsigned)options->warm_ups : (unsigned)atoi(text);
}

struct nvdimms sim_nvdimms(const struct function *function) {
    return (struct nvdimms){
        .content = function->image,
        .base = function->language.base_image,
        .services = function->services.base_image,
        .archive = function->archive,
    };
}

static int check_cold(const struct sim_options *options, struct error *err) {
    if (options->invocations != 1)
        return error_usage(err, "--start cold: -n 1: the simulation is deterministic: more cold "
                                "starts would all be the same");
    if (options->warm_ups >= 0)
        return error_usage(err, "--start cold: without -w: what is warmed up is not cold");
    if (options->profile)
        return error_usage(err,
                           "--start cold: without --profile: where the function's code lies is "
                           "only known when it has started");
    if (runtime_is_engine(options->image.runtime))
        return error_usage(err,
                           "--start cold: --runtime crun only: %s does a part of the start on the "
                           "core that is not measured",
                           options->image.runtime);
    return 0;
}

static int prepare(struct sim *sim, struct error *err) {
    const struct sim_options *options = sim->options;
    struct simulation *simulation = &sim->simulation;
    bool cold = options->start == START_COLD;
    if ((cold && check_cold(options, err) < 0) ||
        simulation_find_system(simulation, options->system, err) < 0 ||
        function_find(options->function, &sim->function, err) < 0)
        return -1;
    if (start_flush(options->start, options->flush, &simulation->system, &sim->flush, err) < 0)
        return -1;
    function_free(&sim->function);
    if (simulation_prepare_image(simulation, &options->image, err) < 0 ||
        function_prepare(options->function, &sim->function, err) < 0 ||
        (runtime_is_engine(options->image.runtime) &&
         function_prepare_archive(&sim->function, err) < 0))
        return -1;
    sim->warm_ups = cold ? 0 : sim_warm_ups(options, &sim->function);
    autofree char *script =
        cold ? cold_script(&sim->function)
             : sim_run_script(&sim->function, sim->warm_ups, options->image.runtime, true);
    const struct checkpoint_inputs inputs = {
        .image = &simulation->image,
        .name = sim->function.name,
        .script = script,
        .nvdimms = sim_nvdimms(&sim->function),
        .digest = sim->function.digest,
        .cores = (unsigned)simulation->system.cores,
        .warm_ups = sim->warm_ups,
        .memory_bytes = simulation->system.memory.size,
        .qemu_version = simulation->qemu_version,
        .timeout_seconds = options->timeout_seconds *
                           (runtime_is_engine(options->image.runtime) ? ENGINE_PATIENCE : 1),
    };
    return checkpoint_prepare(&inputs, &simulation->checkpoint, err);
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
    simulation_free(&sim->simulation);
    function_free(&sim->function);
    profile_free(sim->profile);
    code_map_free(sim->code);
    free(sim);
}

char *sim_parameters(const struct sim_options *options, struct error *err) {
    const char *input = options->input, *generator = options->generator;
    if (!input || !strpbrk(input, "\n"))
        return format_string("n=%u\n%s%s%s%s%s%s", options->invocations, input ? "input=" : "",
                             input ? input : "", input ? "\n" : "", generator ? "generator=" : "",
                             generator ? generator : "", generator ? "\n" : "");
    error_usage(err, "--input holds a line break: give it in one line");
    return NULL;
}

int sim_execute(struct sim *sim, const char *folder, bool timed, struct sim_durations *durations,
                struct error *err) {
    autofree char *title =
        sim->options->start == START_COLD
            ? format_string("simulate the cold start of %s", sim->function.name)
            : format_string("simulate %u invocations", sim->options->invocations);
    autofree char *parameters = sim_parameters(sim->options, err);
    const struct simulation_job job = {
        .title = title,
        .nvdimms = sim_nvdimms(&sim->function),
        .parameters = parameters,
        .end_mark = M5_WORK_END,
        .marks = sim->options->invocations, /* of a cold start's phases, the last one ends */
        .timed = timed,
        .profile = sim->options->profile,
        .flush = sim->flush,
        .core = CHECKPOINT_FUNCTION_CORE,
        .timeout_seconds = sim->options->timeout_seconds,
    };
    return parameters ? simulation_execute(&sim->simulation, &job, folder, durations, err) : -1;
}

void sim_describe_request(const struct sim_options *options, const struct function *function,
                          unsigned warm_ups, struct manifest *manifest) {
    manifest_set_text(manifest, "function", function->name);
    manifest_set_text(manifest, "start", start_names[options->start]);
    manifest_set_integer(manifest, "invocations", options->invocations);
    manifest_set_integer(manifest, "warm_ups", warm_ups);
    if (options->input)
        manifest_set_text(manifest, "input", options->input);
    if (options->generator)
        manifest_set_text(manifest, "generator", options->generator);
    manifest_set_text(manifest, "digests.function", function->digest);
    manifest_set_text(manifest, "digests.function_image", function->image_digest);
}

void sim_describe(const struct sim_options *options, const struct function *function,
                  unsigned warm_ups, struct manifest *manifest) {
    const struct distribution *base = &options->image.base;
    autofree char *base_name = format_string("%s:%s", base->id, base->codename);
    manifest_set_text(manifest, "runtime", options->image.runtime);
    manifest_set_text(manifest, "kernel", options->image.kernel);
    if (*base->id)
        manifest_set_text(manifest, "base", base_name);
    sim_describe_request(options, function, warm_ups, manifest);
}

static void describe(void *context, struct manifest *manifest) {
    const struct sim *sim = context;
    char flush[FLUSH_TEXT];
    sim_describe(sim->options, &sim->function, sim->warm_ups, manifest);
    flush_print(sim->flush, flush);
    if (*flush)
        manifest_set_text(manifest, "flush", flush);
}

static int take_profile(struct sim *sim, const char *folder, struct run_results *results,
                        struct error *err) {
    autofree char *path = format_string("%s/profile.tsv", folder);
    sim->code = code_report_map(sim->simulation.checkpoint.folder, &sim->function, err);
    sim->profile = sim->code ? profile_read(path, sim->code, err) : NULL;
    results->profile = sim->profile;
    return sim->profile ? 0 : -1;
}

double sim_bytes(unsigned invocations) {
    return BYTES_PER_RUN + BYTES_PER_INVOCATION * invocations;
}

static int execute(void *context, const char *folder, struct manifest *manifest,
                   struct run_results *results, struct error *err) {
    struct sim *sim = context;
    unsigned invocations = sim->options->invocations;
    struct sim_durations durations;
    if (simulation_need_room(folder, sim_bytes(invocations), err) < 0 ||
        sim_execute(sim, folder, true, &durations, err) < 0)
        return -1;
    simulation_note_durations(&durations, manifest);
    if (simulation_take_replies(&sim->simulation, invocations, results, err) < 0)
        return -1;
    return sim->options->profile ? take_profile(sim, folder, results, err) : 0;
}

int sim_run(const struct sim_options *options, FILE *out, enum results_format format, char **folder,
            struct error *err) {
    double begun = machine_now();
    struct sim *sim = sim_open(options, err);
    if (!sim)
        return -1;
    bool cold = options->start == START_COLD;
    const struct simulation_run run = {
        .engine = ENGINE_SIM,
        .name = sim->function.name,
        .out = options->out,
        .command = options->command,
        .prepare_seconds = machine_now() - begun,
        .core = CHECKPOINT_FUNCTION_CORE,
        .measured = cold ? RESULTS_PHASES : RESULTS_INVOCATIONS,
        .phases = cold ? start_phases : NULL,
        .describe = describe,
        .execute = execute,
        .context = sim,
    };
    int result = simulation_record(&sim->simulation, &run, out, format, folder, err);
    sim_close(sim);
    return result;
}
