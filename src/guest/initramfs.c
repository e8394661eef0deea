/* PID 1 of the initramfs: loads the modules, waits for the NVDIMMs, mounts the base image and hands
 * over to its init. Everything else is the init service's (init.c), which does the same whoever
 * started it. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest/channel.h"

#define ROOT_DEVICE "/dev/pmem0"

/* Tell host and console, and end the machine: nobody is there to do anything else about it. */
static _Noreturn void fail(const char *format, ...) {
    char text[1024], reason[128];
    snprintf(reason, sizeof reason, "%s", strerror(errno));
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    channel_line("failed kernel 1");
    channel_line("output initramfs: %s: %s", text, reason);
    channel_line("done 1");
    dprintf(STDERR_FILENO, "initramfs: %s: %s\n", text, reason);
    reboot(RB_POWER_OFF);
    _exit(1); /* without power-off: the kernel panics, which -no-reboot ends */
}

/* Cut the signature off: the kernel takes a third of the boot to check signatures, and host and
 * initramfs are the same hands. A module ends in the signature, 12 bytes of which the last 4 are
 * its size in big endian, and a magic line. */
static void drop_signature(int fd) {
    static const char magic[] = "~Module signature appended~\n";
    struct {
        unsigned char about[8], size[4];
        char magic[sizeof magic - 1];
    } end;
    off_t start = lseek(fd, -(off_t)sizeof end, SEEK_END);
    if (read(fd, &end, sizeof end) != sizeof end || memcmp(end.magic, magic, sizeof end.magic) != 0)
        return;
    off_t size = (off_t)end.size[0] << 24 | end.size[1] << 16 | end.size[2] << 8 | end.size[3];
    if (ftruncate(fd, start - size) < 0)
        return; /* it is still valid */
}

static void load_module(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "/modules/%s", name);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        fail("cannot open the module %s", name);
    drop_signature(fd);
    close(fd);
    fd = open(path, O_RDONLY | O_CLOEXEC); /* the kernel takes no file that is open for writing */
    if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
        fail("cannot load the module %s", name);
    close(fd);
    unlink(path); /* its memory would stay occupied behind the new root */
}

/* /modules/list: one file name a line, each after those it needs. None for a kernel that has all
 * built in. */
static void load_modules(void) {
    FILE *list = fopen("/modules/list", "re");
    if (!list)
        return;
    char line[200];
    while (fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = '\0';
        if (*line)
            load_module(line);
    }
    fclose(list);
}

/* Reading wait_probe returns when every NVDIMM has its block device. Without this bus there is
 * nothing to wait for. */
static void wait_for_nvdimms(void) {
    char settled[8];
    int fd = open("/sys/bus/nd/devices/ndbus0/wait_probe", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (read(fd, settled, sizeof settled) < 0)
        fail("cannot wait for the NVDIMMs");
    close(fd);
}

int main(void) {
    mkdir("/dev", 0755);
    mkdir("/sys", 0755);
    mkdir("/root", 0755);
    mount("dev", "/dev", "devtmpfs", MS_NOSUID, NULL);
    int console = open("/dev/console", O_RDWR);
    for (int fd = 0; console >= 0 && fd < 3; fd++)
        dup2(console, fd);
    if (console > 2)
        close(console);
    channel_open();
    channel_line("stage kernel");

    load_modules();
    if (mount("sys", "/sys", "sysfs", 0, NULL) < 0)
        fail("cannot mount /sys");
    wait_for_nvdimms();
    if (mount(ROOT_DEVICE, "/root", "ext4", MS_RDONLY, "noload") < 0)
        fail("cannot mount " ROOT_DEVICE);
    umount("/sys");
    umount2("/dev", MNT_DETACH);

    if (chdir("/root") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
        fail("cannot switch to " ROOT_DEVICE);
    execl("/sbin/init", "init", (char *)NULL);
    fail("cannot start /sbin/init of " ROOT_DEVICE);
}
