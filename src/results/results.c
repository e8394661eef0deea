#include "results/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "results/regions.h"
#include "results/writers.h"

int results_format_parse(const char *name, enum results_format *format, struct error *err) {
    static const char *const names[] = {
        [RESULTS_TABLE] = "table", [RESULTS_JSON] = "json", [RESULTS_CSV] = "csv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) {
            *format = i;
            return 0;
        }
    return error_usage(err, "no such format: %s: use table, json or csv", name);
}

int results_print(FILE *out, const struct run_results *run, enum results_format format,
                  struct error *err) {
    static void (*const writers[])(const struct invocations *, FILE *) = {
        [RESULTS_TABLE] = write_table, [RESULTS_JSON] = write_json, [RESULTS_CSV] = write_csv};
    struct invocations *invocations = invocations_new(run, err);
    if (!invocations)
        return -1;
    writers[format](invocations, out);
    invocations_free(invocations);
    if (fflush(out) != 0 || ferror(out))
        return error_errno(err, "printing the results");
    return 0;
}

static int write_file(const char *folder, const char *name,
                      void (*writer)(const struct invocations *, FILE *),
                      const struct invocations *invocations, struct error *err) {
    struct file_printed file;
    file_print_begin(&file, folder, name);
    writer(invocations, file.out);
    return file_print_end(&file, err);
}

static void write_system(const struct invocations *invocations, FILE *out) {
    fputs(invocations->run->system, out);
}

/* How far the sums of profile and invocations may be apart. They are of the same events, but an
 * instruction that a mark interrupts may count on either side. */
#define PROFILE_TOLERANCE 0.01

static int check_profile(const struct invocations *invocations, struct error *err) {
    const struct profile *profile = invocations->run->profile;
    if (!profile)
        return 0;
    double measured = invocations->mean[CYCLES][MODE_TOTAL] * (double)invocations->sharers;
    double profiled = (double)profile->totals[PROFILE_CYCLES];
    if (fabs(profiled - measured) <= PROFILE_TOLERANCE * measured)
        return 0;
    return error_set(err,
                     "taking the measurements: the profile has %.0f cycles of the %.0f that were "
                     "measured: it is not whole: run it again",
                     profiled, measured);
}

static int write_profile(const char *folder, const struct invocations *invocations,
                         struct error *err) {
    if (!invocations->run->profile)
        return 0;
    return -(write_file(folder, "profile.txt", write_profile_text, invocations, err) ||
             write_file(folder, "profile.folded", write_folded, invocations, err) ||
             write_file(folder, "callgrind.out.profile", write_callgrind, invocations, err));
}

int results_write_all(const char *folder, const struct run_results *run, struct error *err) {
    struct invocations *invocations = invocations_new(run, err);
    if (!invocations || check_profile(invocations, err) < 0) {
        invocations_free(invocations);
        return -1;
    }
    autofree char *manifest = format_string("%s/run.json", folder);
    manifest_set_text(run->manifest, "status", "complete");
    int result =
        -(write_file(folder, "stats.txt", write_stats, invocations, err) ||
          write_file(folder, "invocations.csv", write_csv, invocations, err) ||
          write_file(folder, "invocations.json", write_json, invocations, err) ||
          write_file(folder, "report.html", write_report, invocations, err) ||
          (invocations->regions->count &&
           write_file(folder, "regions.csv", write_regions_csv, invocations, err)) ||
          write_profile(folder, invocations, err) ||
          (run->system && write_file(folder, "system.yaml", write_system, invocations, err)) ||
          manifest_write(run->manifest, manifest, err));
    invocations_free(invocations);
    return result;
}

int results_write_failure(const char *folder, struct manifest *manifest, const struct error *why,
                          struct error *err) {
    autofree char *path = format_string("%s/run.json", folder);
    manifest_set_text(manifest, "status", "failed");
    manifest_set_text(manifest, "error", why->text);
    return manifest_write(manifest, path, err);
}
