/* Functions on this computer: in a container, if there is a runtime that can, else as a process
 * under a changed root. Without root. */
#ifndef SLS_IMAGE_HOST_H
#define SLS_IMAGE_HOST_H

#include <jansson.h>

#include "common/error.h"
#include "image/function.h"
#include "image/listener.h"

/* Run it, listening on 127.0.0.1:PORT, until it or we are ended. */
int host_serve(const struct function *function, unsigned port, struct error *err);

/* Run it, and have the client check the replies to so
 * many of its inputs, and to so many random ones. */
int host_test(const struct function *function, unsigned invocations, struct error *err);

/* For those who run it in another way. Its files unpacked below `place`, and a command that runs
 * its services until the command that is to follow it has ended: empty, if there are none. */
int host_lay_out(const struct function *function, const struct listeners *listeners,
                 const char *place, json_t *services, struct error *err);

/* Of a function that was laid out there, an OCI bundle of its own, listening on 127.0.0.1:PORT.
 * *process, how it is to be run, is the caller's. */
int host_write_bundle(const struct function *function, const struct listeners *listeners,
                      const char *place, unsigned port, const char *bundle, json_t **process,
                      struct error *err);

/* Add the words of a command that runs it without a container runtime: under a changed root. The
 * user is ours. */
void host_add_root_command(json_t *command, const char *bundle, const json_t *process);

/* The strings of an array, for process_start(). They stay its own; the caller frees the list. */
const char **host_words(const json_t *command);

#endif
