#include "engine/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/hash.h"
#include "engine/sim.h"
#include "engine/suite_parts.h"
#include "image/function.h"
#include "image/runtime.h"
#include "results/mean.h"

/* A killed suite's runs die with it, but not in the same instant. */
#define LOCK_TRIES 50
#define LOCK_PAUSE_US 100000

char *suite_run_folder(const struct suite *suite, const struct suite_entry *entry) {
    return format_string("%s/%s", suite->folder, entry->function);
}

char *suite_log(const struct suite *suite, const struct suite_entry *entry) {
    return format_string("%s/.%s.log", suite->folder, entry->function);
}

/* ---- which functions ---- */

/* Mark each function that it matches. Returns whether there is any. */
static bool mark_matching(const json_t *names, const char *pattern, bool marked[]) {
    size_t index;
    json_t *name;
    bool found = false;
    json_array_foreach(names, index, name) {
        if (strcmp(pattern, "all") == 0 || fnmatch(pattern, json_string_value(name), 0) == 0)
            found = marked[index] = true;
    }
    return found;
}

/* Sorted, as their names are. */
static int select_functions(struct suite *suite, struct error *err) {
    autofree char *patterns = strdup(suite->options->functions);
    json_t *names = function_names(), *name;
    size_t most = json_array_size(names) + 1, index;
    autofree bool *marked = calloc(most, sizeof *marked);
    int result = 0;
    suite->entries = calloc(most, sizeof *suite->entries);
    if (!suite->entries || !patterns || !marked)
        abort();
    for (char *rest = patterns, *pattern; result == 0 && (pattern = strsep(&rest, ","));)
        if (!mark_matching(names, pattern, marked))
            result = error_usage(
                err, "--functions: no function matches '%s': slsuite function list shows them",
                pattern);
    json_array_foreach(names, index, name) {
        const char *text = json_string_value(name);
        if (marked[index])
            suite->entries[suite->count++] =
                (struct suite_entry){.function = strdup(text), .folder = strdup(text)};
    }
    json_decref(names);
    return result;
}

/* ---- the folder ---- */

/* The runs inherit the lock: it is free when the last of them is gone. */
static int lock_folder(struct suite *suite, struct error *err) {
    suite->lock = open(suite->folder, O_RDONLY | O_DIRECTORY);
    if (suite->lock < 0)
        return error_errno(err, "cannot open the suite's folder %s", suite->folder);
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(suite->lock, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK)
            return error_errno(err, "cannot lock %s", suite->folder);
        usleep(LOCK_PAUSE_US);
    }
    return error_set(err, "the suite's folder %s: another suite is writing it: name another",
                     suite->folder);
}

static int open_folder(struct suite *suite, struct error *err) {
    const struct suite_options *options = suite->options;
    suite->folder = options->out ? strdup(options->out)
                                 : results_default_path("suite", suite->simulation.system.name);
    if (!options->resume && rmdir(suite->folder) < 0 && errno == ENOTEMPTY)
        return error_set(err,
                         "making the suite's folder %s: it exists and is not empty: go on with it "
                         "by --resume, or name another",
                         suite->folder);
    return folder_make(suite->folder, err) == 0 ? lock_folder(suite, err) : -1;
}

/* ---- what is there already ---- */

/* A whole run of other options is nobody's to mix with these, nor to remove. */
static int check_same(const struct suite *suite, const char *folder,
                      const struct manifest *manifest, struct error *err) {
    const struct suite_options *options = suite->options;
    const char *system = manifest_text(manifest, "digests.system");
    const char *runtime = manifest_text(manifest, "runtime") ?: RUNTIME_DEFAULT;
    int64_t invocations = manifest_integer(manifest, "invocations", -1);
    const char *start = manifest_text(manifest, "start") ?: start_names[START_WARM];
    const char *flush = manifest_text(manifest, "flush") ?: "";
    char digest[HASH_HEX];
    if (hash_file(suite->simulation.system_file, digest, err) < 0)
        return -1;
    if (strcmp(start, start_names[options->start]) != 0 || strcmp(flush, suite->flush) != 0)
        return error_usage(err,
                           "%s is a run with --start %s%s%s: resume with the options that it had, "
                           "or name another folder",
                           folder, start, *flush ? " --flush " : "", flush);
    if (invocations == options->invocations && strcmp(runtime, options->runtime) == 0 && system &&
        strcmp(system, digest) == 0)
        return 0;
    return error_usage(err,
                       "%s is a run of %d invocations on %s with %s, not of %u on this %s with %s: "
                       "resume with the options that it had, or name another folder",
                       folder, (int)invocations, manifest_text(manifest, "system") ?: "nothing",
                       runtime, options->invocations, suite->simulation.system.name,
                       options->runtime);
}

