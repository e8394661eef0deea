#include "load/trace.h"

#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "load/table.h"

/* What a column holds. */
enum role {
    PASSED_OVER,
    APP,
    FUNCTION,
    END,
    DURATION,
    MINUTE /* the first; the second is MINUTE + 1 */
};

#define NO_COLUMN SIZE_MAX

struct reader {
    struct table *table;
    struct trace *trace;
    /* What is asked for; NULL: any. */
    const char *wanted, *whole; /* the latter with its application */
    char app[128];              /* or "" */
    /* The columns. */
    size_t columns, of[MINUTE + TRACE_MINUTES_MAX]; /* where each role is, or NO_COLUMN */
    size_t known; /* the first with a role: what is before are row names */
    size_t shift; /* 1: rows have a name that the first line has not */
    /* Whose lines: trace->function. */
    bool exact;         /* it is the very one that is wanted */
    char other[128];    /* which begins so, too, or "" */
    size_t room;        /* in trace->times_ns */
    double *times;      /* s; trace->total of them */
    double first, last; /* of all functions' */
};

/* ---- the columns ---- */

static bool is_minute(const struct table *table, const char *name, double *minute) {
    return table_number(table, name + (*name == 'X'), minute) && *minute == floor(*minute);
}

/* False: it is none of a trace's. */
static bool role_of(const struct table *table, const char *name, size_t *role) {
    static const struct {
        const char *name;
        enum role role;
    } names[] = {{"HashOwner", PASSED_OVER}, {"HashApp", APP},      {"HashFunction", FUNCTION},
                 {"Trigger", PASSED_OVER},   {"app", APP},          {"func", FUNCTION},
                 {"end_timestamp", END},     {"duration", DURATION}};
    double minute;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i].name) == 0) {
            *role = names[i].role;
            return true;
        }
    if (!is_minute(table, name, &minute) || minute < 1 || minute > TRACE_MINUTES_MAX)
        return false;
    *role = MINUTE + (size_t)minute - 1;
    return true;
}

static int add_column(struct reader *reader, size_t column) {
    const char *name = reader->table->fields[column];
    double minute;
    size_t role;
    if (!role_of(reader->table, name, &role)) {
        if (is_minute(reader->table, name, &minute) && reader->known != NO_COLUMN)
            return table_refuse(reader->table, "column %zu: minute %.30s is not from 1 to %d",
                                column + 1, name, TRACE_MINUTES_MAX);
        return reader->known == NO_COLUMN || !*name
                   ? 0
                   : table_refuse(reader->table,
                                  "column %zu: '%.40s' is no column of a trace: remove it",
                                  column + 1, name);
    }
    if (reader->known == NO_COLUMN)
        reader->known = column;
    if (role == PASSED_OVER)
        return 0;
    if (reader->of[role] != NO_COLUMN)
        return table_refuse(reader->table, "column %zu: '%.40s' is there twice", column + 1, name);
    reader->of[role] = column;
    return 0;
}

static bool has(const struct reader *reader, size_t role) {
    return reader->of[role] != NO_COLUMN;
}

static bool has_times(const struct reader *reader) {
    return has(reader, END) || has(reader, DURATION);
}

/* All that is needed is there. */
static int check_columns(struct reader *reader) {
    struct table *table = reader->table;
    size_t minutes = 0;
    for (size_t i = 0; i < TRACE_MINUTES_MAX; i++)
        if (has(reader, MINUTE + i))
            minutes = i + 1;
    if (!has(reader, FUNCTION))
        return table_refuse(
            table,
            "'%.40s' instead of the columns HashOwner,HashApp,HashFunction,Trigger,"
            "1,2,… or app,func,end_timestamp,duration: is it a trace of invocations?",
            table->fields[0]);
    if (has_times(reader))
        return has(reader, END) && has(reader, DURATION) && !minutes
                   ? 0
                   : table_refuse(table,
                                  "columns of both end_timestamp and duration are needed, and "
                                  "none of minutes");
    for (size_t i = 0; i < minutes || i == 0; i++)
        if (!has(reader, MINUTE + i))
            return table_refuse(table, "no column of minute %zu: is it a trace of invocations?",
                                i + 1);
    reader->trace->minutes = minutes;
    return 0;
}

