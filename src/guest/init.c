/* The init service. PID 1 of our image: sets the machine up, runs the host's run script, reports,
 * powers off. As a systemd service of somebody else's image (slsuite-init.service) it does the same
 * but the setting up. Without a script it offers a login on the console. A script without end is
 * the host's to stop. Called as `poweroff` it does just that. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest/channel.h"
#include "guest/m5/m5op.h"

#define FW_CFG "/sys/firmware/qemu_fw_cfg/by_name/opt/slsuite/"
#define SCRIPT "/run/slsuite/script"
#define RUNTIME "/usr/lib/slsuite/slsuite-runtime"
#define TAIL_LINES 64
#define KEEP_PATIENCE 150 /* tenths of a second: dockerd gives its containers ten seconds to end */

static int changes = -1; /* the file system of changes to the root, if it is a disk's, to be kept */

/* Everybody ends, and the disk is whole. */
static void keep_changes(void) {
    static const struct timespec tenth = {.tv_nsec = 100000000};
    kill(-1, SIGTERM);
    for (int waited = 0; waited < KEEP_PATIENCE && (waitpid(-1, NULL, WNOHANG) >= 0); waited++)
        nanosleep(&tenth, NULL);
    kill(-1, SIGKILL);
    sync();
    if (ioctl(changes, FIFREEZE, 0) < 0)
        dprintf(STDERR_FILENO, "slsuite init: cannot freeze the disk: %s\n", strerror(errno));
    else
        channel_line("kept");
}

static _Noreturn void power_off(int status) {
    if (changes >= 0)
        keep_changes();
    channel_line("done %d", status);
    sync();
    if (m5_spelling() != M5_SPELL_MARK)
        status ? m5_fail(0, (uint64_t)status) : m5_exit(0);
    reboot(RB_POWER_OFF);
    _exit(status);
}

/* A step that everything else rests on failed: say so,
 * with the reason in errno, and end the machine. */
static _Noreturn void fail(const char *step, const char *format, ...) {
    char text[1024], reason[128];
    snprintf(reason, sizeof reason, "%s", strerror(errno));
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    channel_line("failed %s 1", step);
    channel_line("output init: %s: %s", text, reason);
    dprintf(STDERR_FILENO, "slsuite init: %s: %s\n", text, reason);
    power_off(1);
}

