/* What the files that make a suite share. */
#ifndef SLS_ENGINE_SUITE_PARTS_H
#define SLS_ENGINE_SUITE_PARTS_H

#include "engine/simulation.h"
#include "engine/suite.h"
#include "model/flush.h"
#include "results/suite.h"

struct suite {
    const struct suite_options *options;
    struct simulation simulation; /* the system; the image, once it is prepared */
    char flush[FLUSH_TEXT];       /* what the runs' manifests say of it; "": nothing */
    char *folder;
    int lock;                    /* on the folder; -1: none */
    struct suite_entry *entries; /* one a function; with a mean, it is whole */
    size_t count;
};

/* DIR/FUNCTION, and DIR/.FUNCTION.log, where a run's
 * process says what it does. The caller frees them. */
char *suite_run_folder(const struct suite *suite, const struct suite_entry *entry);
char *suite_log(const struct suite *suite, const struct suite_entry *entry);

/* Run all functions that are not whole. Afterwards each is, or has an error. */
void suite_run_jobs(struct suite *suite);

#endif
