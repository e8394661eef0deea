/* What a guest says on its channel (docs/architecture.md), in whatever engine, line by line, and
 * what of it tells why it failed. */
#ifndef SLS_ENGINE_GUEST_WORDS_H
#define SLS_ENGINE_GUEST_WORDS_H

#include <stdbool.h>

#include "common/error.h"
#include "engine/guest.h"

/* What has been learnt about a failure while its details still arrive. {0} at first. */
struct guest_words {
    bool failed, checkpoint, done;
    char text[1024]; /* what failed */
    char cause[512]; /* what brought that about; "": not known */
    char last[512];  /* its last line of output */
    char stage[64];  /* what the guest is at; "": it has not said so */
};

/* One line of the channel. Lines that are none of ours (the firmware logs to the same port) are
 * passed over. Returns true when the run script has ended. */
bool guest_words_take(struct guest_words *words, struct guest *guest, const char *line);

/* It failed, unless that is known already: `format` with two texts. */
void guest_words_fail(struct guest_words *words, const char *format, const char *a, const char *b);

/* Show the end of the guest's console, and make an error of what is known. -1. */
int guest_words_error(const struct guest_words *words, const struct guest *guest,
                      struct error *err);

#endif
