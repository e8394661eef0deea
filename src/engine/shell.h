/* The image to work in, by hand or by a script: nothing is measured. The guest's clock is the
 * host's; emulated and by a script, it counts instructions, as a run's does. */
#ifndef SLS_ENGINE_SHELL_H
#define SLS_ENGINE_SHELL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "image/image.h"

#define SHELL_CORES_LEAST 2 /* the function has core 1, all else core 0 */
#define SHELL_CORES_MOST 64
#define SHELL_MEMORY_LEAST ((uint64_t)256 << 20)
#define SHELL_MEMORY_MOST ((uint64_t)1 << 40)

enum shell_kvm { SHELL_KVM_AUTO, SHELL_KVM_ON, SHELL_KVM_OFF };

struct shell_options {
    const char *function;      /* whose image is below /functions; NULL: none */
    const char *script;        /* file: run it, and end; NULL: a login on our terminal */
    const char *disk;          /* boot this raw image instead of ours: image/import.h; NULL: ours */
    struct image_choice image; /* for a disk: its kernel only, KERNEL_DISTRIBUTION being its own */
    bool network;
    unsigned ssh_port;      /* with a network: 127.0.0.1's, to the guest's sshd; 0: none */
    enum shell_kvm kvm;     /* auto: where it works (kvm.h) */
    bool commit;            /* what changes is kept for the next time; of a disk, in itself */
    unsigned cores;         /* SHELL_CORES_LEAST … SHELL_CORES_MOST */
    uint64_t memory_bytes;  /* whole MB, SHELL_MEMORY_LEAST or more */
    double timeout_seconds; /* of the script, from its begin */
};

/* Boot it, until it is powered off. With a script: where possible from a checkpoint, in which it
 * has booted; fails as that does; what the console said is then on standard output. */
int shell_run(const struct shell_options *options, struct error *err);

#endif
