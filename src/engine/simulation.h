/* What a run of a function (sim.c) and one of a program (exec.c) have in common: the system, the
 * image, a restored checkpoint with the timing model, and the run folder. */
#ifndef SLS_ENGINE_SIMULATION_H
#define SLS_ENGINE_SIMULATION_H

#include <stdbool.h>

#include "common/error.h"
#include "engine/checkpoint.h"
#include "engine/guest.h"
#include "image/image.h"
#include "results/results.h"
#include "system/system.h"

/* What executes the machine. */
#define ENGINE_SIM "sim"
#define ENGINE_GEM5 "gem5"
#define ENGINE_NATIVE "native"

struct simulation {
    char *system_file;
    struct model_parameters system;
    char *qemu_version;
    struct image image;
    struct checkpoint checkpoint; /* prepared by the owner */
    struct guest guest;           /* of the last execution: what it said */
};

/* The system's description, by name or file.
 * Quick: errors of the user's before all that takes time. */
int simulation_find_system(struct simulation *simulation, const char *system, struct error *err);

/* Kernel and root file system of this choice, made when they are missing. */
int simulation_prepare_image(struct simulation *simulation, const struct image_choice *choice,
                             struct error *err);

void simulation_free(struct simulation *simulation);

/* One execution, from the checkpoint to the end of the run script. */
struct simulation_job {
    const char *title;      /* for people who wait */
    const char *subject;    /* in errors; NULL: the guest */
    struct nvdimms nvdimms; /* those of the checkpoint; its parcel may be another */
    const char *parameters; /* lines for fw_cfg; "": none */
    unsigned end_mark;      /* it is over after so many of these marks */
    unsigned marks;
    bool timed;     /* with the model: samples.tsv goes to the folder */
    bool profile;   /* also profile.tsv, of the core until so many marks */
    unsigned flush; /* parts of the model that forget at each work begin: model/flush.h */
    unsigned core;  /* that is measured */
    double timeout_seconds;
};

/* How long the host took, in seconds. */
struct sim_durations {
    double restore;    /* process start to the guest going on */
    double first_mark; /* process start to the first mark; 0 without the model */
    double marked;     /* first mark, or last reset, to the last one; 0 without the model */
    double simulate;   /* the guest going on to the end of its run script */
};

/* Into the manifest, as seconds.restore, … */
void simulation_note_durations(const struct sim_durations *durations, struct manifest *manifest);

int simulation_execute(struct simulation *simulation, const struct simulation_job *job,
                       const char *folder, struct sim_durations *durations, struct error *err);

/* The replies of the last execution, into the results: they must be so many. */
int simulation_take_replies(const struct simulation *simulation, unsigned invocations,
                            struct run_results *results, struct error *err);

/* Refuse to begin when the results would not fit: the plugin can only say that its file is cut off,
 * and QEMU less. */
int simulation_need_room(const char *folder, double bytes, struct error *err);

/* A run, from an empty folder to a finished one. */
struct simulation_run {
    const char *engine;   /* ENGINE_… */
    const char *name;     /* of function or program, for the folder's name */
    const char *out;      /* run folder; NULL: results/DATE-NAME-SYSTEM */
    char *const *command; /* the command line */
    double prepare_seconds;
    unsigned core;                   /* that is measured */
    enum results_intervals measured; /* what the marks mean */
    const char *const *phases;       /* names, of RESULTS_PHASES */
    /* Add to the manifest what only the owner knows. */
    void (*describe)(void *context, struct manifest *manifest);
    /* Execute; samples.tsv is then in the folder.
     * Sets the replies and the profile, if there are any. */
    int (*execute)(void *context, const char *folder, struct manifest *manifest,
                   struct run_results *results, struct error *err);
    void *context;
};

/* Execute it, write the run folder's files, print the results (out NULL: do not). *path is the
 * finished folder's; the caller frees it (NULL: not wanted). A failed run keeps its folder,
 * with console and manifest, beside the place of a whole one. */
int simulation_record(struct simulation *simulation, const struct simulation_run *run, FILE *out,
                      enum results_format format, char **path, struct error *err);

#endif
