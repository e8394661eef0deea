/* A function made ready to run on this computer, whatever is then measured of it: its files, its
 * services, processors, and the runtime that can. */
#ifndef SLS_NATIVE_HOME_H
#define SLS_NATIVE_HOME_H

#include "common/error.h"
#include "image/function.h"
#include "native/guard.h"
#include "native/host_state.h"
#include "native/instance.h"
#include "native/native.h"

struct native_home {
    const struct native_options *options;
    struct function function;
    struct host_cpus cpus;
    struct host_times before; /* when it was opened: shares of time are since then */
    struct guard guard;
    char *log; /* in the guard's folder */
    struct listeners listeners;
    struct process services; /* the command that runs them all */
    struct instance_home instances;
};

/* The function's image, made if it is missing, and the processors; then we run on the client's. Bad
 * options are refused before anything takes time. Followed by native_home_close() in any case. */
int native_home_open(struct native_home *home, const struct native_options *options,
                     struct error *err);

/* Its files are unpacked, its services run, and the runtime is ready for instances: the one that
 * was asked for, or the first with which an instance comes to listen. That instance is *first; it
 * is the caller's to remove. */
int native_home_settle(struct native_home *home, struct instance *first, struct error *err);

/* Which processors, in what state. */
void native_home_describe(const struct native_home *home, struct manifest *manifest);

/* What the function and its runtime have said, kept in the run folder. */
int native_home_keep_log(const struct native_home *home, const char *folder, struct error *err);

void native_home_close(struct native_home *home);

#endif
