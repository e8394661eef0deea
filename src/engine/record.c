#include "engine/record.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"

static int describe(const struct record *record, struct manifest *manifest, struct error *err) {
    manifest_set_text(manifest, "system", record->system);
    manifest_set_text(manifest, "engine", record->engine);
    manifest_set_integer(manifest, "measured_core", record->core);
    manifest_set_integer(manifest, "clock_hz", (int64_t)record->clock_hz);
    manifest_set_texts(manifest, "command", (const char *const *)record->command);
    manifest_set_seconds(manifest, "seconds.prepare", record->prepare_seconds);
    return record->describe(record->context, manifest, err);
}

/* Execute, write the run folder's files, print. */
static int produce(const struct record *record, const char *folder, struct manifest *manifest,
                   FILE *out, enum results_format format, struct error *err) {
    autofree char *samples_file = format_string("%s/samples.tsv", folder);
    struct run_results results = {
        .manifest = manifest,
        .intervals = record->measured,
        .phases = record->phases,
        .noisy = record->noisy,
        .clock_hz = record->clock_hz,
        .measured_core = record->core,
        .system = record->system_text,
    };
    if (record->execute(record->context, folder, manifest, &results, err) < 0)
        return -1;
    struct samples *samples = samples_read(samples_file, err);
    if (!samples)
        return -1;
    results.samples = samples;
    int result = results_write_all(folder, &results, err);
    if (result == 0 && out)
        result = results_print(out, &results, format, err);
    samples_free(samples);
    return result;
}

static void keep_failed(struct run_folder *folder, struct manifest *manifest, struct error *err) {
    results_write_failure(results_folder_path(folder), manifest, err, NULL);
    if (results_finish(folder, false, NULL) == 0)
        error_hint(err, "see %s", results_folder_path(folder));
}

int record_run(const struct record *record, FILE *out, enum results_format format, char **path,
               struct error *err) {
    struct manifest *manifest = manifest_new();
    struct run_folder *folder = results_create(record->out, record->name, record->system, err);
    int result = folder && describe(record, manifest, err) == 0 ? 0 : -1;
    if (result == 0 && record->produce)
        result = record->produce(record->context, results_folder_path(folder), manifest, out,
                                 format, err);
    else if (result == 0)
        result = produce(record, results_folder_path(folder), manifest, out, format, err);
    if (result == 0)
        result = results_finish(folder, true, err);
    else if (folder)
        keep_failed(folder, manifest, err);
    if (result == 0 && path)
        *path = strdup(results_folder_path(folder));
    results_folder_free(folder);
    manifest_free(manifest);
    return result;
}
