/* One QEMU process: the machine of docs/architecture.md, started,
 * watched and ended. The process cannot outlive us (PR_SET_PDEATHSIG),
 * listens on nothing, and is confined by QEMU's seccomp sandbox. */
#ifndef SLS_ENGINE_MACHINE_H
#define SLS_ENGINE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* What lies in the guest's NVDIMMs beside the base
 * root file system, read-only; files, NULL: none. */
struct nvdimms {
    const char *content;  /* pmem1: a function's image */
    const char *base;     /* the base layer of the function's language */
    const char *services; /* that of its data services */
    const char *archive;  /* the function's image as Docker and Podman load it */
    const char *parcel; /* parcel.h: in the first place that is free, of which there must be one */
};

/* Whether one more has a place among them. */
bool machine_has_place(const struct nvdimms *nvdimms);

struct machine_options {
    /* File, file or NULL, command line. Without a kernel the disk's own is booted. */
    const char *kernel, *initramfs, *kernel_arguments;
    unsigned cores;
    uint64_t memory_bytes;
    const char *memory_file; /* the guest's RAM; made when it is missing and memory_writable */
    bool memory_writable;    /* true: RAM is this file. false: the file is mapped copy-on-write */
    const char *rootfs;      /* pmem0, read-only; NULL: none */
    const char *disk;        /* a raw image, vda; NULL: none */
    bool disk_writable;      /* false: what is written to it is forgotten */
    struct nvdimms nvdimms;
    const char
        *script; /* file for fw_cfg opt/slsuite/script; NULL: none, the guest shows a login */
    const char *parameters; /* file of 4096 bytes for fw_cfg opt/slsuite/parameters; NULL: none */
    const char *console;    /* file for the serial console; NULL: our standard input and output */
    const char *log;        /* file for what QEMU itself says */
    const char
        *plugin;  /* "FILE,key=value,…" for -plugin; NULL: none. %d is not replaced: see events */
    bool events;  /* append events=DESCRIPTOR to the plugin's arguments */
    bool network; /* a card behind QEMU's user network: reaches what this computer reaches */
    unsigned ssh_port; /* with it: 127.0.0.1's, to the guest's port 22; 0: none */
    /* ext4, writable: what the guest changes of its root; NULL: its memory. In the first place for
     * an NVDIMM that is free, of which there must be one. */
    const char *changes;
    bool kvm;      /* not emulated: fast, and not reproducible */
    bool incoming; /* wait for machine_restore() instead of starting */
};

struct machine;

/* Start it. NULL on failure. */
struct machine *machine_start(const struct machine_options *options, struct error *err);

/* Kill the process, if it still runs, and free everything. NULL is allowed. */
void machine_end(struct machine *machine);

enum machine_report_kind {
    MACHINE_LINE,   /* a line on the channel: text */
    MACHINE_FILE,   /* a file on the channel: text is its name, data its bytes */
    MACHINE_MARK,   /* the plugin saw a mark: text is "OPERATION ARGUMENT" */
    MACHINE_PAUSED, /* the precise stop */
    MACHINE_OFF,    /* the guest powered itself off */
    MACHINE_RESET,  /* the guest reset itself: with panic=-1 that is a kernel panic */
    MACHINE_GONE,   /* QEMU ended by itself: text is the last line of its log */
    MACHINE_LATE,   /* nothing happened until the deadline */
};

struct machine_report {
    enum machine_report_kind kind;
    char *text; /* owned by the machine until the next machine_next() */
    char *data;
    size_t size;
};

/* The next thing that happens, in the guest's order; waits for it until `deadline` (seconds of
 * CLOCK_MONOTONIC), and calls idle(context) ten times a second meanwhile (NULL: not). */
struct machine_report machine_next(struct machine *machine, double deadline,
                                   void (*idle)(void *context), void *context);

/* Write the device state of a paused machine to a file
 * (x-ignore-shared: the RAM is in its own file). */
int machine_save(struct machine *machine, const char *state_file, struct error *err);

/* Take the device state from a file and go on at the instruction behind the stop. */
int machine_restore(struct machine *machine, const char *state_file, struct error *err);

/* CLOCK_MONOTONIC in seconds. */
double machine_now(void);

/* The QEMU that is used ($SLSUITE_QEMU, else qemu-system-x86_64 from PATH), and its version as
 * "10.0.2". machine_qemu_version() fails with a remedy when QEMU is missing or older than 10.0; the
 * caller frees the result. */
const char *machine_qemu(void);
char *machine_qemu_version(struct error *err);

#endif
