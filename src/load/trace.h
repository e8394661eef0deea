/* A trace of invocations, as Azure Functions published them in 2019: CSV files
 * invocations_per_function_md.anon.dXX.csv, a line a function:
 *
 *     HashOwner,HashApp,HashFunction,Trigger,1,2,…,1440
 *     a1…,b2…,c3…,http,0,12,…,3
 *
 * Behind the trigger stand the invocations of each minute of a day. A trace may be shorter than a
 * day, but its minutes must be all there, in order. */
#ifndef SLS_LOAD_TRACE_H
#define SLS_LOAD_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define TRACE_MINUTES_MAX 1440
#define TRACE_COUNT_MAX 100000000 /* invocations in a minute */

struct trace {
    char function[80]; /* its hash */
    size_t minutes;
    uint64_t total;
    uint32_t counts[TRACE_MINUTES_MAX];
};

/* Read one function's line: the first whose hash is, or else the only one whose hash begins with,
 * `function`; NULL: the first line. Refused, with file and line: a header that is another, a count
 * that is missing, negative or no whole number; and no such function, or several. */
int trace_read(struct trace *trace, const char *path, const char *function, struct error *err);

#endif
