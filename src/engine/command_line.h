/* QEMU's argument vector for the machine of docs/architecture.md. */
#ifndef SLS_ENGINE_COMMAND_LINE_H
#define SLS_ENGINE_COMMAND_LINE_H

#include "engine/machine.h"

/* The descriptors are QEMU's ends of the control socket, the channel and the plugin's events.
 * NULL-terminated; freed with command_line_free(). */
char **command_line_make(const struct machine_options *options, int control, int channel,
                         int events);
void command_line_free(char **arguments);

#endif
