/* slsuite verify RUN: the same run again, and whether it gives the same bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/progress.h"
#include "engine/exec.h"
#include "engine/sim.h"
#include "image/image.h"

static error_t parse(int key, char *argument, struct argp_state *state) {
    const char **run = state->input;
    if (key == 'q')
        progress_set_quiet(1);
    else if (key == ARGP_KEY_ARG && !*run)
        *run = argument;
    else if (key == ARGP_KEY_ARG || key == ARGP_KEY_NO_ARGS)
        return EINVAL;
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

struct digest_check {
    const struct manifest *now;
};

/* What the run was made from and is not the same any more explains a difference. */
static void compare_digest(void *context, const char *name, const char *then) {
    const struct digest_check *check = context;
    autofree char *key = format_string("digests.%s", name);
    const char *now = manifest_text(check->now, key);
    if (now && strcmp(now, then) != 0)
        printf("  not the same any more: %s\n", name);
}

static int repeat_program(const struct manifest *manifest, const char *system, const char *out,
                          struct error *err) {
    autofree char **arguments = manifest_texts(manifest, "arguments");
    const struct exec_options options = {
        .program = manifest_text(manifest, "program"),
        .arguments = arguments,
        .system = system,
        .core = (int)manifest_integer(manifest, "measured_core", -1),
        .out = out,
        .timeout_seconds = 300,
        .command = command_line,
    };
    return exec_run(&options, NULL, RESULTS_TABLE, NULL, err);
}

static int repeat(const struct manifest *manifest, const char *run, const char *out,
                  struct error *err) {
    autofree char *system = format_string("%s/system.yaml", run);
    const char *runtime = manifest_text(manifest, "runtime") ?: RUNTIME_DEFAULT;
    const char *kernel = manifest_text(manifest, "kernel") ?: KERNEL_DISTRIBUTION;
    const char *base_name = manifest_text(manifest, "base");
    struct distribution base = {0};
    enum start_kind start = START_WARM;
    if ((base_name && apt_parse_distribution(base_name, &base, err) < 0) ||
        start_parse(manifest_text(manifest, "start") ?: start_names[START_WARM], &start, err) < 0)
        return -1;
    const struct sim_options options = {
        .function = manifest_text(manifest, "function"),
        .system = system,
        .image = {.kernel = kernel, .runtime = runtime, .base = base},
        .invocations = (unsigned)manifest_integer(manifest, "invocations", 0),
        .warm_ups = start == START_COLD ? -1 : (int)manifest_integer(manifest, "warm_ups", -1),
        .start = start,
        .flush = manifest_text(manifest, "flush"),
        .input = manifest_text(manifest, "input"),
        .generator = manifest_text(manifest, "generator"),
        .out = out,
        .timeout_seconds = 300,
        .command = command_line,
    };
    const char *engine = manifest_text(manifest, "engine");
    if (manifest_text(manifest, "program"))
        return repeat_program(manifest, system, out, err);
    if (!options.function || !options.invocations || !engine || strcmp(engine, "sim") != 0)
        return error_set(err, "%s/run.json does not describe a whole run of the engine sim", run);
    return sim_run(&options, NULL, RESULTS_TABLE, NULL, err);
}

static int report(const struct manifest *manifest, const char *run, const char *again,
                  struct error *err) {
    autofree char *difference = NULL, *path = format_string("%s/run.json", again);
    if (results_compare(run, again, &difference, err) < 0)
        return -1;
    if (!difference) {
        puts("identical: stats.txt and invocations.csv, byte for byte");
        return 0;
    }
    printf("different: %s\n", difference);
    struct digest_check check = {manifest_read(path, err)};
    if (!check.now)
        return -1;
    manifest_each(manifest, "digests", compare_digest, &check);
    manifest_free((struct manifest *)check.now);
    return 1;
}

int command_verify(int argc, char **argv, struct error *err) {
    static const struct argp_option options[] = {{"quiet", 'q', NULL, 0, "no progress", 0}, {0}};
    static const struct argp argp = {
        options, parse,
        "RUN",   "Repeat a run from its manifest; exit 0 if it is identical, 1 if not.",
        NULL,    NULL,
        NULL};
    const char *run = NULL;
    if (command_parse(&argp, argc, argv, &run, err) < 0)
        return -1;
    autofree char *path = format_string("%s/run.json", run);
    struct manifest *manifest = manifest_read(path, err);
    if (!manifest)
        return -1;
    char folder[] = "/tmp/slsuite-verify-XXXXXX";
    autofree char *again = mkdtemp(folder) ? format_string("%s/run", folder) : NULL;
    int result =
        again ? repeat(manifest, run, again, err) : error_errno(err, "cannot create %s", folder);
    if (result == 0)
        result = report(manifest, run, again, err);
    folder_remove(folder, NULL);
    manifest_free(manifest);
    return result;
}
