/* The summary of a load run on standard output: text, JSON or CSV. */
#ifndef SLS_GUEST_CLIENT_SUMMARY_H
#define SLS_GUEST_CLIENT_SUMMARY_H

#include "client/options.h"
#include "client/schedule.h"
#include "client/tally.h"

/* `schedule` has been prepared. */
void summary_print(const struct options *options, const struct tally *tally,
                   const struct schedule *schedule);

#endif
