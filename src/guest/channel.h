/* The channel: guest → host lines at QEMU's debug console, I/O port 0x402 (docs/architecture.md
 * lists them). Writing takes no interrupt, no buffer and no host thread, so it is deterministic.
 * Needs root (ioperm). */
#ifndef SLS_GUEST_CHANNEL_H
#define SLS_GUEST_CHANNEL_H

#include <stddef.h>

/* 0, or -1 when there is no channel: the other calls then do nothing. The right to the ports is
 * inherited by children, and costs the holder an I/O bitmap at each context switch. */
int channel_open(void);

/* One line; the newline is added, and newlines within become spaces. At most 4095 bytes are sent.
 */
void channel_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Raw bytes, as announced by a line `file NAME SIZE`. */
void channel_bytes(const void *data, size_t size);

/* The precise stop: the machine pauses at this instruction and goes on with the next when the host
 * says so. 0, or -1 when the machine has no such device. */
int channel_stop(void);

#endif
