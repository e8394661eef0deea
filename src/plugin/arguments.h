/* What the plugin is told on QEMU's command line. */
#ifndef SLS_PLUGIN_ARGUMENTS_H
#define SLS_PLUGIN_ARGUMENTS_H

#include "common/error.h"

struct plugin_arguments {
    const char *system;     /* system=FILE: YAML. Needed */
    const char *samples;    /* samples=FILE: to write, see samples.h. Needed */
    const char *ram;        /* ram=FILE: the guest's RAM as mapped */
    int events;             /* events=DESCRIPTOR: to tell of each mark; -1: none */
    const char *regions;    /* regions=FILE: see regions.h */
    int core;               /* core=N: the measured one; -1: all are */
    const char *profile;    /* profile=FILE: to write, see profile.h. Needs a core */
    unsigned profile_marks; /* profile_marks=K (1) */
    unsigned flush;         /* flush=PART,…: what forgets at each work begin, see model/flush.h */
};

/* The texts are kept, not copied. */
int arguments_read(int count, char **texts, struct plugin_arguments *arguments, struct error *err);

#endif
