#include "engine/guest.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/mark.h"
#include "engine/guest_words.h"

/* After a failure was told: time for its `output` and `done` lines. */
#define LAST_WORDS_SECONDS 5

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

static void tick(void *context) {
    (void)context;
    progress_tick();
}

/* How long it may take, in seconds of the host's time. */
static double patience(const struct guest *guest, bool before_script) {
    bool boot_is_longer = before_script && guest->timeout_seconds < GUEST_BOOT_SECONDS;
    return boot_is_longer ? GUEST_BOOT_SECONDS : guest->timeout_seconds;
}

static void fail_late(struct guest_words *words, const struct guest *guest, bool before_script) {
    autofree char *seconds = format_string("%.0f", patience(guest, before_script));
    const char *subject = guest->subject ?: "the guest";
    if (before_script)
        guest_words_fail(words,
                         "%s had not booted within %s s: it hangs, or needs longer (--timeout)",
                         subject, seconds);
    else if (guest->subject || !*words->stage)
        guest_words_fail(words,
                         "%s was not done within %s s: it hangs, or needs longer (--timeout)",
                         subject, seconds);
    else
        guest_words_fail(words,
                         "the guest was not done within %s s: it hangs in its step `%s`, or needs "
                         "longer (--timeout)",
                         seconds, words->stage);
}

int guest_wait(struct guest *guest, enum guest_goal goal, struct error *err) {
    struct guest_words words = {0};
    bool before_script = guest->before_script;
    double deadline = machine_now() + patience(guest, before_script);
    for (;;) {
        struct machine_report report = machine_next(guest->machine, deadline, tick, NULL);
        switch (report.kind) {
        case MACHINE_LINE: {
            bool had_failed = words.failed;
            if (guest_words_take(&words, guest, report.text)) {
                words.done = !words.failed && goal == GUEST_DONE;
                if (words.done && guest->marks_seen >= guest->marks)
                    return 0;
                if (words.done)
                    continue;
                guest_words_fail(&words, "the run script ended before %s%s", "the checkpoint", "");
                return guest_words_error(&words, guest, err);
            }
            if (words.failed && !had_failed) {
                deadline = machine_now() + LAST_WORDS_SECONDS;
            } else if (before_script && strcmp(report.text, "stage script") == 0) {
                before_script = false;
                deadline = machine_now() + patience(guest, before_script);
            }
            continue;
        }
        case MACHINE_FILE:
            keep_file(guest, &report);
            continue;
        case MACHINE_MARK:
            take_mark(guest, report.text);
            if (words.done && guest->marks_seen >= guest->marks)
                return 0;
            continue;
        case MACHINE_PAUSED:
            if (words.checkpoint && goal == GUEST_CHECKPOINT && !words.failed)
                return 0;
            guest_words_fail(&words,
                             words.checkpoint ? "the guest asked for a checkpoint %s%s"
                                              : "the guest's kernel panicked%s%s",
                             words.checkpoint ? "where none is taken" : "", "");
            return guest_words_error(&words, guest, err);
        case MACHINE_RESET:
            guest_words_fail(&words, "the guest reset itself: its kernel panicked%s%s", "", "");
            return guest_words_error(&words, guest, err);
        case MACHINE_OFF:
            if (words.done)
                continue;
            guest_words_fail(&words, "the guest powered off before it was done%s%s", "", "");
            return guest_words_error(&words, guest, err);
        case MACHINE_GONE:
            guest_words_fail(&words, "QEMU ended by itself%s%s",
                             report.text && *report.text ? ": " : "",
                             report.text ? report.text : "");
            return guest_words_error(&words, guest, err);
        case MACHINE_LATE:
            fail_late(&words, guest, before_script);
            return guest_words_error(&words, guest, err);
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
