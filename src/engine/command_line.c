/* Every option that is here for determinism says so: leave one out and runs begin to differ. */
#include "engine/command_line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"

#define MOST_ARGUMENTS 96
/* At most, with the root file system. Their ids decide in which order the guest sees them, by
 * QEMU's hash of them: the root's comes first as long as there are no others than these. */
#define NVDIMMS 5

struct list {
    char **item;
    size_t count;
};

static void add(struct list *list, const char *option, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* An option and its value (NULL: none). */
static void add(struct list *list, const char *option, const char *format, ...) {
    if (list->count + 3 > MOST_ARGUMENTS)
        abort();
    list->item[list->count++] = strdup(option);
    if (!format)
        return;
    va_list arguments;
    va_start(arguments, format);
    list->item[list->count++] = format_string_v(format, arguments);
    va_end(arguments);
}

/* QEMU splits values at commas; a doubled one stands for itself. */
static char *escape(const char *path) {
    char *text = malloc(2 * strlen(path) + 1), *to = text;
    if (!text)
        abort();
    for (; *path; *to++ = *path++)
        if (*path == ',')
            *to++ = ',';
    *to = '\0';
    return text;
}

static void add_memory(struct list *list, const struct machine_options *options) {
    autofree char *file = escape(options->memory_file);
    add(list, "-object", "memory-backend-file,id=ram,size=%" PRIu64 ",mem-path=%s,%s",
        options->memory_bytes, file,
        options->memory_writable ? "share=on" : "share=off,readonly=on,rom=off");
}

/* A disk would complete its requests at the host's times; memory does not. */
static void add_nvdimm(struct list *list, int number, const char *image, bool writable) {
    autofree char *file = escape(image);
    add(list, "-object",
        "memory-backend-file,id=pmem%d,size=%" PRId64 ",mem-path=%s,share=on,readonly=%s", number,
        file_size(image), file, writable ? "off" : "on");
    add(list, "-device", "nvdimm,id=nvdimm%d,memdev=pmem%d,unarmed=%s", number, number,
        writable ? "off" : "on");
}

static void add_disk(struct list *list, const struct machine_options *options) {
    autofree char *file = escape(options->disk);
    add(list, "-drive", "file=%s,format=raw,if=virtio,snapshot=%s", file,
        options->disk_writable ? "off" : "on");
}

static void add_fw_cfg(struct list *list, const char *name, const char *path) {
    if (!path)
        return;
    autofree char *file = escape(path);
    add(list, "-fw_cfg", "name=opt/slsuite/%s,file=%s", name, file);
}

static void add_console(struct list *list, const char *console) {
    if (console) {
        autofree char *file = escape(console);
        add(list, "-chardev", "file,id=console,path=%s,append=on", file);
    } else {
        add(list, "-chardev", "stdio,id=console,signal=off");
    }
    add(list, "-serial", "chardev:console");
}

char **command_line_make(const struct machine_options *options, int control, int channel,
                         int events) {
    struct list list = {calloc(MOST_ARGUMENTS, sizeof(char *)), 0};
    if (!list.item)
        return NULL;
    add(&list, machine_qemu(), NULL);
    add(&list, "-nodefaults", NULL);
    add(&list, "-no-user-config", NULL);
    add(&list, "-no-reboot", NULL);
    add(&list, "-no-shutdown", NULL); /* we end it, when the model has caught up */
    add(&list, "-display", "none");
    add(&list, "-vga", "none");
    if (options->network) {
        if (options->ssh_port)
            add(&list, "-netdev", "user,id=network,ipv6=off,hostfwd=tcp:127.0.0.1:%u-:22",
                options->ssh_port);
        else
            add(&list, "-netdev", "user,id=network,ipv6=off");
        add(&list, "-device", "virtio-net-pci,netdev=network,romfile=");
    }
    add(&list, "-sandbox",
        "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
    if (options->incoming) {
        add(&list, "-S", NULL);
        add(&list, "-incoming", "defer");
    }

    /* Determinism: one thread, time counted in instructions, no host clock, fixed seed; Nehalem has
     * no rdrand. */
    if (options->kvm) {
        add(&list, "-accel", "kvm");
        add(&list, "-cpu", "host");
    } else {
        add(&list, "-accel", "tcg,thread=single");
        /* While a person thinks, the guest's time is the host's, and not skipped up to a limit. */
        add(&list, "-icount", "shift=0,sleep=%s", options->console ? "off" : "on");
        /* Certificates of those whom it reaches are of today. */
        add(&list, "-rtc", "base=%s,clock=vm", options->network ? "utc" : "2024-01-01T00:00:00");
        add(&list, "-seed", "1");
        add(&list, "-cpu", "Nehalem-v1");
    }
    add(&list, "-smp", "%u", options->cores);
    add(&list, "-machine",
        "pc,nvdimm=on,hpet=off,vmport=off,smbus=off,i8042=off,usb=off,memory-backend=ram");
    /* A small firmware that only starts the kernel; SeaBIOS, which also boots from disks, writes
     * into the channel, too. */
    if (options->kernel)
        add(&list, "-bios", "qboot.rom");
    if (options->disk)
        add_disk(&list, options);
    uint64_t room = 8192 + (options->changes ? (uint64_t)file_size(options->changes) >> 20 : 0);
    add(&list, "-m", "size=%" PRIu64 "M,slots=%d,maxmem=%" PRIu64 "M", options->memory_bytes >> 20,
        NVDIMMS, (options->memory_bytes >> 20) + room);
    add_memory(&list, options);
    const char *const images[NVDIMMS] = {options->rootfs, options->nvdimms.content,
                                         options->nvdimms.base, options->nvdimms.services,
                                         options->nvdimms.archive};
    const char *parcel = options->nvdimms.parcel, *changes = options->changes;
    for (int i = 0; i < NVDIMMS; i++) {
        const char **other = parcel ? &parcel : &changes; /* has the first place that is free */
        if (images[i])
            add_nvdimm(&list, i, images[i], false);
        else if (*other)
            add_nvdimm(&list, i, *other, other == &changes);
        if (!images[i])
            *other = NULL;
    }

    if (options->kernel) {
        add(&list, "-kernel", "%s", options->kernel);
        add(&list, "-append", "%s", options->kernel_arguments);
    }
    if (options->initramfs)
        add(&list, "-initrd", "%s", options->initramfs);
    add_fw_cfg(&list, "script", options->script);
    add_fw_cfg(&list, "parameters", options->parameters);

    add_console(&list, options->console);
    add(&list, "-chardev", "socket,id=control,fd=%d", control);
    add(&list, "-mon", "chardev=control,mode=control");
    add(&list, "-add-fd", "fd=%d,set=1", channel);
    add(&list, "-chardev", "file,id=channel,path=/dev/fdset/1,append=on");
    add(&list, "-device", "isa-debugcon,iobase=0x402,chardev=channel");
    /* The precise stop: a write to its port pauses the machine at that very instruction. */
    add(&list, "-device", "pvpanic");
    add(&list, "-action", "panic=pause");
    if (options->plugin && options->events)
        add(&list, "-plugin", "%s,events=%d", options->plugin, events);
    else if (options->plugin)
        add(&list, "-plugin", "%s", options->plugin);
    return list.item;
}

void command_line_free(char **arguments) {
    for (char **argument = arguments; *argument; argument++)
        free(*argument);
    free(arguments);
}
