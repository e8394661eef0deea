/* The runs of a suite, several at the same time: each is `slsuite run`, a process of its own. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/process.h"
#include "common/progress.h"
#include "engine/machine.h"
#include "engine/suite_parts.h"
#include "results/mean.h"

enum { LOOK_MS = 200 }; /* so often it is shown what runs */

/* A run under way. */
struct job {
    struct suite_entry *entry; /* NULL: none */
    char *folder, *log;        /* the run's; what it says meanwhile */
    double begun;
};

/* All of them, each with its process. */
struct jobs {
    struct suite *suite;
    struct job *list;
    struct process *processes;
    size_t size;   /* so many places */
    size_t begun;  /* so many entries */
    size_t ended;  /* so many of them */
    size_t failed; /* so many of those */
};

static int start(const struct suite *suite, const struct job *job, struct process *process,
                 struct error *err) {
    const struct suite_options *options = suite->options;
    autofree char *invocations = format_string("%u", options->invocations);
    autofree char *timeout = format_string("%.0f", options->timeout_seconds);
    const char *const arguments[] = {options->command,
                                     "run",
                                     job->entry->function,
                                     "--system",
                                     options->system,
                                     "--runtime",
                                     options->runtime,
                                     "-n",
                                     invocations,
                                     "--timeout",
                                     timeout,
                                     "--out",
                                     job->folder,
                                     "--start",
                                     start_names[options->start],
                                     options->flush ? "--flush" : NULL,
                                     options->flush,
                                     NULL};
    const struct process_options self = {
        .program = "/proc/self/exe", .output = "/dev/null", .log = job->log};
    autofree char *failed = format_string("%s.failed", job->folder);
    if (folder_remove(failed, err) < 0)
        return -1;
    return process_start(arguments, &self, process, err);
}

/* Its last words, without our own name before them. */
static char *last_words(const struct job *job) {
    static const char us[] = "slsuite: ";
    autofree char *line = file_last_line(job->log, 0);
    bool named = strncmp(line, us, sizeof us - 1) == 0;
    return strdup(named ? line + sizeof us - 1 : line);
}

/* How it went; the results of a whole one are taken. */
static int judge(struct job *job, int status, struct error *err) {
    autofree char *said = last_words(job);
    if (WIFSIGNALED(status))
        return error_set(err, "its process was ended by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status))
        return error_set(err, "%s", *said ? said : "its process failed and said nothing");
    job->entry->mean = mean_read(job->folder, err);
    return job->entry->mean ? 0 : -1;
}

/* What it has said is put to what it has left. */
static void keep_failed(struct job *job, const struct error *why) {
    autofree char *failed = format_string("%s.failed", job->folder);
    autofree char *log = format_string("%s/output.log", failed);
    if (folder_make(failed, NULL) < 0 || rename(job->log, log) < 0)
        unlink(job->log);
    free(job->entry->folder);
    job->entry->folder = format_string("%s.failed", job->entry->function);
    job->entry->error = format_string("%s", why->text);
}

/* Tell, and make room for the next one. */
static void conclude(struct jobs *jobs, struct job *job, int result, const struct error *why) {
    const struct suite_entry *entry = job->entry;
    jobs->ended++;
    if (result < 0) {
        keep_failed(job, why);
        jobs->failed++;
        progress_note("✗ %-26s %s", entry->function, why->text);
    } else {
        autofree char *figures = suite_summary(entry);
        unlink(job->log);
        progress_note("✓ %-26s %s   %.1f s", entry->function, figures, machine_now() - job->begun);
    }
    free(job->folder);
    free(job->log);
    *job = (struct job){0};
}

/* Give each free place a run, while there are any. */
static void begin(struct jobs *jobs) {
    struct suite *suite = jobs->suite;
    for (size_t place = 0; place < jobs->size; place++)
        while (!jobs->list[place].entry && jobs->begun < suite->count) {
            struct suite_entry *entry = &suite->entries[jobs->begun++];
            struct job *job = &jobs->list[place];
            struct error err = {0};
            if (entry->mean) {
                jobs->ended++;
                continue;
            }
            *job = (struct job){
                .entry = entry,
                .folder = suite_run_folder(suite, entry),
                .log = suite_log(suite, entry),
                .begun = machine_now(),
            };
            if (start(suite, job, &jobs->processes[place], &err) < 0)
                conclude(jobs, job, -1, &err);
        }
}

/* A line each, with what it said last, and one of all. */
static void show(const struct jobs *jobs) {
    char **lines = calloc(jobs->size + 1, sizeof *lines);
    size_t count = 0;
    if (!lines)
        abort();
    for (size_t place = 0; place < jobs->size; place++) {
        const struct job *job = &jobs->list[place];
        if (!job->entry)
            continue;
        autofree char *said = last_words(job);
        lines[count++] = format_string("  %-26s %4.0f s  %s", job->entry->function,
                                       machine_now() - job->begun, said);
    }
    lines[count++] = format_string("  %zu of %zu functions have ended, %zu failed", jobs->ended,
                                   jobs->suite->count, jobs->failed);
    progress_lines(lines, count);
    while (count)
        free(lines[--count]);
    free(lines);
}

/* With the last of them, whose fault it is not. */
static void go(struct jobs *jobs) {
    for (size_t place = 0; place < jobs->size; place++)
        if (jobs->processes[place].id)
            process_reap(&jobs->processes[place]);
}

void suite_run_jobs(struct suite *suite) {
    struct jobs jobs = {.suite = suite, .size = suite->options->jobs};
    jobs.list = calloc(jobs.size, sizeof *jobs.list);
    jobs.processes = calloc(jobs.size, sizeof *jobs.processes);
    if (!jobs.list || !jobs.processes)
        abort();
    for (size_t place = 0; place < jobs.size; place++)
        jobs.processes[place].handle = -1;
    for (begin(&jobs); jobs.ended < suite->count; begin(&jobs)) {
        show(&jobs);
        size_t place = process_wait(jobs.processes, jobs.size, LOOK_MS);
        if (process_interrupted())
            go(&jobs);
        if (place == jobs.size)
            continue;
        struct error err = {0};
        struct job *job = &jobs.list[place];
        int result = judge(job, process_reap(&jobs.processes[place]), &err);
        conclude(&jobs, job, result, &err);
    }
    progress_lines(NULL, 0);
    free(jobs.list);
    free(jobs.processes);
}
