#include "common/progress.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"

struct progress {
    char *key, *title, *detail;
    double estimate, started, drawn, fraction;
};

static bool quiet;
static struct progress *current; /* the step whose line is on the terminal */
static size_t drawn_lines;       /* below it, by progress_lines() */

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static bool on_terminal(void) {
    return isatty(STDERR_FILENO);
}

static json_t *load_timings(char **path) {
    *path = format_string("%s/timings.json", paths_cache());
    json_t *timings = json_load_file(*path, 0, NULL);
    return json_is_object(timings) ? timings : (json_decref(timings), json_object());
}

static void remember(const char *key, double seconds) {
    autofree char *path = NULL;
    json_t *timings = load_timings(&path);
    json_object_set_new(timings, key, json_real(seconds));
    autofree char *text =
        json_dumps(timings, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(4));
    json_decref(timings);
    if (text && folder_make(paths_cache(), NULL) == 0)
        file_write(path, text, strlen(text), NULL);
}

static double recall(const char *key, double otherwise) {
    autofree char *path = NULL;
    json_t *timings = load_timings(&path);
    double seconds = json_number_value(json_object_get(timings, key));
    json_decref(timings);
    return seconds > 0 ? seconds : otherwise;
}

static void draw(struct progress *progress) {
    double spent = now() - progress->started, left = progress->estimate - spent;
    double fraction = progress->fraction;
    if (fraction < 0)
        fraction = progress->estimate > 0 ? spent / progress->estimate : 0;
    else if (fraction > 0.05)
        left = spent / fraction - spent;
    if (fraction > 0.99)
        fraction = 0.99;
    char bar[3 * 20 + 1] = "";
    for (int i = 0; i < 20; i++)
        strcat(bar, i < fraction * 20 ? "━" : "╌");
    char remaining[32] = "any moment";
    if (left >= 1)
        snprintf(remaining, sizeof remaining, "about %.0f s left", left);
    fprintf(stderr, "\r\033[K  %-30s %s %3.0f %%  %s%s%s", progress->title, bar, fraction * 100,
            remaining, progress->detail ? "  " : "", progress->detail ? progress->detail : "");
    fflush(stderr);
    progress->drawn = now();
}

struct progress *progress_begin(const char *key, const char *title, double estimate_seconds) {
    struct progress *progress = calloc(1, sizeof *progress);
    if (!progress)
        abort();
    progress->key = strdup(key);
    progress->title = strdup(title);
    progress->estimate = recall(key, estimate_seconds);
    progress->started = now();
    progress->fraction = -1;
    current = progress;
    if (quiet)
        return progress;
    if (on_terminal())
        draw(progress);
    else
        fprintf(stderr, "%s … (about %.0f s)\n", title,
                progress->estimate < 1 ? 1 : progress->estimate);
    return progress;
}

void progress_update(struct progress *progress, double fraction, const char *detail) {
    progress->fraction = fraction;
    if (detail && (!progress->detail || strcmp(detail, progress->detail) != 0)) {
        free(progress->detail);
        progress->detail = strdup(detail);
    }
    if (!quiet && on_terminal() && now() - progress->drawn >= 0.1)
        draw(progress);
}

void progress_tick(void) {
    if (current)
        progress_update(current, current->fraction, NULL);
}

void progress_end(struct progress *progress, int success) {
    double spent = now() - progress->started;
    if (success)
        remember(progress->key, spent);
    if (!quiet && on_terminal())
        fprintf(stderr, success ? "\r\033[K✓ %-30s %.1f s\n" : "\r\033[K", progress->title, spent);
    else if (!quiet && success)
        fprintf(stderr, "%s: done in %.1f s\n", progress->title, spent);
    current = NULL;
    free(progress->key);
    free(progress->title);
    free(progress->detail);
    free(progress);
}

void progress_set_quiet(int value) {
    quiet = value;
}

/* How many bytes of it have so many characters. */
static int fitting_bytes(const char *text, int characters) {
    int bytes = 0;
    for (; text[bytes]; bytes++)
        if ((text[bytes] & 0xc0) != 0x80 && characters-- == 0)
            break;
    return bytes;
}

static void erase_lines(void) {
    if (drawn_lines)
        fprintf(stderr, "\033[%zuA\033[J", drawn_lines);
    drawn_lines = 0;
}

void progress_lines(char *const lines[], size_t count) {
    struct winsize size;
    if (quiet || !on_terminal())
        return;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col || size.ws_row < 2)
        size = (struct winsize){.ws_col = 80, .ws_row = 24};
    erase_lines();
    for (; drawn_lines < count && drawn_lines < size.ws_row - 1u; drawn_lines++)
        fprintf(stderr, "%.*s\n", fitting_bytes(lines[drawn_lines], size.ws_col - 1),
                lines[drawn_lines]);
}

void progress_note(const char *format, ...) {
    if (quiet)
        return;
    erase_lines();
    if (current && on_terminal())
        fputs("\r\033[K", stderr);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}
