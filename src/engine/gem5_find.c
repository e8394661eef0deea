/* Which gem5 there is, and what it can do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/process.h"
#include "engine/gem5.h"

#define OLDEST 24 /* whose standard library recipes/gem5 is written for */
#define ASK_SECONDS 120
#define WHERE "how to get one: https://www.gem5.org/documentation/general_docs/building"

static const char *const names[] = {"gem5.opt", "gem5.fast", "gem5"};

static char *choose(const char *path, struct error *err) {
    const char *named = path ? path : getenv("GEM5");
    if (named && *named) {
        if (access(named, X_OK) == 0 && (strchr(named, '/') || process_exists(named)))
            return strdup(named);
        error_set(err, "%s: there is no program %s: name a gem5.opt or gem5.fast; " WHERE,
                  path ? "--gem5" : "$GEM5", named);
        return NULL;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (process_exists(names[i]))
            return strdup(names[i]);
    error_set(err, "there is no gem5: name it with --gem5 PATH or $GEM5; " WHERE);
    return NULL;
}

/* What about.py says is lacking. The caller frees it. */
static char *list_lacking(const char *said) {
    static const char begin[] = "slsuite: lacks ";
    char *list = strdup("");
    while ((said = strstr(said, begin))) {
        said += strlen(begin);
        char *longer =
            format_string("%s%s%.*s", list, *list ? ", " : "", (int)strcspn(said, "\r\n"), said);
        free(list);
        list = longer;
    }
    return list;
}

/* What a script of recipes/gem5, with this job (NULL: none), prints. NULL on failure; the caller
 * frees it. */
static char *run_script(const struct gem5 *gem5, const char *name, const json_t *job,
                        struct error *err) {
    char folder[] = "/tmp/slsuite-gem5-XXXXXX";
    if (!mkdtemp(folder)) {
        error_errno(err, "cannot create %s", folder);
        return NULL;
    }
    autofree char *outdir = format_string("--outdir=%s", folder);
    autofree char *script = format_string("%s/gem5/%s", paths_recipes(), name);
    autofree char *job_file = format_string("%s/job.json", folder);
    const char *const arguments[] = {
        gem5->program,         "--quiet", outdir, "--listener-mode=off", script,
        job ? job_file : NULL, NULL};
    const char *const writable[] = {folder, NULL};
    const struct process_options options = {.timeout_seconds = ASK_SECONDS, .writable = writable};
    char *said = job && json_dump_file(job, job_file, 0) < 0
                     ? (error_set(err, "cannot write %s", job_file), NULL)
                     : process_output(arguments, &options, err);
    folder_remove(folder, NULL);
    return said;
}

static int ask(struct gem5 *gem5, struct error *err) {
    struct error why = {0};
    autofree char *said = run_script(gem5, "about.py", NULL, &why);
    const char *answer = said ? strstr(said, "slsuite: gem5 ") : NULL;
    char version[64], isa[16], kvm[16];
    if (!answer || sscanf(answer, "slsuite: gem5 %63s %15s %15s", version, isa, kvm) != 3)
        return error_set(err, "%s is not a gem5 of v%d or later%s%s", gem5->program, OLDEST,
                         why.status ? ": " : "", why.text);
    if (atoi(version) < OLDEST)
        return error_set(err, "%s is gem5 %s: v%d.0 or later is needed; " WHERE, gem5->program,
                         version, OLDEST);
    if (strcmp(isa, "x86") != 0)
        return error_set(err,
                         "%s was built without x86: build it with USE_X86_ISA (build/X86 or "
                         "build/ALL)",
                         gem5->program);
    gem5->version = strdup(version);
    gem5->kvm = strcmp(kvm, "kvm") == 0;
    gem5->lacks = list_lacking(said);
    return 0;
}

int gem5_check(const struct gem5 *gem5, json_t *job, struct error *err) {
    static const char no[] = "slsuite: unsupported ";
    struct error why = {0};
    json_object_set_new(job, "restore", json_true());
    json_object_set_new(job, "check", json_true());
    autofree char *said = run_script(gem5, "run.py", job, &why);
    const char *refusal = said ? strstr(said, no) : NULL;
    if (refusal)
        return error_usage(err, "%.*s", (int)strcspn(refusal + strlen(no), "\r\n"),
                           refusal + strlen(no));
    if (said && strstr(said, "slsuite: supported"))
        return 0;
    return error_set(err, "gem5 does not take this configuration%s%s", why.status ? ": " : "",
                     why.text);
}

int gem5_find(const char *path, struct gem5 *gem5, struct error *err) {
    *gem5 = (struct gem5){.program = choose(path, err)};
    if (gem5->program && ask(gem5, err) == 0)
        return 0;
    gem5_free(gem5);
    return -1;
}

void gem5_free(struct gem5 *gem5) {
    free(gem5->program);
    free(gem5->version);
    free(gem5->lacks);
    *gem5 = (struct gem5){0};
}
