/* Replacement policies. A new one is one file like replacement_srrip.c and one line in the table of
 * replacement.c.
 *
 * A policy is told of hits and fills in a set and picks the victim when every way is in use. Lines
 * stay in their ways. For its own use it has a byte a way (an age, a prediction) and 64 bits a set;
 * all are zero at the start. */
#ifndef SLS_MODEL_REPLACEMENT_H
#define SLS_MODEL_REPLACEMENT_H

#include <stdint.h>

struct cache_set {
    uint64_t *lines; /* as in cache.h: not to be changed */
    uint8_t *notes;  /* the policy's own: one a way */
    uint64_t *bits;  /* the policy's own: one a set */
    unsigned ways;
};

struct replacement_policy {
    const char *name;
    /* The line in this way was used. NULL: the way used longest ago goes. The cache keeps the order
     * of use itself, needs none of these, and a hit of what was used last costs but a compare. */
    void (*hit)(struct cache_set set, unsigned way);
    /* A new line was put into this way. */
    void (*fill)(struct cache_set set, unsigned way);
    /* The way to give up. All are in use. */
    unsigned (*victim)(struct cache_set set);
    /* Before the first use of a set, and after a flush: `number` is the set's. NULL: zeros do. */
    void (*start)(struct cache_set set, uint64_t number);
};

/* All policies' names, NULL-terminated. */
extern const char *const replacement_names[];
/* NULL when there is none of this name. */
const struct replacement_policy *replacement_find(const char *name);

#endif
