/* The device state of a checkpoint: QEMU's migration stream, cleansed of the host's time. */
#ifndef SLS_ENGINE_STATE_H
#define SLS_ENGINE_STATE_H

#include <stdint.h>

#include "common/error.h"

/* Set the clocks in the file: the guest's, in nanoseconds, to what depends on the guest alone, and
 * the host's to nothing. `guest_clock` is what the guest read just before it stopped. Returns
 * STATE_LATE when the machine went on after its stop: this state is not the one of the stop. */
#define STATE_LATE 1
int state_set_clocks(const char *state_file, uint64_t guest_clock, struct error *err);

#endif
