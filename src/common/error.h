/* The one error type. A fallible function takes a `struct error *` as its last parameter and
 * returns 0 (or a valid pointer) on success, -1 (or NULL) on failure with the error filled in.
 * main() prints it as `slsuite: TEXT` and exits with STATUS. A text reads "what failed: why: what
 * to do". */
#ifndef SLS_COMMON_ERROR_H
#define SLS_COMMON_ERROR_H

struct error {
    int status;      /* exit status it asks for: 1 failure, 2 usage; 0 while there is no error */
    char text[2048]; /* one line, no newline */
};

/* Fill in err (may be NULL) with a formatted text and exit status 1. Always returns -1. */
int error_set(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, followed by ": " and the description of the current errno. Always returns -1. */
int error_errno(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same as error_set, but with exit status 2 (wrong usage). Always returns -1. */
int error_usage(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Append ": " and a formatted remedy to an error that is already set. Always returns -1. */
int error_hint(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
