/* Replacement policies. A new one is one file like replacement_lru.c and one line in the table of
 * replacement.c.
 *
 * A policy is told of hits and fills in a set and picks the victim when every way is in use. It may
 * reorder the ways, and answers where the line is now. A policy that keeps ages or bits has one
 * byte a way for them, zero at the start; it moves them with their lines. */
#ifndef SLS_MODEL_REPLACEMENT_H
#define SLS_MODEL_REPLACEMENT_H

#include <stdint.h>

struct cache_set {
    uint64_t *lines; /* as in cache.h: not to be changed, only moved */
    uint8_t *notes;  /* the policy's own */
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
