#include "engine/gem5_process.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/mark.h"
#include "common/paths.h"
#include "common/process.h"
#include "engine/guest_words.h"

#define LOOK_MS 200           /* between two looks at what was said */
#define SILENT_SECONDS 900    /* of the host's: gem5 reports each millisecond of its guest's time */
#define STILL_SECONDS 300     /* of the host's: no core has executed anything */
#define IDLE_TICKS 120e12     /* of the guest's: it waits for nothing longer than a minute */
#define IDLE_INSTRUCTIONS 5e9 /* that its timers take meanwhile, and no more */
#define KERNEL_PANIC "Kernel panic - not syncing"

/* A file that grows, read line by line. */
struct tail {
    char *path, *line;
    FILE *file; /* NULL: it is not there yet */
    size_t room;
    off_t taken; /* bytes of it */
};

static void tail_open(struct tail *tail, const char *folder, const char *name, size_t taken) {
    *tail = (struct tail){.path = format_string("%s/%s", folder, name), .taken = (off_t)taken};
}

/* The next whole line, without its end; NULL: there is none yet. Valid until the next call. */
static char *tail_line(struct tail *tail) {
    if (!tail->file && !(tail->file = fopen(tail->path, "re")))
        return NULL;
    if (fseeko(tail->file, tail->taken, SEEK_SET) < 0)
        return NULL;
    ssize_t length = getline(&tail->line, &tail->room, tail->file);
    if (length <= 0 || tail->line[length - 1] != '\n')
        return NULL;
    tail->taken += length;
    tail->line[length - 1] = '\0';
    return tail->line;
}

static void tail_close(struct tail *tail) {
    if (tail->file)
        fclose(tail->file);
    free(tail->path);
    free(tail->line);
}

struct watch {
    struct gem5_process *process;
    struct tail log, channel, console;
    struct guest_words words;
    enum { RUNNING, CHECKPOINTED, EXITED, FAILED, UNSUPPORTED } state;
    char text[512];  /* what is unsupported; the status of what failed */
    char stage[64];  /* what the guest is doing */
    char crash[512]; /* gem5's last words */
    double instructions, ticks;
    double idle_instructions, idle_ticks; /* when the guest last told something */
    double heard_at;                      /* of machine_now(): gem5's last report */
    double moved_at;                      /* likewise: the last with more instructions */
};

static void note_life(struct watch *watch) {
    watch->idle_instructions = watch->instructions;
    watch->idle_ticks = watch->ticks;
}

static void take_mark(struct watch *watch, unsigned operation, uint64_t id) {
    struct gem5_process *process = watch->process;
    struct guest *guest = process->guest;
    note_life(watch);
    guest->marks_seen += operation == M5_WORK_END;
    if (process->on_mark)
        process->on_mark(process->context, operation, id);
    if (operation != M5_WORK_END)
        return;
    autofree char *detail = format_string("invocation %u of %u", guest->marks_seen, guest->marks);
    progress_update(guest->progress, (double)guest->marks_seen / guest->marks, detail);
}

static void show_progress(const struct watch *watch) {
    const struct guest *guest = watch->process->guest;
    autofree char *detail =
        format_string("%s, %.0f M instructions", watch->stage, watch->instructions / 1e6);
    if (!guest->marks_seen)
        progress_update(guest->progress, -1, detail);
}

/* A line of gem5's own output: run.py's, or something that may explain its end. */
static void take_report(struct watch *watch, const char *line) {
    uint64_t id;
    int at = 0;
    if (strstr(line, "panic:") || strstr(line, "fatal:") || strstr(line, "Error: ") ||
        strstr(line, "Exception: "))
        snprintf(watch->crash, sizeof watch->crash, "%s", line);
    if (strncmp(line, "slsuite: ", 9) != 0)
        return;
    line += 9;
    watch->heard_at = machine_now();
    double before = watch->instructions;
    if (sscanf(line, "at %lf %lf", &watch->ticks, &watch->instructions) == 2) {
        if (watch->instructions != before)
            watch->moved_at = watch->heard_at;
        show_progress(watch);
    } else if (sscanf(line, "begin %" SCNu64, &id) == 1)
        take_mark(watch, M5_WORK_BEGIN, id);
    else if (sscanf(line, "end %" SCNu64, &id) == 1)
        take_mark(watch, M5_WORK_END, id);
    else if (strcmp(line, "checkpoint") == 0)
        watch->state = CHECKPOINTED;
    else if (strcmp(line, "exit") == 0)
        watch->state = EXITED;
    else if (sscanf(line, "fail %31s", watch->text) == 1)
        watch->state = FAILED;
    else if (sscanf(line, "unsupported %n", &at), at) {
        watch->state = UNSUPPORTED;
        snprintf(watch->text, sizeof watch->text, "%s", line + at);
    }
}

