#include "engine/guest_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"

#define TAIL_LINES 12 /* of the console, shown when something went wrong */

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

void guest_words_fail(struct guest_words *words, const char *format, const char *a, const char *b) {
    if (!words->failed)
        snprintf(words->text, sizeof words->text, format, a, b);
    words->failed = true;
}

static void take_program_end(struct program_end *end, const char *how, const char *text) {
    end->how = strcmp(how, "exited") == 0   ? PROGRAM_EXITED
               : strcmp(how, "killed") == 0 ? PROGRAM_KILLED
                                            : PROGRAM_UNSTARTABLE;
    end->number = atoi(text);
    snprintf(end->text, sizeof end->text, "%s", text);
}

bool guest_words_take(struct guest_words *words, struct guest *guest, const char *line) {
    char step[64], status[16];
    uint64_t id, latency;
    int text_at = 0;
    if (sscanf(line, "stage %63s", words->stage) == 1) {
        if (guest->progress)
            progress_update(guest->progress, -1, words->stage);
    } else if (sscanf(line, "invocation %" SCNu64 " %" SCNu64 " %n", &id, &latency, &text_at) >=
               2) {
        add_reply(guest, id, latency, text_at ? line + text_at : "");
    } else if (sscanf(line, "wrong %15s %n", status, &text_at) == 1 && text_at) {
        const char *text = line + text_at; /* may say itself what it was */
        bool named = strncmp(text, "invocation ", 11) == 0 || strncmp(text, "warm-up ", 8) == 0;
        guest_words_fail(words, named ? "%.0s%s" : "invocation %s: %s", status, text);
    } else if (strncmp(line, "cause ", 6) == 0) {
        snprintf(words->cause, sizeof words->cause, "%s", line + 6);
        words->failed = true;
    } else if (sscanf(line, "failed %63s %15s", step, status) == 2) {
        guest_words_fail(words, "the guest's step `%s` failed with status %s", step, status);
    } else if (strncmp(line, "output ", 7) == 0) {
        if (strspn(line + 7, " \t\r") != strlen(line + 7))
            snprintf(words->last, sizeof words->last, "%s", line + 7);
    } else if (sscanf(line, "clock %" SCNu64, &guest->clock) == 1) {
        /* its precise stop follows */
    } else if (sscanf(line, "program %15s %n", status, &text_at) == 1 && text_at) {
        take_program_end(&guest->program, status, line + text_at);
    } else if (strcmp(line, "kept") == 0) {
        guest->kept = true;
    } else if (strcmp(line, "checkpoint") == 0) {
        words->checkpoint = true;
    } else if (sscanf(line, "done %15s", status) == 1) {
        if (strcmp(status, "0") != 0)
            guest_words_fail(words, "the guest's run script ended with status %s%s", status, "");
        return true;
    }
    return false;
}

int guest_words_error(const struct guest_words *words, const struct guest *guest,
                      struct error *err) {
    const char *text = words->cause[0] ? words->cause : words->text;
    show_console_tail(guest->console);
    if (words->last[0] && !strstr(words->last, text))
        return error_set(err, "%s: %s", text, words->last);
    return error_set(err, "%s", text);
}