static void write_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        dprintf(STDERR_FILENO, "slsuite init: cannot write %s: %s\n", path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

/* The device, of those beside the root's, that holds the file system of this kind: which NVDIMM is
 * which, only QEMU knows, so a file system is known by the UUID it was made with
 * (recipes/make-ext4), whose last byte tells what it is. gem5 has disks. NULL: none. */
static const char *find_device(char kind) {
    static const off_t uuid_at = 1024 + 0x68; /* of the super block */
    static const char *const devices[] = {"/dev/pmem1", "/dev/pmem2", "/dev/pmem3",
                                          "/dev/pmem4", "/dev/pmem5", "/dev/sdb",
                                          "/dev/sdc",   "/dev/sdd",   NULL};
    char uuid[16] = "\x51\xe5\xe5\xe5\0\0\x40\0\x80", found[16] = "";
    uuid[15] = kind;
    for (const char *const *device = devices; *device; device++) {
        int fd = open(*device, O_RDONLY | O_CLOEXEC);
        bool same = fd >= 0 && pread(fd, found, sizeof found, uuid_at) == sizeof found &&
                    memcmp(found, uuid, sizeof found) == 0;
        if (fd >= 0)
            close(fd);
        if (same)
            return *device;
    }
    return NULL;
}

/* Where changes to the root go: memory; or a disk, which also has room for the containers of Docker
 * and Podman (slsuite-runtime), at /mnt. */
static void mount_changes(void) {
    mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=755"); /* of a kernel that has not */
    const char *device = find_device(6);
    if (!device) {
        if (mount("changes", "/mnt", "tmpfs", 0, "mode=755") < 0)
            fail("rootfs", "cannot mount a tmpfs at /mnt");
        return;
    }
    if (mount(device, "/mnt", "ext4", 0, NULL) < 0)
        fail("rootfs", "cannot mount %s at /mnt", device);
    changes = open("/mnt", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Makes a read-only root writable: changes go to an overlay. */
static void make_root_writable(void) {
    struct statvfs root;
    if (statvfs("/", &root) == 0 && !(root.f_flag & ST_RDONLY))
        return;
    mount_changes();
    mkdir("/mnt/upper", 0755);
    mkdir("/mnt/work", 0755);
    mkdir("/mnt/root", 0755);
    mkdir("/mnt/containers", 0711);
    if (mount("root", "/mnt/root", "overlay", 0,
              "lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work") < 0)
        fail("rootfs", "cannot mount an overlay over the root file system");
    if (changes >= 0 && mount("/mnt/containers", "/mnt/root/mnt", NULL, MS_BIND, NULL) < 0)
        fail("rootfs", "cannot mount the containers' folder");
    if (chdir("/mnt/root") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
        fail("rootfs", "cannot switch to the overlay");
}

static void mount_image(char kind, const char *where) {
    const char *device = find_device(kind);
    if (!device)
        return;
    mkdir(where, 0755);
    if (mount(device, where, "ext4", MS_RDONLY, "noload") < 0)
        fail("rootfs", "cannot mount %s at %s", device, where);
}

static void mount_all(void) {
    static const struct {
        const char *type, *where, *options;
        unsigned long flags;
    } mounts[] = {
        {"proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
        {"sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
        {"devtmpfs", "/dev", "mode=755", MS_NOSUID},
        {"devpts", "/dev/pts", "gid=5,mode=620,ptmxmode=666", MS_NOSUID | MS_NOEXEC},
        {"tmpfs", "/dev/shm", NULL, MS_NOSUID | MS_NODEV},
        {"tmpfs", "/run", "mode=755", MS_NOSUID | MS_NODEV},
        {"tmpfs", "/tmp", NULL, MS_NOSUID | MS_NODEV},
        {"cgroup2", "/sys/fs/cgroup", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
    };
    for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
        mkdir(mounts[i].where, 0755);
        if (mount(mounts[i].type, mounts[i].where, mounts[i].type, mounts[i].flags,
                  mounts[i].options) < 0 &&
            errno != EBUSY)
            fail("rootfs", "cannot mount %s", mounts[i].where);
    }
    /* Where the machine has them: the function's image, /functions/NAME/{config.json,rootfs}, the
     * base layer of its language, that of its data services, and its image as an archive. */
    mount_image(2, "/functions");
    mount_image(3, "/base");
    mount_image(4, "/services");
    mount_image(5, "/archive");
}

static void use_console(void) {
    int console = open("/dev/console", O_RDWR);
    for (int fd = 0; console >= 0 && fd < 3; fd++)
        dup2(console, fd);
    if (console > 2)
        close(console);
}

static void set_up_network(void) {
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sock < 0 || ioctl(sock, SIOCSIFFLAGS, &loopback) < 0)
        fail("rootfs", "cannot bring the loopback interface up");
    close(sock);
    sethostname("slsuite", strlen("slsuite"));
}

static void set_machine_up(void) {
    make_root_writable();
    mount_all();
    use_console();
    write_text("/sys/fs/cgroup/cgroup.subtree_control", "+cpuset +cpu +memory +pids");
    set_up_network();
}

static bool copy_from_fw_cfg(int to) {
    int from = open(FW_CFG "script/raw", O_RDONLY | O_CLOEXEC);
    char buffer[4096];
    ssize_t size;
    if (from < 0)
        return false;
    while ((size = read(from, buffer, sizeof buffer)) > 0)
        if (write(to, buffer, (size_t)size) != size)
            fail("script", "cannot write " SCRIPT);
    close(from);
    return true;
}

static bool copy_from_gem5(int to) {
    char buffer[4096];
    uint64_t size, offset = 0;
    if (m5_spelling() == M5_SPELL_MARK)
        return false;
    memset(buffer, 0, sizeof buffer);
    for (; (size = m5_read_file(buffer, sizeof buffer, offset)) > 0; offset += size)
        if (write(to, buffer, size) != (ssize_t)size)
            fail("script", "cannot write " SCRIPT);
    return offset > 0;
}

/* Whether the host has a run script for us; it is then at SCRIPT. */
static bool obtain_script(void) {
    mkdir("/run/slsuite", 0755);
    int to = open(SCRIPT, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    if (to < 0)
        fail("script", "cannot create " SCRIPT);
    bool obtained = copy_from_fw_cfg(to) || copy_from_gem5(to);
    close(to);
    if (!obtained)
        unlink(SCRIPT);
    return obtained;
}

/* The last lines of the script's output, kept for the report of a failure. */
struct tail {
    char lines[TAIL_LINES][256]; /* longer lines are cut */
    size_t count, length;        /* lines begun and ended so far; length of the open one */
};

static void tail_add(struct tail *tail, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        char *line = tail->lines[tail->count % TAIL_LINES];
        if (text[i] == '\n') {
            line[tail->length] = '\0';
            tail->count++;
            tail->length = 0;
        } else if (tail->length < sizeof tail->lines[0] - 1)
            line[tail->length++] = text[i];
    }
}

static void tail_send(struct tail *tail) {
    if (tail->length)
        tail_add(tail, "\n", 1);
    size_t kept = tail->count < TAIL_LINES ? tail->count : TAIL_LINES;
    for (size_t i = tail->count - kept; i < tail->count; i++)
        channel_line("output %s", tail->lines[i % TAIL_LINES]);
}

/* Copy what has arrived; false at the end of the stream. */
static bool copy_output(int from, struct tail *tail) {
    char buffer[4096];
    ssize_t size;
    while ((size = read(from, buffer, sizeof buffer)) > 0) {
        tail_add(tail, buffer, (size_t)size);
        if (write(STDOUT_FILENO, buffer, (size_t)size) < 0)
            break; /* no console: the copy for the report is what matters */
    }
    return size < 0 && errno == EAGAIN;
}

static pid_t start(const char *const argv[], int output) {
    pid_t child = fork();
    if (child != 0)
        return child;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    channel_close();
    if (output >= 0) {
        dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
    }
    execv(argv[0], (char *const *)argv);
    dprintf(STDERR_FILENO, "slsuite init: cannot start %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* Reap all that have died, orphans included. Whether `child` was one of them; its status as a
 * shell's $?. */
static bool reap(pid_t child, int *status) {
    int how;
    pid_t dead;
    bool found = false;
    while ((dead = waitpid(getpid() == 1 ? -1 : child, &how, WNOHANG)) > 0)
        if (dead == child) {
            found = true;
            *status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
        }
    return found;
}

/* Run the script to its end: that of its shell, whatever it left in the background. */
static int run_script(int signals) {
    int output[2], status = 0;
    struct tail tail = {0};
    if (pipe2(output, O_CLOEXEC) < 0)
        fail("script", "cannot make a pipe");
    fcntl(output[0], F_SETFL, O_NONBLOCK);
    pid_t child = start((const char *[]){"/bin/sh", SCRIPT, NULL}, output[1]);
    if (child < 0)
        fail("script", "cannot start /bin/sh");
    close(output[1]);

    struct pollfd events[] = {{.fd = output[0], .events = POLLIN},
                              {.fd = signals, .events = POLLIN}};
    do {
        struct signalfd_siginfo signal;
        poll(events, 2, -1);
        if (events[0].revents && !copy_output(output[0], &tail))
            events[0].fd = -1;
        if (events[1].revents && read(signals, &signal, sizeof signal) < 0)
            continue;
    } while (!reap(child, &status));
    copy_output(output[0], &tail);
    close(output[0]);
    if (status) {
        channel_line("failed script %d", status);
        tail_send(&tail);
    }
    return status;
}

/* Login on the console, again and again; SIGUSR2 (`poweroff`) ends it. */
static void serve_console(int signals) {
    char terminal[64] = "console";
    FILE *active = fopen("/sys/class/tty/console/active", "re");
    for (; active && fscanf(active, "%63s", terminal) == 1;)
        ; /* the last one is /dev/console */
    if (active)
        fclose(active);
    for (;;) {
        int status;
        pid_t child = start((const char *[]){"/sbin/agetty", "--noclear", "--keep-baud", terminal,
                                             "115200,9600", "vt220", NULL},
                            -1);
        do {
            struct signalfd_siginfo signal = {0};
            if (read(signals, &signal, sizeof signal) > 0 && signal.ssi_signo == SIGUSR2)
                return;
        } while (!reap(child, &status));
        errno = ENOENT;
        if (status == 127)
            fail("rootfs", "cannot start a login on %s", terminal);
    }
}

/* In an image with another container runtime: what it needs.
 * It tells the host itself why it failed. */
static void prepare_runtime(void) {
    int status = 1;
    if (access(RUNTIME, X_OK) < 0)
        return;
    pid_t child = start((const char *[]){RUNTIME, NULL}, STDERR_FILENO);
    if (child < 0 || waitpid(child, &status, 0) < 0 || status)
        power_off(1);
}

int main(int argc, char *argv[]) {
    bool first = getpid() == 1;
    const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    if (strcmp(name, "poweroff") == 0)
        return kill(1, SIGUSR2) < 0;

    sigset_t caught;
    sigemptyset(&caught);
    sigaddset(&caught, SIGCHLD);
    sigaddset(&caught, SIGUSR2);
    sigprocmask(SIG_BLOCK, &caught, NULL);
    int signals = signalfd(-1, &caught, SFD_CLOEXEC);

    m5_init(NULL);
    channel_open();
    channel_line("stage rootfs");
    if (first)
        set_machine_up();
    setenv("PATH", "/usr/lib/slsuite:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
           1);
    setenv("HOME", "/root", 1);
    if (first)
        prepare_runtime();
    if (obtain_script()) {
        channel_line("stage script");
        power_off(run_script(signals));
    }
    if (!first)
        return 0; /* somebody else's init offers the login */
    serve_console(signals);
    power_off(0);
}
