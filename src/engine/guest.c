#include "engine/guest.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "guest/mark.h"

#define TAIL_LINES 12 /* of the console, shown when something went wrong */
#define LAST_WORDS_SECONDS                                                                         \
    5 /* after a failure was told: time for its `output` and `done` lines                          \
       */

/* What has been learnt about a failure while its details still arrive. */
struct verdict {
    bool failed, checkpoint, done;
    char text[1024]; /* what failed */
    char cause[512]; /* what brought that about; "": not known */
    char last[512];  /* its last line of output */
};

static void show_console_tail(const char *path) {
    autofree char *text = file_read(path, NULL, NULL);
    if (!text || !*text)
        return;
    size_t length = strlen(text);
    while (length && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        text[--length] = '\0';
    char *line = text + length;
    for (int lines = 0; line > text; line--)
        if (line[-1] == '\n' && ++lines == TAIL_LINES)
            break;
    progress_note("the guest's console ends with:");
    for (char *part; (part = strsep(&line, "\n"));)
        progress_note("  | %.*s", (int)strcspn(part, "\r"), part);
}

static void add_reply(struct guest *guest, uint64_t id, uint64_t latency_ns, const char *text) {
    struct client_reply *replies =
        realloc(guest->replies, (guest->reply_count + 1) * sizeof *replies);
    if (!replies)
        abort();
    guest->replies = replies;
    replies[guest->reply_count++] = (struct client_reply){id, latency_ns, strdup(text)};
}

static void take_failure(struct verdict *verdict, const char *format, const char *a,
                         const char *b) {
    if (!verdict->failed)
        snprintf(verdict->text, sizeof verdict->text, format, a, b);
    verdict->failed = true;
}

static void take_program_end(struct program_end *end, const char *how, const char *text) {
    end->how = strcmp(how, "exited") == 0   ? PROGRAM_EXITED
               : strcmp(how, "killed") == 0 ? PROGRAM_KILLED
                                            : PROGRAM_UNSTARTABLE;
    end->number = atoi(text);
    snprintf(end->text, sizeof end->text, "%s", text);
}

/* One line of the channel. Lines that are none of ours (the firmware logs to the same port) are
 * passed over. Returns true when the run script has ended. */
static bool take_line(struct guest *guest, struct verdict *verdict, const char *line) {
    char step[64], status[16];
    uint64_t id, latency;
    int text_at = 0;
    if (sscanf(line, "stage %63s", step) == 1) {
        if (guest->progress)
            progress_update(guest->progress, -1, step);
    } else if (sscanf(line, "invocation %" SCNu64 " %" SCNu64 " %n", &id, &latency, &text_at) >=
               2) {
        add_reply(guest, id, latency, text_at ? line + text_at : "");
    } else if (sscanf(line, "wrong %15s %n", status, &text_at) == 1 && text_at) {
        const char *text = line + text_at; /* may say itself what it was */
        bool named = strncmp(text, "invocation ", 11) == 0 || strncmp(text, "warm-up ", 8) == 0;
        take_failure(verdict, named ? "%.0s%s" : "invocation %s: %s", status, text);
    } else if (strncmp(line, "cause ", 6) == 0) {
        snprintf(verdict->cause, sizeof verdict->cause, "%s", line + 6);
        verdict->failed = true;
    } else if (sscanf(line, "failed %63s %15s", step, status) == 2) {
        take_failure(verdict, "the guest's step `%s` failed with status %s", step, status);
    } else if (strncmp(line, "output ", 7) == 0) {
        if (strspn(line + 7, " \t\r") != strlen(line + 7))
            snprintf(verdict->last, sizeof verdict->last, "%s", line + 7);
    } else if (sscanf(line, "clock %" SCNu64, &guest->clock) == 1) {
        /* its precise stop follows */
    } else if (sscanf(line, "program %15s %n", status, &text_at) == 1 && text_at) {
        take_program_end(&guest->program, status, line + text_at);
    } else if (strcmp(line, "checkpoint") == 0) {
        verdict->checkpoint = true;
    } else if (sscanf(line, "done %15s", status) == 1) {
        if (strcmp(status, "0") != 0)
            take_failure(verdict, "the guest's run script ended with status %s%s", status, "");
        return true;
    }
    return false;
}

static void take_mark(struct guest *guest, const char *text) {
    unsigned operation;
    if (sscanf(text, "mark %x", &operation) != 1)
        return;
    if (guest->on_mark)
        guest->on_mark(guest->context, operation);
    if (!guest->marks || operation != guest->end_mark)
        return;
    guest->marks_seen++;
    if (!guest->progress || operation != M5_WORK_END)
        return;
    char detail[64];
    snprintf(detail, sizeof detail, "invocation %u of %u", guest->marks_seen, guest->marks);
    progress_update(guest->progress, (double)guest->marks_seen / guest->marks, detail);
}

/* A file that the guest wrote, under its last name only: the guest is not trusted with paths. */
static void keep_file(const struct guest *guest, const struct machine_report *report) {
    const char *slash = strrchr(report->text, '/'), *name = slash ? slash + 1 : report->text;
    if (!guest->files || !*name || *name == '.')
        return;
    autofree char *path = format_string("%s/guest-%s", guest->files, name);
    struct error err = {0};
    if (file_write(path, report->data, report->size, &err) < 0)
        progress_note("%s", err.text);
}

static int fail(const struct guest *guest, const struct verdict *verdict, struct error *err) {
    const char *text = verdict->cause[0] ? verdict->cause : verdict->text;
    show_console_tail(guest->console);
    if (verdict->last[0] && !strstr(verdict->last, text))
        return error_set(err, "%s: %s", text, verdict->last);
    return error_set(err, "%s", text);
}

static void tick(void *context) {
    (void)context;
    progress_tick();
}

int guest_wait(struct guest *guest, enum guest_goal goal, struct error *err) {
    struct verdict verdict = {0};
    double deadline = machine_now() + guest->timeout_seconds;
    for (;;) {
        struct machine_report report = machine_next(guest->machine, deadline, tick, NULL);
        switch (report.kind) {
        case MACHINE_LINE: {
            bool had_failed = verdict.failed;
            if (take_line(guest, &verdict, report.text)) {
                verdict.done = !verdict.failed && goal == GUEST_DONE;
                if (verdict.done && guest->marks_seen >= guest->marks)
                    return 0;
                if (verdict.done)
                    continue;
                take_failure(&verdict, "the run script ended before %s%s", "the checkpoint", "");
                return fail(guest, &verdict, err);
            }
            if (verdict.failed && !had_failed)
                deadline = machine_now() + LAST_WORDS_SECONDS;
            continue;
        }
        case MACHINE_FILE:
            keep_file(guest, &report);
            continue;
        case MACHINE_MARK:
            take_mark(guest, report.text);
            if (verdict.done && guest->marks_seen >= guest->marks)
                return 0;
            continue;
        case MACHINE_PAUSED:
            if (verdict.checkpoint && goal == GUEST_CHECKPOINT && !verdict.failed)
                return 0;
            take_failure(&verdict,
                         verdict.checkpoint ? "the guest asked for a checkpoint %s%s"
                                            : "the guest's kernel panicked%s%s",
                         verdict.checkpoint ? "where none is taken" : "", "");
            return fail(guest, &verdict, err);
        case MACHINE_RESET:
            take_failure(&verdict, "the guest reset itself: its kernel panicked%s%s", "", "");
            return fail(guest, &verdict, err);
        case MACHINE_OFF:
            if (verdict.done)
                continue;
            take_failure(&verdict, "the guest powered off before it was done%s%s", "", "");
            return fail(guest, &verdict, err);
        case MACHINE_GONE:
            take_failure(&verdict, "QEMU ended by itself%s%s",
                         report.text && *report.text ? ": " : "", report.text ? report.text : "");
            return fail(guest, &verdict, err);
        case MACHINE_LATE: {
            char seconds[32];
            snprintf(seconds, sizeof seconds, "%.0f", guest->timeout_seconds);
            take_failure(&verdict,
                         "%s was not done within %s s: it hangs, or needs longer (--timeout)",
                         guest->subject ? guest->subject : "the guest", seconds);
            return fail(guest, &verdict, err);
        }
        }
    }
}

void guest_free(struct guest *guest) {
    for (size_t i = 0; i < guest->reply_count; i++)
        free((char *)guest->replies[i].text);
    free(guest->replies);
    guest->replies = NULL;
    guest->reply_count = 0;
}