static int take_whole(struct suite *suite, struct suite_entry *entry, struct error *err) {
    autofree char *folder = suite_run_folder(suite, entry);
    autofree char *path = format_string("%s/run.json", folder);
    autofree char *log = suite_log(suite, entry);
    unlink(log); /* what a killed suite left */
    if (!file_exists(path))
        return 0;
    struct manifest *manifest = manifest_read(path, err);
    int result = manifest ? check_same(suite, folder, manifest, err) : -1;
    if (result == 0 && !(entry->mean = mean_read(folder, err)))
        result = -1;
    manifest_free(manifest);
    return result;
}

/* Returns how many functions are yet to be run, or -1. */
static int take_all_whole(struct suite *suite, struct error *err) {
    int missing = 0;
    for (size_t i = 0; i < suite->count; i++) {
        if (take_whole(suite, &suite->entries[i], err) < 0)
            return -1;
        missing += !suite->entries[i].mean;
    }
    return missing;
}

/* ---- the end ---- */

static int verdict(const struct suite *suite, struct error *err) {
    autofree char *places = strdup("");
    size_t failed = 0;
    for (size_t i = 0; i < suite->count; i++) {
        if (suite->entries[i].mean)
            continue;
        char *longer = format_string("%s%s%s/%s", places, failed++ ? ", " : "", suite->folder,
                                     suite->entries[i].folder);
        free(places);
        places = longer;
    }
    if (!failed)
        return 0;
    return error_set(err,
                     "%zu of %zu functions failed: see output.log in %s, then go on with --resume",
                     failed, suite->count, places);
}

static int conclude(const struct suite *suite, FILE *out, enum results_format format, char **folder,
                    struct error *err) {
    const struct suite_results results = {
        .system = suite->simulation.system.name,
        .invocations = suite->options->invocations,
        .entries = suite->entries,
        .count = suite->count,
    };
    if (suite_results_write(suite->folder, &results, err) < 0 ||
        suite_results_print(out, &results, format, err) < 0)
        return -1;
    *folder = strdup(suite->folder);
    return verdict(suite, err);
}

static void suite_free(struct suite *suite) {
    if (suite->folder)
        rmdir(suite->folder); /* if nothing has come of it */
    if (suite->lock >= 0)
        close(suite->lock);
    for (size_t i = 0; i < suite->count; i++) {
        free(suite->entries[i].function);
        free(suite->entries[i].folder);
        free(suite->entries[i].error);
        json_decref(suite->entries[i].mean);
    }
    free(suite->entries);
    free(suite->folder);
    simulation_free(&suite->simulation);
}

/* What is the user's fault first, and what all runs need once, before they begin. */
static int prepare(struct suite *suite, struct error *err) {
    const struct image_choice image = {.kernel = KERNEL_DISTRIBUTION,
                                       .runtime = suite->options->runtime};
    unsigned flush;
    if (select_functions(suite, err) < 0 ||
        simulation_find_system(&suite->simulation, suite->options->system, err) < 0 ||
        start_flush(suite->options->start, suite->options->flush, &suite->simulation.system, &flush,
                    err) < 0 ||
        open_folder(suite, err) < 0)
        return -1;
    flush_print(flush, suite->flush);
    int missing = take_all_whole(suite, err);
    if (missing <= 0)
        return missing;
    double bytes = missing * sim_bytes(suite->options->invocations);
    return simulation_need_room(suite->folder, bytes, err) == 0
               ? simulation_prepare_image(&suite->simulation, &image, err)
               : -1;
}

int suite_run(const struct suite_options *options, FILE *out, enum results_format format,
              char **folder, struct error *err) {
    struct suite suite = {.options = options, .lock = -1};
    int result = prepare(&suite, err);
    if (result == 0) {
        suite_run_jobs(&suite);
        result = conclude(&suite, out, format, folder, err);
    }
    suite_free(&suite);
    return result;
}