static int read_columns(struct reader *reader) {
    struct table *table = reader->table;
    int found = table_next(table), count;
    if (found <= 0)
        return found < 0 ? -1 : error_set(table->err, "%s: empty: is it a trace?", table->path);
    if ((count = table_split(table, SIZE_MAX)) < 0)
        return -1;
    reader->columns = (size_t)count;
    for (size_t i = 0; i < reader->columns; i++)
        if (add_column(reader, i) < 0)
            return -1;
    return check_columns(reader);
}

/* ---- a line ---- */

/* R's write.table gives rows a name, but no column to it: then what should be a number is one field
 * further on. Asked of the first row. */
static int find_shift(struct reader *reader) {
    size_t number = reader->of[has_times(reader) ? END : MINUTE];
    double any;
    int count = table_split(reader->table, SIZE_MAX);
    if (count < 0)
        return -1;
    char **fields = reader->table->fields;
    reader->shift = reader->known == 0 && (size_t)count == reader->columns + 1 &&
                    !table_number(reader->table, fields[number], &any) &&
                    table_number(reader->table, fields[number + 1], &any);
    return 0;
}

/* This role's field, or NULL: the line ends before. */
static const char *field(const struct reader *reader, size_t role) {
    size_t column = reader->of[role] + reader->shift;
    return column < reader->table->columns ? reader->table->fields[column] : NULL;
}

static size_t column_of(const struct reader *reader, size_t role) {
    return reader->of[role] + reader->shift + 1;
}

/* Split as far as these roles' fields. */
static int split_to(struct reader *reader, size_t one, size_t other) {
    size_t last = has(reader, one) ? column_of(reader, one) : 0;
    if (has(reader, other) && column_of(reader, other) > last)
        last = column_of(reader, other);
    return table_split(reader->table, last);
}

/* Split all of it: it must not have more fields than columns, but for an empty one at its end. */
static int split_rest(struct reader *reader) {
    struct table *table = reader->table;
    size_t count = reader->columns + reader->shift;
    if (table_split(table, count + 1) < 0)
        return -1;
    bool more = table->rest || table->columns > count + 1;
    if (!more && (table->columns <= count || !*table->fields[count]))
        return 0;
    return table_refuse(table, "more fields than there are columns (%zu)", count);
}

static void forget(struct reader *reader) {
    struct trace *trace = reader->trace;
    memset(trace->counts, 0, TRACE_MINUTES_MAX * sizeof *trace->counts);
    trace->total = 0;
}

/* It is printed. */
static bool is_name(const char *text) {
    for (; (unsigned char)*text >= ' ' && *text != 0x7f; text++)
        ;
    return !*text;
}

/* Is the line one of the function's? -1: an error. */
static int choose(struct reader *reader) {
    char *function = reader->trace->function;
    const char *app = has(reader, APP) ? field(reader, APP) : NULL, *hash = field(reader, FUNCTION);
    const char *wanted = reader->wanted;
    if (!hash || !*hash)
        return table_refuse(reader->table, "no HashFunction (column %zu)",
                            column_of(reader, FUNCTION));
    bool whole = wanted && strcmp(hash, reader->whole) == 0; /* a name with a slash in it */
    if (*reader->app && !whole && (!app || strncmp(app, reader->app, strlen(reader->app)) != 0))
        return 0;
    if (*function && strcmp(hash, function) == 0)
        return 1;
    bool exact = !wanted ? !*function : whole || strcmp(hash, wanted) == 0;
    if (reader->exact || (!exact && (!wanted || strncmp(hash, wanted, strlen(wanted)) != 0)))
        return 0;
    if (strlen(hash) >= sizeof reader->trace->function)
        return table_refuse(reader->table, "column %zu: a name of more than %zu bytes",
                            column_of(reader, FUNCTION), sizeof reader->trace->function - 1);
    if (!is_name(hash))
        return table_refuse(reader->table, "column %zu: '%.40s' is no name",
                            column_of(reader, FUNCTION), hash);
    if (*function && !exact) {
        strcpy(reader->other, hash);
        return 0;
    }
    if (*function)
        forget(reader);
    reader->exact = exact;
    strcpy(function, hash);
    return 1;
}

