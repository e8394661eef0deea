/* What of a machine can be told to forget what it holds: parts, a bit each. */
#ifndef SLS_MODEL_FLUSH_H
#define SLS_MODEL_FLUSH_H

#include "model/parameters.h"

enum flush_part {
    FLUSH_L1 = 1,  /* both L1s of every core; of caches, always with their prefetchers */
    FLUSH_L2 = 2,  /* every core's */
    FLUSH_LLC = 4, /* the levels behind that: L3 and LLC */
    FLUSH_TLB = 8, /* all levels, and what page walks have cached */
    FLUSH_BP = 16, /* branch predictors: directions, targets, returns */
    FLUSH_ALL = 31
};

/* The parts that a machine of these parameters has. */
unsigned flush_parts_of(const struct model_parameters *parameters);

/* The parts in a list of names, "l1,llc"; 0: one of these is no part's. */
unsigned flush_parse(const char *list);

/* The list of these parts, in order. */
enum { FLUSH_TEXT = 24 };
void flush_print(unsigned parts, char list[FLUSH_TEXT]);

#endif