/* All that was said since the last look. */
static void listen(struct watch *watch) {
    for (const char *line; (line = tail_line(&watch->log));)
        take_report(watch, line);
    for (const char *line; (line = tail_line(&watch->channel));) {
        note_life(watch);
        if (sscanf(line, "stage %63s", watch->stage) == 1)
            show_progress(watch);
        else if (guest_words_take(&watch->words, watch->process->guest, line))
            watch->words.done = !watch->words.failed;
    }
    for (const char *line; (line = tail_line(&watch->console));) {
        note_life(watch);
        if (strstr(line, KERNEL_PANIC))
            guest_words_fail(&watch->words, "the guest's %s%s", strstr(line, KERNEL_PANIC), "");
    }
}

/* Whether there is no hope any more; the words then say why. */
static bool give_up(struct watch *watch, double deadline) {
    const struct guest *guest = watch->process->guest;
    char number[32];
    if (watch->words.failed && strstr(watch->words.text, KERNEL_PANIC))
        return true;
    if (machine_now() > deadline) {
        snprintf(number, sizeof number, "%.0f", guest->timeout_seconds);
        guest_words_fail(&watch->words,
                         "gem5 was not done within %s s: it hangs, or needs longer (--timeout)%s",
                         number, "");
        return true;
    }
    if (machine_now() - watch->heard_at > SILENT_SECONDS) {
        guest_words_fail(&watch->words,
                         "gem5 has simulated nothing for a quarter of an hour%s%s: it is stuck", "",
                         "");
        return true;
    }
    if (machine_now() - watch->moved_at > STILL_SECONDS) {
        guest_words_fail(&watch->words,
                         "gem5 goes on, and has executed no instruction for five minutes%s%s: its "
                         "core is stuck, as MinorCPU in v24 is (docs/gem5.md)",
                         "", "");
        return true;
    }
    if (watch->ticks - watch->idle_ticks > IDLE_TICKS &&
        watch->instructions - watch->idle_instructions < IDLE_INSTRUCTIONS) {
        guest_words_fail(
            &watch->words,
            "the guest has waited for two minutes of its time in its step `%s`%s: it is stuck",
            watch->stage, "");
        return true;
    }
    return false;
}

static int judge(const struct watch *watch, enum guest_goal goal, int status, struct error *err) {
    const struct guest *guest = watch->process->guest;
    struct guest_words words = watch->words;
    if (watch->state == UNSUPPORTED)
        return error_usage(err, "%s", watch->text);
    if (goal == GUEST_CHECKPOINT && watch->state == CHECKPOINTED && !words.failed)
        return 0;
    if (goal == GUEST_DONE && watch->state == EXITED && words.done &&
        guest->marks_seen == guest->marks)
        return 0;
    if (watch->state == EXITED)
        guest_words_fail(&words, "the run script ended before %s%s",
                         goal == GUEST_DONE ? "all invocations were made" : "the checkpoint", "");
    if (watch->state == FAILED)
        guest_words_fail(&words, "the guest's run script ended with status %s%s", watch->text, "");
    if (!words.failed) {
        autofree char *last = file_last_line(watch->log.path, 0);
        autofree char *how = WIFSIGNALED(status) ? format_string("signal %d", WTERMSIG(status))
                                                 : format_string("status %d", WEXITSTATUS(status));
        guest_words_fail(&words, "gem5 ended by itself, with %s: %s", how,
                         *watch->crash ? watch->crash : last);
    }
    return guest_words_error(&words, guest, err);
}

static int watch_process(struct watch *watch, struct process *child, enum guest_goal goal,
                         struct error *err) {
    double deadline = machine_now() + watch->process->guest->timeout_seconds;
    bool given_up = false;
    watch->heard_at = watch->moved_at = machine_now();
    while (process_wait(child, 1, LOOK_MS) == 1 && !given_up) {
        progress_tick();
        listen(watch);
        given_up = give_up(watch, deadline);
    }
    if (given_up)
        kill(-child->id, SIGKILL);
    int status = process_reap(child);
    listen(watch);
    return judge(watch, goal, status, err);
}

int gem5_process_run(struct gem5_process *process, enum guest_goal goal, struct error *err) {
    autofree char *job_file = format_string("%s/job.json", process->folder);
    autofree char *outdir = format_string("--outdir=%s", process->folder);
    autofree char *script = format_string("%s/gem5/run.py", paths_recipes());
    autofree char *text = json_dumps(process->job, JSON_INDENT(2) | JSON_SORT_KEYS);
    if (file_write(job_file, text, strlen(text), err) < 0 ||
        file_write(process->log, "", 0, err) < 0)
        return -1;
    const char *const arguments[] = {
        process->gem5->program, outdir, "--listener-mode=off", script, job_file, NULL};
    /* In gem5 any of the guest's programs can write any file of its user's (`m5 writefile`). */
    const char *const writable[] = {process->writable, "/dev/kvm", NULL};
    const struct process_options options = {.log = process->log, .writable = writable};
    struct watch watch = {.process = process, .stage = "kernel"};
    struct process child;
    if (process_start(arguments, &options, &child, err) < 0)
        return -1;
    watch.log.path = strdup(process->log);
    tail_open(&watch.channel, process->folder, GEM5_CHANNEL, process->heard);
    tail_open(&watch.console, process->folder, GEM5_CONSOLE, 0);
    int result = watch_process(&watch, &child, goal, err);
    tail_close(&watch.log);
    tail_close(&watch.channel);
    tail_close(&watch.console);
    return result;
}
