#include "load/table.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#define BLANKS " \t"

/* What people hand over instead, by its first bytes. */
static const struct {
    const char *bytes;
    size_t size;
    const char *what, *remedy;
} foreign[] = {
    {"\xfd"
     "7zXZ",
     6, "compressed by xz", "xz -d, or tar -xJf if it is a tar"},
    {"\x28\xb5\x2f\xfd", 4, "compressed by zstd", "zstd -d"},
    {"BZh", 3, "compressed by bzip2", "bzip2 -d"},
    {"\x04\x22\x4d\x18", 4, "compressed by lz4", "lz4 -d"},
    {"\x1f\x8b", 2, "compressed by gzip twice", "gzip -d"},
    {"PK\3\4", 4, "a zip archive, or an Excel workbook", "unzip, or save as CSV"},
    {"7z\xbc\xaf\x27\x1c", 6, "a 7z archive", "7z x"},
    {"Rar!", 4, "a rar archive", "unrar x"},
    {"PAR1", 4, "a Parquet file", "write it as CSV"},
    {"\xff\xfe\0\0", 4, "text in UTF-32", "iconv -f UTF-32 -t UTF-8"},
    {"\xff\xfe", 2, "text in UTF-16", "iconv -f UTF-16 -t UTF-8, or save as CSV UTF-8"},
    {"\xfe\xff", 2, "text in UTF-16", "iconv -f UTF-16 -t UTF-8, or save as CSV UTF-8"},
};

int table_refuse(const struct table *table, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *c = text; *c; c++) /* what stands in the file goes into one line */
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    return error_set(table->err, "%s:%lu: %s", table->path, table->line, text);
}

struct table *table_open(int fd, const char *path, struct error *err) {
    struct table *table = calloc(1, sizeof *table);
    void *stream = table ? gzdopen(fd, "rb") : NULL;
    if (!stream) {
        error_errno(err, "read %s", path);
        close(fd);
        free(table);
        return NULL;
    }
    table->path = path;
    table->err = err;
    table->stream = stream;
    return table;
}

void table_close(struct table *table) {
    gzclose_r(table->stream);
    free(table->text);
    free(table);
}

/* ---- lines ---- */

static bool begins(const struct table *table, const char *bytes, size_t size) {
    return table->end >= size && memcmp(table->bytes, bytes, size) == 0;
}

/* What the file is, by its first bytes. */
static int check_begin(struct table *table) {
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (begins(table, foreign[i].bytes, foreign[i].size))
            return error_set(table->err, "%s: %s: make plain text of it first: %s", table->path,
                             foreign[i].what, foreign[i].remedy);
    if (table->end >= 262 && memcmp(table->bytes + 257, "ustar", 5) == 0)
        return error_set(table->err, "%s: a tar archive: unpack it first: tar -xf", table->path);
    if (begins(table, "\xef\xbb\xbf", 3))
        table->at = 3;
    return 0;
}

/* More bytes. 0: there are none. */
static int fill(struct table *table) {
    int code, got = gzread(table->stream, table->bytes, sizeof table->bytes);
    const char *why = gzerror(table->stream, &code);
    if (got < 0 && code == Z_ERRNO)
        return error_errno(table->err, "read %s", table->path);
    if (got < 0 || (got == 0 && code != Z_OK && code != Z_STREAM_END))
        return error_set(table->err, "%s: damaged, or cut off: %s", table->path,
                         strncmp(why, "<fd:", 4) == 0 ? why + strcspn(why, " ") + 1 : why);
    bool first = table->total == 0;
    table->at = 0;
    table->end = (size_t)got;
    table->total += table->end;
    if (table->total > TABLE_MOST)
        return error_set(
            table->err,
            "%s: more than %zu MiB, unpacked: take out the lines that are needed (grep)",
            table->path, TABLE_MOST >> 20);
    if (first && got > 0 && check_begin(table) < 0)
        return -1;
    return got > 0;
}

/* Add these bytes to the line. */
static int append(struct table *table, const char *bytes, size_t size) {
    if (table->length + size >= table->capacity) {
        table->capacity = 2 * table->capacity + size + 256;
        char *larger = realloc(table->text, table->capacity);
        if (!larger)
            return error_errno(table->err, "read %s", table->path);
        table->text = larger;
    }
    memcpy(table->text + table->length, bytes, size);
    table->text[table->length += size] = '\0';
    if (table->length > TABLE_LINE_MOST)
        return table_refuse(table, "a line of more than %d bytes: is it a table?", TABLE_LINE_MOST);
    return 0;
}

/* Bytes up to a line's end, of which there are some. */
static size_t span(const struct table *table) {
    const char *from = table->bytes + table->at;
    size_t size = table->end - table->at;
    const char *lf = memchr(from, '\n', size);
    size = lf ? (size_t)(lf - from) : size;
    const char *cr = memchr(from, '\r', size);
    return cr ? (size_t)(cr - from) : size;
}

