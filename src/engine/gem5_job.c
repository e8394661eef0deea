#include "engine/gem5_job.h"

#include <stdlib.h>

#include "common/file.h"
#include "engine/checkpoint.h"

#define HZ 250 /* the custom kernel's: x86_64_defconfig, recipes/kernel */

/* As checkpoint_kernel_arguments(), on gem5's disk and serial line; not quiet, for a boot that
 * takes minutes should show what it does. lpj is the clock's ticks in a jiffy. */
char *gem5_kernel_arguments(const struct model_parameters *system) {
    return format_string(
        "earlyprintk=ttyS0 console=ttyS0 nokaslr random.trust_cpu=off mitigations=off nowatchdog "
        "cryptomgr.notests lpj=%llu tsc=reliable no_timer_check isolcpus=%d irqaffinity=0 "
        "rcu_nocbs=%d root=/dev/sda ro rootfstype=ext4 rootflags=noload init=/sbin/init",
        (unsigned long long)system->clock / HZ, CHECKPOINT_FUNCTION_CORE, CHECKPOINT_FUNCTION_CORE);
}

json_t *gem5_system(const struct model_parameters *system) {
    json_t *all = json_object();
    for (const struct parameter *p = parameters_table; p->key; p++) {
        const void *value = parameter_value(system, p);
        if (parameter_applies(system, p))
            json_object_set_new(all, p->key,
                                p->unit >= UNIT_COUNT
                                    ? json_integer((json_int_t) * (const uint64_t *)value)
                                    : json_string(value));
    }
    return all;
}

json_t *gem5_job(const struct model_parameters *system, const struct image *image,
                 const struct function *function, const char *readfile, const char *checkpoint) {
    const char *const disks[] = {image->rootfs, function->image, function->language.base_image,
                                 function->services.base_image};
    char *command_line = gem5_kernel_arguments(system);
    json_t *paths = json_array();
    for (size_t i = 0; i < sizeof disks / sizeof *disks; i++)
        if (disks[i])
            json_array_append_new(paths, json_string(disks[i]));
    json_t *job =
        json_pack("{s:o, s:s, s:s, s:o, s:s, s:s, s:s, s:b, s:b, s:i}", "system",
                  gem5_system(system), "kernel", image->vmlinux, "command_line", command_line,
                  "disks", paths, "readfile", readfile, "checkpoint", checkpoint, "boot_core",
                  "atomic", "restore", 0, "check", 0, "measured", CHECKPOINT_FUNCTION_CORE);
    free(command_line);
    return job;
}
