/* Somebody's disk image, an Ubuntu or Debian with systemd, with our init service, m5 and client put
 * into it: without root, and without mounting it. */
#ifndef SLS_IMAGE_IMPORT_H
#define SLS_IMAGE_IMPORT_H

#include <stdint.h>

#include "common/error.h"

struct imported {
    char system[128]; /* PRETTY_NAME of its os-release */
    char device[32];  /* where its root file system lies on a disk vda: "/dev/vda1" */
    uint64_t offset;  /* of the root file system in the image, in bytes */
};

/* What this raw image is: whether or not our programs are in it. */
int image_look_at(const char *image, struct imported *imported, struct error *err);

/* Copy `disk` (raw, or what qemu-img knows) to the new raw image `out`, find
 * its root file system, which must be an ext4 that was cleanly unmounted, of
 * an x86-64 system with systemd, and install the guest's programs and the
 * unit that runs the host's run script. Nothing is left when it fails. */
int image_import(const char *disk, const char *out, struct imported *imported, struct error *err);

#endif
