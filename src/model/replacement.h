/* Replacement policies. A new one is one file like replacement_srrip.c and one line in the table of
 * replacement.c.
 *
 * A policy is told of hits and fills in a set and picks the victim when every way is in use. It may
 * reorder the ways, and answers where the line is now. For its own use it has a byte a way (an age,
 * a prediction), which it moves with the line if it moves lines, and 64 bits a set; all are zero at
 * the start. */
#ifndef SLS_MODEL_REPLACEMENT_H
#define SLS_MODEL_REPLACEMENT_H

#include <stdint.h>

struct cache_set {
    uint64_t *lines; /* as in cache.h: not to be changed, only moved */
    uint8_t *notes;  /* the policy's own: one a way */
    uint64_t *bits;  /* the policy's own: one a set */
    unsigned ways;
};

struct replacement_policy {
    const char *name;
    /* The line in this way was used. Returns its way from now on. NULL for policies that keep the
     * ways in the order of their last use: the look-up does that itself, and a hit in way 0 then
     * costs nothing but a compare. */
    unsigned (*hit)(struct cache_set set, unsigned way);
    /* A new line was put into this way. Returns its way from now on. */
    unsigned (*fill)(struct cache_set set, unsigned way);
    /* The way to give up. All are in use. */
    unsigned (*victim)(struct cache_set set);
    /* Before the first use of a set, and after a flush: `number` is the set's. NULL: zeros do. */
    void (*start)(struct cache_set set, uint64_t number);
};

/* The line in this way comes to way 0, those before it move back by one. */
static inline unsigned move_to_front(struct cache_set set, unsigned way) {
    uint64_t line = set.lines[way];
    for (; way > 0; way--)
        set.lines[way] = set.lines[way - 1];
    set.lines[0] = line;
    return 0;
}

/* All policies' names, NULL-terminated. */
extern const char *const replacement_names[];
/* NULL when there is none of this name. */
const struct replacement_policy *replacement_find(const char *name);

#endif
