/* Numbers with units as system files write them: "16 kB", "2.5 GHz", "12 cycles". */
#ifndef SLS_SYSTEM_NUMBER_H
#define SLS_SYSTEM_NUMBER_H

#include "model/parameters.h"

/* DIGITS[.DIGITS] [UNIT], worth a whole number of base units. Returns what is wrong, or NULL. */
const char *number_parse(const char *text, enum parameter_unit unit, uint64_t *number);

#endif
