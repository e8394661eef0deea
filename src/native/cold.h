/* Cold starts on this computer: from the container's creation to the first reply, again and again,
 * in phases. */
#ifndef SLS_NATIVE_COLD_H
#define SLS_NATIVE_COLD_H

#include "native/home.h"
#include "results/results.h"

/* The repetitions: their replies, with the latency from the creation on. */
struct cold {
    struct client_reply *replies; /* owned; also each text */
    size_t count;
};

/* As many as the options say. Writes samples_read()'s file: an interval each, with the times of its
 * phases as statistics. */
int cold_measure(struct native_home *home, struct cold *cold, const char *samples,
                 struct manifest *manifest, struct error *err);
void cold_free(struct cold *cold);

#endif