/* ---- counts of minutes ---- */

static int add_count(struct reader *reader, size_t minute) {
    size_t role = MINUTE + minute, column = column_of(reader, role);
    uint32_t *count = &reader->trace->counts[minute];
    const char *text = field(reader, role);
    double number;
    if (!text || !*text)
        return table_refuse(reader->table,
                            "minute %zu is missing (column %zu): 0 if there was none", minute + 1,
                            column);
    if (!table_number(reader->table, text, &number) || number != floor(number))
        return table_refuse(reader->table,
                            "minute %zu: '%.40s' is not a whole number of invocations (column %zu)",
                            minute + 1, text, column);
    if (number < 0 || number > TRACE_COUNT_MAX)
        return table_refuse(reader->table, "minute %zu: %.40s is not from 0 to %d (column %zu)",
                            minute + 1, text, TRACE_COUNT_MAX, column);
    *count += (uint32_t)number;
    reader->trace->total += (uint64_t)number;
    if (*count > TRACE_COUNT_MAX)
        return table_refuse(reader->table,
                            "minute %zu: all lines of the function have more than %d", minute + 1,
                            TRACE_COUNT_MAX);
    return 0;
}

static int add_counts(struct reader *reader) {
    int ours = split_to(reader, APP, FUNCTION) < 0 ? -1 : choose(reader);
    if (ours <= 0)
        return ours;
    if (split_rest(reader) < 0)
        return -1;
    for (size_t i = 0; i < reader->trace->minutes; i++)
        if (add_count(reader, i) < 0)
            return -1;
    return 0;
}

/* ---- times ---- */

static int read_seconds(const struct reader *reader, enum role role, double least,
                        double *seconds) {
    const char *text = field(reader, role), *name = role == END ? "end_timestamp" : "duration";
    if (!text || !*text)
        return table_refuse(reader->table, "no %s (column %zu)", name, column_of(reader, role));
    if (!table_number(reader->table, text, seconds))
        return table_refuse(reader->table, "%s (column %zu): '%.40s' is not a number of seconds",
                            name, column_of(reader, role), text);
    if (*seconds < least || *seconds > 1e13)
        return table_refuse(reader->table, "%s (column %zu): %.40s s is not from %.0f to 1e13",
                            name, column_of(reader, role), text, least);
    return 0;
}

static int keep_time(struct reader *reader, double time) {
    struct trace *trace = reader->trace;
    if (trace->total == reader->room) {
        reader->room = 2 * reader->room + 1024;
        double *larger = realloc(reader->times, reader->room * sizeof *larger);
        if (!larger)
            return error_errno(reader->table->err, "read %s", reader->table->path);
        reader->times = larger;
    }
    reader->times[trace->total++] = time;
    return 0;
}

static int add_time(struct reader *reader) {
    double end, duration;
    if (split_rest(reader) < 0 || read_seconds(reader, END, -1e13, &end) < 0 ||
        read_seconds(reader, DURATION, 0, &duration) < 0)
        return -1;
    double time = end - duration;
    reader->first = fmin(reader->first, time);
    reader->last = fmax(reader->last, time);
    int ours = choose(reader);
    return ours <= 0 ? ours : keep_time(reader, time);
}

static int in_order(const void *one, const void *other) {
    double x = *(const double *)one, y = *(const double *)other;
    return (x > y) - (x < y);
}

