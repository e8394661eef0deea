/* QEMU saves three clocks in the section `timer` (system/cpu-timers.c, vmstate_timers): the time
 * stamp counter's and the clock's offset to the host's, which `-icount` does not use, and in its
 * subsection `timer/icount` the guest's clock: instructions executed and a bias, the time that was
 * skipped while all cores slept.
 *
 * A stopped core counts as asleep. Between the precise stop and the moment when QEMU's main thread
 * sees it, that thread may skip once more, to the next timer, or may not: it depends on the host,
 * and moves the guest's clock by up to a tick. So the bias is worked out anew. */
#include "engine/state.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"

/* From the guest's reading of its clock to the stop, some thousand instructions of a nanosecond
 * each; the clock must not go back. */
#define LATER_NS 100000

static const char timer[] = "\5timer\0\0\0\0\0\0\0\2"; /* name, instance 0, version 2 */
static const char icount[] = "\5\14timer/icount\0\0\0\1";

/* Numbers are big-endian. */
struct __attribute__((packed)) clocks {
    char timer[sizeof timer - 1];
    uint64_t tsc_offset, unused, clock_offset;
    char icount[sizeof icount - 1];
    uint64_t bias, instructions;
};

int state_set_clocks(const char *state_file, uint64_t guest_clock, struct error *err) {
    size_t size;
    autofree char *state = file_read(state_file, &size, err);
    if (!state)
        return -1;
    struct clocks *clocks = memmem(state, size, timer, sizeof timer - 1);
    if (!clocks || (size_t)(state + size - (char *)clocks) < sizeof *clocks ||
        memcmp(clocks->icount, icount, sizeof icount - 1) != 0)
        return error_set(err,
                         "cannot save the checkpoint: this QEMU keeps its clocks otherwise: use "
                         "the distribution's");
    clocks->tsc_offset = clocks->clock_offset = 0;
    clocks->bias = htobe64(guest_clock + LATER_NS - be64toh(clocks->instructions));
    return file_write(state_file, state, size, err);
}
