/* Logs of histograms as HdrHistogram's own programs read them: version 1.3, a line an interval,
 * each with a histogram in its second encoding (V2: counts as variable-length numbers, deflated,
 * base64). Debian has HdrHistogram for C in no package, so this is ours; zlib deflates. */
#ifndef SLS_LOAD_HDR_LOG_H
#define SLS_LOAD_HDR_LOG_H

#include <stdio.h>

#include "common/error.h"
#include "load/histogram.h"

/* The head. `program` goes into the first comment; the start is in seconds since 1970. */
void hdr_log_begin(FILE *log, const char *program, double start_s);

/* One line: an interval that began so long after the start, and lasted
 * so long. `tag` (may be NULL) keeps it apart from the untagged ones.
 * -1: no memory; whether it was written is the stream's to tell. */
int hdr_log_interval(FILE *log, const char *tag, double begin_s, double length_s,
                     const struct histogram *histogram, struct error *err);

#endif
