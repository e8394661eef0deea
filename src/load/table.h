/* Tables as text, from whatever program: a line a row, the first with the columns' names. Fields
 * stand between commas, semicolons, tabs, bars or blanks, whichever the first line has most of;
 * bare or in double quotes (a quote in them doubled), blanks around them do not count. Lines end in
 * LF, CRLF or CR; empty ones are passed over, a byte order mark of UTF-8, and Excel's "sep=;". The
 * file may be compressed by gzip.
 *
 * Whatever else is there is refused in a line that says so: other compressions and archives,
 * UTF-16, a line, or a file, of any length. */
#ifndef SLS_LOAD_TABLE_H
#define SLS_LOAD_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

#define TABLE_LINE_MOST (1 << 20)    /* bytes */
#define TABLE_COLUMNS_MOST 2000      /* fields of a line */
#define TABLE_MOST ((size_t)1 << 30) /* bytes, unpacked; Azure's largest has a third of it */
#define TABLE_LINES_MOST 10000000    /* … two million */

struct table {
    const char *path;
    struct error *err;
    void *stream;       /* zlib's, which reads plain files, too */
    char separator;     /* ' ': any number of blanks; '\0': not known yet */
    unsigned long line; /* its number, from 1 */
    size_t columns;     /* fields of the line that are in `fields` so far */
    char *fields[TABLE_COLUMNS_MOST];
    char *text, *rest; /* the line; what of it is not split yet, or NULL */
    size_t length, capacity, total;
    size_t at, end; /* of what was read and is in no line yet */
    bool after_cr;
    char bytes[1 << 16];
};

/* `path` is for messages. The descriptor is the table's from now on. NULL with an error. */
struct table *table_open(int fd, const char *path, struct error *err);
void table_close(struct table *table);

/* The next line that is not empty, of which no field has been split off. 0: there is none. -1: an
 * error. */
int table_next(struct table *table);

/* Split the line until it has so many fields, or ends: how many it has. -1: an error. */
int table_split(struct table *table, size_t columns);

/* An error of this line. Always -1. */
int table_refuse(const struct table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A number, and nothing else: no blank, no hexadecimal one, no infinity. Where fields are not
 * between commas, a comma may be its point. False: it is none. */
bool table_number(const struct table *table, const char *text, double *number);

#endif