/* The next line, without its end. 0: there is none. */
static int read_line(struct table *table) {
    bool any = false;
    table->length = 0;
    if (++table->line > TABLE_LINES_MOST)
        return table_refuse(table, "more than %d lines: take out those that are needed (grep)",
                            TABLE_LINES_MOST);
    for (;;) {
        int more = table->at < table->end ? 1 : fill(table);
        if (more <= 0)
            return more < 0 ? -1 : any;
        if (table->after_cr && table->bytes[table->at] == '\n')
            table->at++;
        else {
            size_t size = span(table);
            if (append(table, table->bytes + table->at, size) < 0)
                return -1;
            any = true;
            table->at += size;
            if (table->at < table->end) {
                table->after_cr = table->bytes[table->at++] == '\r';
                return 1;
            }
        }
        table->after_cr = false;
    }
}

/* The one that the line has most of, outside of quotes; Excel says it itself. */
static char find_separator(const char *line) {
    static const char kinds[] = ",;\t|";
    size_t count[sizeof kinds] = {0}, best = 0;
    bool quoted = false;
    for (const char *c = line; *c; c++) {
        const char *kind = strchr(kinds, *c);
        quoted ^= *c == '"';
        if (kind && !quoted)
            count[kind - kinds]++;
    }
    for (size_t i = 1; kinds[i]; i++)
        best = count[i] > count[best] ? i : best;
    return count[best] ? kinds[best] : line[strcspn(line, BLANKS)] ? ' ' : ',';
}

int table_next(struct table *table) {
    int found;
    while ((found = read_line(table)) > 0) {
        char *line = table->text + strspn(table->text, BLANKS);
        if (strlen(table->text) != table->length)
            return table_refuse(table, "a NUL byte: it is no text, or text in UTF-16");
        if (!*line)
            continue;
        if (!table->separator && strncmp(line, "sep=", 4) == 0 && line[4] && !line[5]) {
            table->separator = line[4];
            continue;
        }
        if (!table->separator)
            table->separator = find_separator(line);
        table->rest = table->separator == '\t' ? table->text : line;
        table->columns = 0;
        return 1;
    }
    return found;
}

/* ---- fields ---- */

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Blanks that are no separators. */
static char *skip_blanks(const struct table *table, char *at) {
    return at + strspn(at, table->separator == '\t' ? " " : BLANKS);
}

static bool ends_field(const struct table *table, char c) {
    return !c || c == table->separator || (table->separator == ' ' && c == '\t');
}

/* The text of a field in quotes, from its first character on, in place. NULL: it does not end. */
static char *unquote(char *from) {
    char *to = from;
    for (; *from; *to++ = *from++)
        if (*from == '"' && *++from != '"') {
            *to = '\0';
            return from;
        }
    return NULL;
}

/* Where the field ends that begins there; its text is what *text is set to. NULL: an error. */
static char *find_end(const struct table *table, char *from, char **text) {
    char *end = *text = from;
    if (*from != '"') {
        const char ends[] = {table->separator, table->separator == ' ' ? '\t' : '\0', '\0'};
        return end + strcspn(end, ends);
    }
    end = unquote(*text = from + 1);
    if (!end)
        table_refuse(table, "column %zu: a quote that does not end in its line",
                     table->columns + 1);
    else if (!ends_field(table, *(table->separator == ' ' ? end : skip_blanks(table, end)))) {
        table_refuse(table, "column %zu: '%.20s' behind a quote", table->columns + 1, end);
        end = NULL;
    }
    return end;
}

static int split_one(struct table *table) {
    char *text, *end = find_end(table, skip_blanks(table, table->rest), &text);
    if (!end)
        return -1;
    char *next = skip_blanks(table, end);
    table->rest = !*next ? NULL : table->separator == ' ' ? next : next + 1;
    *end = '\0';
    text += strspn(text, BLANKS);
    for (size_t length = strlen(text); length && is_blank(text[length - 1]);)
        text[--length] = '\0';
    table->fields[table->columns++] = text;
    return 0;
}

int table_split(struct table *table, size_t columns) {
    while (table->rest && table->columns < columns) {
        if (table->columns == TABLE_COLUMNS_MOST)
            return table_refuse(table, "more than %d columns: is it a trace?", TABLE_COLUMNS_MOST);
        if (split_one(table) < 0)
            return -1;
    }
    return (int)table->columns;
}

bool table_number(const struct table *table, const char *text, double *number) {
    char copy[64], *comma, *end;
    size_t length = strlen(text);
    if (!length || length >= sizeof copy || strspn(text, "0123456789.,eE+-") != length)
        return false;
    strcpy(copy, text);
    comma = strchr(copy, ',');
    if (comma && table->separator != ',')
        *comma = '.';
    *number = strtod(copy, &end);
    return !*end && isfinite(*number);
}
