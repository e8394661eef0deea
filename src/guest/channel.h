/* The channel: guest → host lines (docs/architecture.md lists them). At QEMU's debug console, I/O
 * port 0x402: writing takes no interrupt, no buffer and no host thread, so it is deterministic. In
 * gem5 it is the file `channel` of its output folder. Both need root (ioperm, /run). On this
 * computer it is a socket, whose descriptor $SLSUITE_CHANNEL names. */
#ifndef SLS_GUEST_CHANNEL_H
#define SLS_GUEST_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

/* 0, or -1 when there is no channel: the other calls then do nothing. Call m5_init() before: that
 * knows gem5. */
int channel_open(void);

/* Give the right to the ports up. For a child that is to start a function: it would inherit the
 * right, and the function would pay for it at each of its context switches. */
void channel_close(void);

/* One line; the newline is added, and newlines within become spaces. At most 4 kB. */
void channel_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Raw bytes, as announced by a line `file NAME SIZE`. */
void channel_bytes(const void *data, size_t size);

/* On this computer, where a mark is a NOP: tell of it, and wait until the host has read its
 * counters. Elsewhere nothing. */
void channel_mark(unsigned operation, uint64_t argument);

/* The precise stop; in gem5, its checkpoint. Tells the clock, for QEMU's own may be moved by the
 * stop; then the machine pauses at one instruction, and goes on with the next when the host says
 * so. 0, or -1 when the machine has no such device. */
int channel_stop(void);

#endif
