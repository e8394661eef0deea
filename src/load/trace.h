/* Traces of invocations, as Azure Functions published them, and as other programs wrote them
 * again (table.h says what tables are read). The columns are found by their names.
 *
 * 2019: invocations_per_function_md.anon.dXX.csv, a line a function and trigger:
 *
 *     HashOwner,HashApp,HashFunction,Trigger,1,2,…,1440
 *     a1…,b2…,c3…,http,0,12,…,3
 *
 * In the columns 1, 2, … stand the invocations of each minute of a day. A trace may be shorter than
 * a day, but its minutes must be all there. HashFunction and they are needed; what R puts before a
 * name that is a number (X1, X2, …) does not matter.
 *
 * 2021: AzureFunctionsInvocationTraceForTwoWeeksJan2021.txt, a line an invocation, in any order:
 *
 *     app,func,end_timestamp,duration
 *     a1…,b2…,0.079,0.063
 *
 * In seconds: an invocation arrived at its end_timestamp less its duration. The trace begins with
 * its first arrival, of whichever function.
 *
 * Columns of row names, before the first of these, are passed over, also where only the rows have
 * one (R's write.table). */
#ifndef SLS_LOAD_TRACE_H
#define SLS_LOAD_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define TRACE_MINUTES_MAX 1440    /* of counts */
#define TRACE_DAYS_MAX 31         /* of times */
#define TRACE_COUNT_MAX 100000000 /* invocations in a minute */

struct trace {
    char function[128]; /* its hash */
    size_t minutes;
    uint64_t total;
    uint32_t *counts; /* of each minute; the caller's trace_free() frees them */
    uint64_t
        *times_ns; /* of each invocation, in order, from the trace's begin; or NULL: not told */
};

/* Read one function's invocations, in all its lines: of the function whose hash is, or else the
 * only one whose hash begins with, `function`; APP/FUNCTION: in that application only, whose hash
 * begins so; NULL: of the first line's. Refused, with file, line and column: columns that are
 * others, counts and times that are missing or no numbers; and no such function, or several. */
int trace_read(struct trace *trace, const char *path, const char *function, struct error *err);

/* The same, from a descriptor, which is closed. */
int trace_read_from(struct trace *trace, int fd, const char *path, const char *function,
                    struct error *err);

void trace_free(struct trace *trace);

#endif
