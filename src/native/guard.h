/* A process that outlives us, however we end, and then removes what we made: containers, images and
 * the folder of our files (recipes/remove-instances). So there is one way to clear away, and no
 * instant at which a kill leaves something behind. */
#ifndef SLS_NATIVE_GUARD_H
#define SLS_NATIVE_GUARD_H

#include <sys/types.h>

#include "common/error.h"

struct guard {
    char *folder; /* new, empty; ours while the guard is open */
    int life;     /* the guard waits for its end */
    pid_t id;
};

int guard_open(struct guard *guard, struct error *err);

/* Before a container or an image of this name is made: what is to be removed. */
int guard_note_instance(const struct guard *guard, const char *name, const char *runtime,
                        struct error *err);
int guard_note_image(const struct guard *guard, const char *name, const char *runtime,
                     struct error *err);

/* It was removed by us. */
void guard_forget_instance(const struct guard *guard, const char *name);

/* Remove all that is left, and wait until that is done. */
void guard_close(struct guard *guard);

#endif
