/* In what state a function meets its invocations: slsuite run --start. */
#ifndef SLS_ENGINE_START_H
#define SLS_ENGINE_START_H

#include "common/error.h"
#include "model/parameters.h"

enum start_kind {
    START_WARM,     /* started and warmed up */
    START_COLD,     /* its container is yet to be created, and that is what is measured */
    START_LUKEWARM, /* warm software, but what the hardware had cached and learnt is gone */
};

extern const char *const start_names[]; /* by kind; NULL-terminated */

extern const char *const start_phases[]; /* of a cold one, in order; NULL-terminated */

/* How many invocations are measured if nobody says:
 * the simulation of a cold start is the same each time. */
unsigned start_invocations(enum start_kind kind);

/* By name. */
int start_parse(const char *name, enum start_kind *kind, struct error *err);

/* The parts of this system (model/flush.h) that are flushed before each invocation: of a lukewarm
 * start those in the list "l1,llc", or for "all" and NULL all that there are; else none. */
int start_flush(enum start_kind kind, const char *list, const struct model_parameters *system,
                unsigned *parts, struct error *err);

#endif
