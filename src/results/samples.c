#include "results/samples.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"

#define HEADER "# slsuite samples 1"
#define REMEDY "it was cut off or made by another version: run again"

/* Where the reader is, for its error messages. */
struct reader {
    const char *path;
    size_t line;
    struct samples *samples;
    struct error *err;
};

static int bad(const struct reader *reader, const char *why) {
    return error_set(reader->err, "reading %s: line %zu: %s: " REMEDY, reader->path, reader->line,
                     why);
}

/* The array with room for one more element. It doubles when `count` reaches a power of two. */
static void *grow(void *array, size_t count, size_t size) {
    if (count & (count - 1))
        return array;
    array = reallocarray(array, count ? count * 2 : 1, size);
    if (!array)
        abort();
    return array;
}

/* Cut the next tab-separated field off the line; NULL when there is none left. */
static char *next_field(char **line) {
    return strsep(line, "\t");
}

/* strtoull alone accepts signs, blanks and trailing text. */
static bool parse_number(const char *text, int base, uint64_t *value) {
    char *end;
    if (!text || *text < '0' || (*text > '9' && base != 16))
        return false;
    errno = 0;
    *value = strtoull(text, &end, base);
    return *end == '\0' && errno == 0;
}

static int read_statistic(struct reader *reader, char *line) {
    struct samples *samples = reader->samples;
    struct statistic new;
    new.name = next_field(&line);
    new.unit = next_field(&line);
    new.description = next_field(&line);
    if (samples->mark_count)
        return bad(reader, "a statistic is declared after the first mark");
    if (!new.name || !*new.name || !new.unit || !new.description || line)
        return bad(reader, "a statistic needs exactly a name, a unit and a description");
    if (strchr(new.name, ' '))
        return bad(reader, "the name of a statistic has a blank");
    if (samples_find(samples, new.name) >= 0)
        return bad(reader, "this statistic was declared before");
    samples->statistics = grow(samples->statistics, samples->statistic_count, sizeof new);
    samples->statistics[samples->statistic_count++] = new;
    return 0;
}

static int read_values(struct reader *reader, char *line, struct mark *mark) {
    const struct samples *samples = reader->samples;
    const struct mark *before = samples->mark_count ? mark - 1 : NULL;
    for (size_t i = 0; i < samples->statistic_count; i++) {
        char *text = next_field(&line);
        if (!text)
            return bad(reader, "fewer values than statistics");
        if (!parse_number(text, 10, &mark->values[i]))
            return bad(reader, "a value is not a number");
        if (before && mark->values[i] < before->values[i])
            return bad(reader, "a cumulative value is smaller than at the mark before");
    }
    return line ? bad(reader, "more values than statistics") : 0;
}

static int read_mark(struct reader *reader, char *line) {
    struct samples *samples = reader->samples;
    uint64_t code;
    struct mark new = {0};
    if (!parse_number(next_field(&line), 16, &code) || code > UINT16_MAX ||
        !parse_number(next_field(&line), 0, &new.arguments[0]) ||
        !parse_number(next_field(&line), 0, &new.arguments[1]))
        return bad(reader, "a mark needs a code and two arguments, all numbers");
    new.code = code;
    new.values = calloc(samples->statistic_count + 1, sizeof *new.values);
    if (!new.values)
        abort();

    samples->marks = grow(samples->marks, samples->mark_count, sizeof new);
    struct mark *mark = &samples->marks[samples->mark_count];
    *mark = new;
    int result = read_values(reader, line, mark);
    samples->mark_count++;
    return result;
}

static int read_lines(struct reader *reader, size_t size) {
    char *rest = reader->samples->text;
    if (strlen(rest) != size)
        return error_set(reader->err, "reading %s: it has a NUL byte: " REMEDY, reader->path);
    for (; *rest;) {
        char *line = rest, *end = strchr(line, '\n');
        reader->line++;
        if (!end)
            return bad(reader, "the last line is not whole");
        *end = '\0';
        rest = end + 1;

        if (reader->line == 1) {
            if (strcmp(line, HEADER) != 0)
                return bad(reader, "not \"" HEADER "\"");
            continue;
        }
        const char *kind = next_field(&line);
        int result = !strcmp(kind, "stat")   ? read_statistic(reader, line)
                     : !strcmp(kind, "mark") ? read_mark(reader, line)
                                             : bad(reader, "neither stat nor mark");
        if (result)
            return result;
    }
    if (reader->line == 0)
        return error_set(reader->err, "reading %s: it is empty: " REMEDY, reader->path);
    return 0;
}

struct samples *samples_read(const char *path, struct error *err) {
    size_t size;
    char *text = file_read(path, &size, err);
    if (!text)
        return NULL;
    struct samples *samples = calloc(1, sizeof *samples);
    if (!samples)
        abort();
    samples->text = text;
    struct reader reader = {path, 0, samples, err};
    if (read_lines(&reader, size) == 0)
        return samples;
    samples_free(samples);
    return NULL;
}

void samples_free(struct samples *samples) {
    if (!samples)
        return;
    for (size_t i = 0; i < samples->mark_count; i++)
        free(samples->marks[i].values);
    free(samples->marks);
    free(samples->statistics);
    free(samples->text);
    free(samples);
}

ssize_t samples_find(const struct samples *samples, const char *name) {
    for (size_t i = 0; i < samples->statistic_count; i++)
        if (!strcmp(samples->statistics[i].name, name))
            return i;
    return -1;
}
