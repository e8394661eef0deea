#include "load/trace.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

#define COLUMNS_BEFORE 4 /* owner, app, function, trigger */

struct reader {
    const char *path;
    FILE *stream;
    char *line;
    size_t capacity;
    unsigned number; /* of the line, from 1 */
    struct error *err;
};

/* The next line that is not empty, without its end. 0: there is none. -1: an error. */
static int next_line(struct reader *reader) {
    ssize_t length;
    while ((length = getline(&reader->line, &reader->capacity, reader->stream)) >= 0) {
        reader->number++;
        if (strlen(reader->line) != (size_t)length)
            return error_set(reader->err, "%s:%u: a NUL byte: is it a trace?", reader->path,
                             reader->number);
        reader->line[strcspn(reader->line, "\r\n")] = '\0';
        if (*reader->line)
            return 1;
    }
    return ferror(reader->stream) ? error_errno(reader->err, "read %s", reader->path) : 0;
}

/* The next of the fields between commas, or NULL behind the last. */
static char *next_field(char **rest) {
    return strsep(rest, ",");
}

static int wrong_header(const struct reader *reader, const char *found, const char *wanted) {
    return error_set(reader->err, "%s:%u: '%.40s' instead of '%s': is it a trace of invocations?",
                     reader->path, reader->number, found, wanted);
}

static int read_header(struct reader *reader, struct trace *trace) {
    static const char *const names[COLUMNS_BEFORE] = {"HashOwner", "HashApp", "HashFunction",
                                                      "Trigger"};
    int found = next_line(reader);
    if (found <= 0)
        return found < 0 ? -1 : error_set(reader->err, "%s: empty: is it a trace?", reader->path);
    char *rest = reader->line, *field;
    for (int i = 0; i < COLUMNS_BEFORE; i++)
        if (!(field = next_field(&rest)) || strcmp(field, names[i]) != 0)
            return wrong_header(reader, field ? field : "", names[i]);
    for (trace->minutes = 0; (field = next_field(&rest)); trace->minutes++) {
        char wanted[12];
        if (trace->minutes == TRACE_MINUTES_MAX)
            return error_set(reader->err, "%s:%u: more than %d minutes", reader->path,
                             reader->number, TRACE_MINUTES_MAX);
        snprintf(wanted, sizeof wanted, "%zu", trace->minutes + 1);
        if (strcmp(field, wanted) != 0)
            return wrong_header(reader, field, wanted);
    }
    return trace->minutes ? 0 : wrong_header(reader, "", "1");
}

static int read_count(const struct reader *reader, size_t minute, const char *field,
                      uint32_t *count) {
    char *end;
    errno = 0;
    long number = field && *field ? strtol(field, &end, 10) : 0;
    if (!field || !*field)
        return error_set(reader->err, "%s:%u: minute %zu is missing", reader->path, reader->number,
                         minute);
    if (*end || errno || isspace((unsigned char)*field))
        return error_set(reader->err, "%s:%u: minute %zu: '%.40s' is not a number of invocations",
                         reader->path, reader->number, minute, field);
    if (number < 0 || number > TRACE_COUNT_MAX)
        return error_set(reader->err, "%s:%u: minute %zu: %ld is not from 0 to %d", reader->path,
                         reader->number, minute, number, TRACE_COUNT_MAX);
    *count = (uint32_t)number;
    return 0;
}

/* The line's hash of the function; *rest is what follows it. NULL: the line is too short. */
static const char *function_of(char *line, char **rest) {
    *rest = line;
    next_field(rest);
    next_field(rest);
    return next_field(rest);
}

static int read_counts(const struct reader *reader, const char *hash, char *rest,
                       struct trace *trace) {
    snprintf(trace->function, sizeof trace->function, "%s", hash);
    trace->total = 0;
    next_field(&rest);
    for (size_t i = 0; i < trace->minutes; i++) {
        if (read_count(reader, i + 1, next_field(&rest), &trace->counts[i]) != 0)
            return -1;
        trace->total += trace->counts[i];
    }
    return rest ? error_set(reader->err, "%s:%u: more counts than the header has minutes (%zu)",
                            reader->path, reader->number, trace->minutes)
                : 0;
}

/* The whole file, unless the first or the very function is found before: a prefix must fit one. */
static int find(struct reader *reader, const char *function, struct trace *trace) {
    bool seen = false;
    int found;
    while ((found = next_line(reader)) > 0) {
        char *rest;
        const char *hash = function_of(reader->line, &rest);
        if (!hash)
            return error_set(reader->err, "%s:%u: no HashFunction", reader->path, reader->number);
        bool exact = !function || strcmp(hash, function) == 0;
        if (!exact && strncmp(hash, function, strlen(function)) != 0)
            continue;
        if (!exact && seen && strcmp(hash, trace->function) != 0)
            return error_set(reader->err,
                             "%s: '%s' begins two functions, %.16s… and %.16s…: give more of it",
                             reader->path, function, trace->function, hash);
        if ((exact || !seen) && read_counts(reader, hash, rest, trace) != 0)
            return -1;
        if (exact)
            return 0;
        seen = true;
    }
    if (found < 0 || seen)
        return found;
    return function ? error_set(reader->err, "%s: no function '%s'", reader->path, function)
                    : error_set(reader->err, "%s: no function in it", reader->path);
}

int trace_read(struct trace *trace, const char *path, const char *function, struct error *err) {
    autofclose FILE *stream = fopen(path, "re");
    struct reader reader = {.path = path, .stream = stream, .err = err};
    if (!stream)
        return error_errno(err, "read %s", path);
    int outcome = read_header(&reader, trace);
    if (outcome == 0)
        outcome = find(&reader, function, trace);
    free(reader.line);
    return outcome;
}