/* From seconds at some place to ns from the begin, and counts of minutes. */
static int settle_times(struct reader *reader) {
    struct trace *trace = reader->trace;
    double span = reader->last - reader->first;
    if (span > TRACE_DAYS_MAX * 86400.0)
        return error_set(reader->table->err,
                         "%s: from its first to its last arrival are %.0f days, more than %d: are "
                         "these seconds?",
                         reader->table->path, span / 86400, TRACE_DAYS_MAX);
    trace->minutes = (size_t)(span / 60) + 1;
    uint32_t *counts = calloc(trace->minutes, sizeof *counts);
    trace->times_ns = malloc((trace->total + 1) * sizeof *trace->times_ns);
    if (!counts || !trace->times_ns) {
        free(counts);
        return error_errno(reader->table->err, "read %s", reader->table->path);
    }
    free(trace->counts);
    trace->counts = counts;
    if (trace->total)
        qsort(reader->times, trace->total, sizeof *reader->times, in_order);
    for (size_t i = 0; i < trace->total; i++) {
        double time = reader->times[i] - reader->first;
        trace->times_ns[i] = (uint64_t)llround(time * 1e9);
        counts[(size_t)(time / 60)]++;
    }
    return 0;
}

/* ---- the whole ---- */

/* All lines: a function may have several, and what is wanted may begin several functions. */
static int read_rows(struct reader *reader) {
    const char *path = reader->table->path, *wanted = reader->wanted;
    struct error *err = reader->table->err;
    bool first = true;
    int found;
    for (; (found = table_next(reader->table)) > 0; first = false) {
        if (first && find_shift(reader) < 0)
            return -1;
        if ((has_times(reader) ? add_time(reader) : add_counts(reader)) < 0)
            return -1;
    }
    if (found < 0)
        return -1;
    if (!*reader->trace->function)
        return wanted ? error_set(err, "%s: no function '%s'", path, wanted)
                      : error_set(err, "%s: no function in it", path);
    if (*reader->other && !reader->exact)
        return error_set(err, "%s: '%s' begins two functions, %.16s… and %.16s…: give more of it",
                         path, wanted, reader->trace->function, reader->other);
    return has_times(reader) ? settle_times(reader) : 0;
}

/* APP/FUNCTION, FUNCTION or NULL. */
static int read_wanted(struct reader *reader, const char *function, struct error *err) {
    const char *slash = function ? strchr(function, '/') : NULL;
    reader->whole = function;
    reader->wanted = slash ? slash + 1 : function;
    if (slash && (size_t)(slash - function) >= sizeof reader->app)
        return error_usage(err, "'%.20s…' is no application's hash: it is too long", function);
    if (slash)
        memcpy(reader->app, function, (size_t)(slash - function));
    return 0;
}

int trace_read_from(struct trace *trace, int fd, const char *path, const char *function,
                    struct error *err) {
    struct table *table = table_open(fd, path, err);
    struct reader *reader = table ? calloc(1, sizeof *reader) : NULL;
    *trace = (struct trace){.counts = calloc(TRACE_MINUTES_MAX, sizeof *trace->counts)};
    int result = -1;
    if (table && (!reader || !trace->counts))
        error_errno(err, "read %s", path);
    else if (table) {
        reader->table = table;
        reader->trace = trace;
        reader->known = NO_COLUMN;
        reader->first = INFINITY;
        reader->last = -INFINITY;
        for (size_t i = 0; i < sizeof reader->of / sizeof *reader->of; i++)
            reader->of[i] = NO_COLUMN;
        if (read_wanted(reader, function, err) == 0 && read_columns(reader) == 0)
            result = read_rows(reader);
        free(reader->times);
    }
    free(reader);
    if (table)
        table_close(table);
    if (result < 0)
        trace_free(trace);
    return result;
}

int trace_read(struct trace *trace, const char *path, const char *function, struct error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *trace = (struct trace){0};
    return fd < 0 ? error_errno(err, "read %s", path)
                  : trace_read_from(trace, fd, path, function, err);
}

void trace_free(struct trace *trace) {
    free(trace->counts);
    free(trace->times_ns);
    trace->counts = NULL;
    trace->times_ns = NULL;
}
