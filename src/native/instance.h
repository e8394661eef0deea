/* An instance of a function on this computer: one container, on one processor, listening on
 * 127.0.0.1. Its life in steps, so that each can be timed: create, start, wait until it listens,
 * remove. All share the host's network, so that nothing stands between the client and it. */
#ifndef SLS_NATIVE_INSTANCE_H
#define SLS_NATIVE_INSTANCE_H

#include <jansson.h>
#include <sys/types.h>

#include "common/error.h"
#include "common/process.h"
#include "image/function.h"
#include "image/listener.h"
#include "native/guard.h"

/* Who may run it here; ends with NULL. "none": a changed root in a user name space. */
extern const char *const native_runtimes[];
#define NATIVE_RUNTIMES "auto, crun, runc, podman, docker, none"

/* Where instances of one function live. Everything stays the caller's. */
struct instance_home {
    const struct function *function;   /* prepared */
    const struct guard *guard;         /* with its files unpacked in the folder (host_lay_out()) */
    const struct listeners *listeners; /* its services', on this computer */
    const char *runtime;               /* one of native_runtimes */
    const char *log;                   /* what they and their runtime say */
    unsigned cpu;
    pid_t owner; /* names what all of them share */
};

struct instance {
    const struct instance_home *home;
    char name[64];
    unsigned port;
    pid_t process;      /* the container's first, once it was started */
    char *bundle;       /* its folder */
    json_t *how;        /* OCI `process` */
    struct process own; /* without a runtime it is our child */
};

/* Whether it is Docker or Podman, which keep images and their files in a store of their own. */
bool instance_runtime_has_store(const char *runtime);

/* What a runtime needs once for all instances: Docker and Podman load the image. */
int instance_prepare(const struct instance_home *home, struct error *err);

/* The number-th instance, from 0. Always followed by instance_remove(). */
int instance_create(const struct instance_home *home, unsigned number, struct instance *instance,
                    struct error *err);
int instance_start(struct instance *instance, struct error *err);
int instance_wait(struct instance *instance, struct error *err);

/* Whether it still runs. */
bool instance_runs(const struct instance *instance);

/* End it and remove its container. */
void instance_remove(struct instance *instance);

#endif
