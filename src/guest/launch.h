/* What slsuite-launch in the guest and `slsuite exec` on the host agree on.
 *
 * The parcel is the program and its arguments on their way into the guest, in the second NVDIMM.
 * The device has one size, because the guest's kernel has seen it before the checkpoint; what is in
 * it, the guest only reads after the restore.
 *
 *     struct parcel · arguments, each ended by NUL · (at program_offset) the program file's bytes */
#ifndef SLS_GUEST_LAUNCH_H
#define SLS_GUEST_LAUNCH_H

#include <stdint.h>

#define PARCEL_DEVICE "/dev/pmem1"
#define PARCEL_MAGIC "slsuite parcel 1"    /* 16 bytes, and a NUL that is not written */
#define PARCEL_BYTES (UINT64_C(128) << 20) /* Linux wants persistent memory in units of 128 MiB */
/* Bytes. Linux takes more, but who types them? */
#define PARCEL_MOST_ARGUMENTS (UINT64_C(128) << 10)

/* Both ends are x86-64: little-endian. */
struct parcel {
    char magic[16];          /* PARCEL_MAGIC */
    uint32_t core;           /* on which the program runs */
    uint32_t argument_count; /* with the program's own name; 0: the parcel is empty */
    uint64_t argument_bytes; /* of all, with their NULs */
    uint64_t program_offset, program_bytes;
};

#endif
