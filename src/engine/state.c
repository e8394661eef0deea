/* QEMU saves three clocks in the section `timer` (system/cpu-timers.c, vmstate_timers): the time
 * stamp counter's and the clock's offset to the host's, which `-icount` does not use, and in its
 * subsection `timer/icount` the guest's clock: instructions executed and a bias, the time that was
 * skipped while all cores slept.
 *
 * A stopped core counts as asleep. Between the precise stop and the moment when QEMU's main thread
 * sees it, that thread may skip once more, to the next timer, or may not: it depends on the host,
 * and moves the guest's clock by up to a tick. So the bias is worked out anew.
 *
 * Sometimes, on a busy host, the timer that the clock was moved to even goes off: the tick of a
 * core. Its interrupt is then on its way in the core's APIC (hw/intc/apic_common.c,
 * vmstate_apic_common), and this is another state. */
#include "engine/state.h"

#include <endian.h>
#include <stdbool.h>
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

static const char apic[] = "\4apic"; /* name; instance and version follow */
#define APIC_VERSION 3
/* From the guest's reading of its clock to its stop are about a thousand instructions. A timer that
 * goes off meanwhile does so each time. */
#define STOPPED_NS 5000

struct __attribute__((packed)) apic {
    char name[sizeof apic - 1];
    uint32_t instance, version;
    char before[77];
    uint32_t requested[8]; /* interrupts, a bit each */
    uint32_t timer_vector; /* and its mode */
    char between[44];
    uint64_t loaded, next, expiry; /* of the timer; expiry is -1 when it does not run */
};

static bool is_late(const struct apic *core, uint64_t guest_clock) {
    unsigned vector = be32toh(core->timer_vector) & 0xff;
    bool requested = be32toh(core->requested[vector / 32]) >> vector % 32 & 1;
    return requested && be64toh(core->expiry) == UINT64_MAX &&
           be64toh(core->next) > guest_clock + STOPPED_NS;
}

/* Whether a core's timer went off that was due only after the stop. */
static bool went_off(const char *state, size_t size, uint64_t guest_clock) {
    const char *end = state + size, *at = state;
    for (; (at = memmem(at, (size_t)(end - at), apic, sizeof apic - 1)); at++) {
        const struct apic *core = (const void *)at;
        if ((size_t)(end - at) >= sizeof *core && be32toh(core->version) == APIC_VERSION &&
            is_late(core, guest_clock))
            return true;
    }
    return false;
}

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
    if (went_off(state, size, guest_clock))
        return STATE_LATE;
    clocks->tsc_offset = clocks->clock_offset = 0;
    clocks->bias = htobe64(guest_clock + LATER_NS - be64toh(clocks->instructions));
    return file_write(state_file, state, size, err);
}
