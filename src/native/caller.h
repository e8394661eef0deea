/* What the client would send to a function, and judge of its replies; for those who call it
 * themselves, because the call is a part of what they time. */
#ifndef SLS_NATIVE_CALLER_H
#define SLS_NATIVE_CALLER_H

#include <jansson.h>

#include "client/inputs.h"
#include "client/options.h"
#include "common/error.h"
#include "engine/sim.h"
#include "lib/client.h"

struct caller {
    json_t *words; /* the client's command line; the options point into it */
    const char **argv;
    struct options options;
    struct inputs inputs;
};

/* The client's options for so many invocations of a function, as a command line that begins with
 * the program. The caller's. */
json_t *caller_words(const struct sim_options *run, const struct function *function,
                     const char *address, unsigned invocations);

/* For so many invocations; 0: nobody knows how many. The address comes with each connection.
 * Followed by caller_free() in any case. */
int caller_prepare(struct caller *caller, const struct sim_options *run,
                   const struct function *function, unsigned invocations, struct error *err);

/* A connection to the port of this computer. NULL on failure. */
struct grpc_client *caller_connect(const struct caller *caller, unsigned port, struct error *err);

/* The index-th input: 0 if the reply is right. *text (may be NULL) is what it says; the caller
 * frees it. */
int caller_invoke(struct caller *caller, struct grpc_client *client, long index, char **text,
                  struct error *err);

void caller_free(struct caller *caller);

#endif
