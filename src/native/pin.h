/* Which processor we run on. */
#ifndef SLS_NATIVE_PIN_H
#define SLS_NATIVE_PIN_H

#include <sched.h>

#include "common/error.h"

/* This thread, and the programs that it starts. */
static inline int pin_to(unsigned cpu, struct error *err) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) < 0
               ? error_errno(err, "cannot run on processor %u", cpu)
               : 0;
}

#endif
