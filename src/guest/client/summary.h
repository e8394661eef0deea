/* The summary of a load run on standard output: text, JSON or CSV. */
#ifndef SLS_GUEST_CLIENT_SUMMARY_H
#define SLS_GUEST_CLIENT_SUMMARY_H

#include "client/options.h"
#include "client/tally.h"

/* `function` is the trace's, or empty. */
void summary_print(const struct options *options, const struct tally *tally, const char *function);

#endif
