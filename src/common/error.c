#include "common/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fill(struct error *err, int status, const char *format, va_list arguments) {
    if (!err)
        return;
    err->status = status;
    vsnprintf(err->text, sizeof err->text, format, arguments);
    for (char *c = err->text; *c; c++) /* names and texts of files may hold anything */
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
}

static void append(struct error *err, const char *text) {
    if (!err)
        return;
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", text);
}

int error_set(struct error *err, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fill(err, 1, format, arguments);
    va_end(arguments);
    return -1;
}

int error_errno(struct error *err, const char *format, ...) {
    int number = errno;
    va_list arguments;
    va_start(arguments, format);
    fill(err, 1, format, arguments);
    va_end(arguments);
    append(err, strerror(number));
    return -1;
}

int error_usage(struct error *err, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fill(err, 2, format, arguments);
    va_end(arguments);
    return -1;
}

int error_hint(struct error *err, const char *format, ...) {
    char hint[sizeof err->text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(hint, sizeof hint, format, arguments);
    va_end(arguments);
    append(err, hint);
    return -1;
}
