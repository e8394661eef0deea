/* slsuite-launch: runs one program of the host's on one core, for `slsuite exec`.
 *
 *     checkpoint ─► parcel (launch.h) ─► program, alone on its core ─► its output and how it ended
 *
 * Its standard output and error go to memory and to the host only afterwards, so that sending them
 * is not simulated with it. Right before it starts, the statistics are reset: a program that only
 * dumps them gets those since its start. After its end comes a mark that no program makes. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/mark.h"
#include "guest/channel.h"
#include "guest/launch.h"

#define PLACE "/run/slsuite/exec"
#define PROGRAM PLACE "/program"
#define MOST_FILE_BYTES (64 << 20) /* of any file it writes: files are in the guest's memory */
#define SETTLE_SECONDS 5           /* of the guest */
#define TICK_POLL_NS 50000
#define FRAGMENT_BYTES (4 << 20) /* a freshly booted guest has less in small blocks */
#define MOST_POPULATED_BYTES (UINT64_C(256) << 20) /* of the guest's 2 GB */
#define PAGE 4096
#define MOST_SENT_BYTES (1 << 20) /* of each of its two outputs: the channel is slow */

/* The machine is fine, only the program is not. */
static _Noreturn void fail(const char *what) {
    channel_line("program unstartable %s: %s", what, strerror(errno));
    MARK(MARK_PROGRAM_ENDED, 0, 0);
    exit(0);
}

static void *allocate(size_t size) {
    void *memory = malloc(size + 1);
    if (!memory)
        fail("memory for it");
    return memory;
}

/* A file system for the program alone. In huge pages its code is in one piece, too. */
static void make_place(void) {
    mkdir(PLACE, 0755);
    if (mount("exec", PLACE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,huge=always") < 0)
        fprintf(stderr, "slsuite-launch: cannot mount " PLACE ": %s\n", strerror(errno));
}

static bool pin(unsigned core) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    return sched_setaffinity(0, sizeof cores, &cores) == 0;
}

/* Take the fragments of memory that booting has left, on each core, and keep them. A program's
 * pages then come from large blocks, one after the other: how they lie in a cache that is indexed
 * by physical addresses is no matter of luck. */
static void use_up_fragments(void) {
    for (unsigned core = 0; pin(core); core++) {
        char *memory =
            mmap(NULL, FRAGMENT_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            return;
        madvise(memory, FRAGMENT_BYTES, MADV_NOHUGEPAGE);
        for (size_t at = 0; at < FRAGMENT_BYTES; at += PAGE)
            memory[at] = 1;
    }
    pin(0);
}

/* The kernel brings its statistics of memory up to date on each core,
 * every second: not here. What booting has left to be done later, is
 * done in the meantime; it costs no time while nobody computes. */
static void settle(void) {
    int interval = open("/proc/sys/vm/stat_interval", O_WRONLY | O_CLOEXEC);
    if (interval < 0 || write(interval, "86400", 5) != 5)
        fprintf(stderr, "slsuite-launch: cannot set vm.stat_interval: %s\n", strerror(errno));
    if (interval >= 0)
        close(interval);
    sleep(SETTLE_SECONDS);
}

static void read_at(int device, void *to, size_t size, uint64_t offset) {
    for (ssize_t got; size; to = (char *)to + got, size -= (size_t)got, offset += (uint64_t)got) {
        got = pread(device, to, size, (off_t)offset);
        if (got <= 0)
            fail("reading " PARCEL_DEVICE);
    }
}

static void copy_program(int device, const struct parcel *parcel) {
    static char chunk[1 << 20];
    int to = open(PROGRAM, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    for (uint64_t done = 0, size; done < parcel->program_bytes; done += size) {
        size = parcel->program_bytes - done;
        size = size < sizeof chunk ? size : sizeof chunk;
        read_at(device, chunk, size, parcel->program_offset + done);
        if (write(to, chunk, size) != (ssize_t)size)
            fail("writing " PROGRAM);
    }
    if (close(to) < 0)
        fail("writing " PROGRAM);
}

/* The program is then at PROGRAM. Its arguments, NULL-terminated. */
static char **unpack(struct parcel *parcel) {
    int device = open(PARCEL_DEVICE, O_RDONLY | O_CLOEXEC);
    if (device < 0)
        fail("opening " PARCEL_DEVICE);
    read_at(device, parcel, sizeof *parcel, 0);
    errno = ENOEXEC;
    if (memcmp(parcel->magic, PARCEL_MAGIC, sizeof parcel->magic) != 0 || !parcel->argument_count)
        fail("the parcel is empty");
    char *text = allocate(parcel->argument_bytes);
    char **arguments = allocate((parcel->argument_count + 1) * sizeof *arguments);
    read_at(device, text, parcel->argument_bytes, sizeof *parcel);
    for (uint32_t i = 0; i < parcel->argument_count; i++, text += strlen(text) + 1)
        arguments[i] = text;
    arguments[parcel->argument_count] = NULL;
    copy_program(device, parcel);
    close(device);
    return arguments;
}

/* Core 0 keeps the time, and its tick's code goes through the shared cache: after one, there is
 * none for as long as can be, 4,000,000 instructions. */
static void await_tick(void) {
    const struct timespec pause = {.tv_nsec = TICK_POLL_NS};
    struct timespec before, now; /* of a clock that only ticks */
    clock_gettime(CLOCK_MONOTONIC_COARSE, &before);
    do {
        nanosleep(&pause, NULL);
        clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    } while (now.tv_sec == before.tv_sec && now.tv_nsec == before.tv_nsec);
}

/* Let the child run, on a machine that is cold at its first instruction, and be idle soon. What the
 * kernel and this program have left in caches and predictors has nothing to do with the child;
 * gem5's syscall emulation starts programs cold, too. QEMU runs the cores in turn, each for half
 * the time to the next timer: without one, the rest of this way into waiting would come 2,000,000
 * of the program's instructions later. */
static int release(pid_t child, uint32_t core) {
    const struct itimerval soon = {.it_value = {.tv_usec = 100}};
    signal(SIGALRM, SIG_IGN);
    await_tick();
    setitimer(ITIMER_REAL, &soon, NULL);
    MARK(MARK_FLUSH, core, 0);
    return (int)ptrace(PTRACE_DETACH, child, NULL, NULL);
}

struct range {
    unsigned long at, end;
};

/* The process's writable private mappings but the stack: its static data. Returns how many. */
static size_t find_data(pid_t process, struct range *ranges, size_t most) {
    char path[64], line[512], mode[8];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", process);
    FILE *maps = fopen(path, "re");
    while (maps && count < most && fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %7s", &ranges[count].at, &ranges[count].end, mode) == 3 &&
            strcmp(mode, "rw-p") == 0 && !strstr(line, "[stack]"))
            count++;
    if (maps)
        fclose(maps);
    return count;
}

/* The child has begun to execute the program and stands before its first instruction: have its
 * static data in memory, in the order of the addresses. Page by page at first touch, the order
 * would be the program's, and lines might share sets of a cache for no other reason. */
static void populate(pid_t child) {
    struct range ranges[16]; /* of a static program: two or three */
    size_t count = find_data(child, ranges, sizeof ranges / sizeof *ranges);
    unsigned long left = MOST_POPULATED_BYTES;
    char path[64], byte;
    snprintf(path, sizeof path, "/proc/%d/mem", child);
    int memory = open(path, O_RDWR | O_CLOEXEC);
    for (size_t i = 0; memory >= 0 && i < count; i++)
        for (off_t at = (off_t)ranges[i].at; at < (off_t)ranges[i].end && left;
             at += PAGE, left -= PAGE)
            if (pread(memory, &byte, 1, at) != 1 || pwrite(memory, &byte, 1, at) != 1)
                break;
    if (memory >= 0)
        close(memory);
}

/* In the child: the program, at addresses that do not depend on the guest's random numbers. Only
 * comes back when it cannot be started, with errno. */
static void become(uint32_t core, char **arguments, const int outputs[2]) {
    static char *environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/root", "LC_ALL=C",
                                  NULL};
    const struct rlimit files = {MOST_FILE_BYTES, MOST_FILE_BYTES};
    channel_close();
    setsid();
    if (chdir("/tmp") < 0 || setrlimit(RLIMIT_FSIZE, &files) < 0 ||
        dup2(open("/dev/null", O_RDONLY), STDIN_FILENO) < 0 ||
        dup2(outputs[0], STDOUT_FILENO) < 0 || dup2(outputs[1], STDERR_FILENO) < 0 || !pin(core) ||
        personality(ADDR_NO_RANDOMIZE) < 0 || ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
        return;
    MARK(M5_RESET_STATS, 0, 0);
    execve(PROGRAM, arguments, environment);
}

/* Start it and wait for its end. Returns its wait status. */
static int run(uint32_t core, char **arguments, const int outputs[2]) {
    int trouble[2], why = 0, status = 0;
    if (pipe2(trouble, O_CLOEXEC) < 0)
        fail("a pipe for it");
    pid_t child = fork();
    if (child == 0) {
        become(core, arguments, outputs);
        why = errno;
        _exit(write(trouble[1], &why, sizeof why) != sizeof why);
    }
    close(trouble[1]);
    if (child < 0 || waitpid(child, &status, 0) < 0)
        fail("a process for it");
    if (WIFSTOPPED(status)) {
        pin(core); /* for pages from its core's stock, like those it takes later */
        populate(child);
        pin(0);
        sleep(SETTLE_SECONDS);
        if (release(child, core) < 0 || waitpid(child, &status, 0) < 0)
            fail("a process for it");
    }
    kill(-child, SIGKILL); /* what it left in the background */
    if (read(trouble[0], &why, sizeof why) == sizeof why) {
        errno = why;
        fail("it cannot be executed");
    }
    close(trouble[0]);
    return status;
}

/* All of it, or its end and a word about what is missing. */
static void send_output(const char *name, int output) {
    char note[80] = "";
    struct stat about;
    if (fstat(output, &about) < 0 || about.st_size == 0)
        return;
    size_t size = (size_t)about.st_size;
    char *bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, output, 0);
    if (bytes == MAP_FAILED)
        return;
    if (size > MOST_SENT_BYTES) {
        bytes += size - MOST_SENT_BYTES;
        snprintf(note, sizeof note, "(the first %zu bytes are left out)\n", size - MOST_SENT_BYTES);
        size = MOST_SENT_BYTES;
    }
    channel_line("file %s %zu", name, strlen(note) + size);
    channel_bytes(note, strlen(note));
    channel_bytes(bytes, size);
}

int main(void) {
    struct parcel parcel;
    if (channel_open() < 0) {
        fputs("slsuite-launch: only inside a machine of `slsuite exec`\n", stderr);
        return 1;
    }
    make_place();
    use_up_fragments();
    settle();
    channel_line("checkpoint");
    if (channel_stop() < 0)
        return 1;
    channel_line("stage program");
    const int outputs[2] = {memfd_create("stdout", MFD_CLOEXEC),
                            memfd_create("stderr", MFD_CLOEXEC)};
    if (outputs[0] < 0 || outputs[1] < 0)
        fail("memory for its output");
    char **arguments = unpack(&parcel);
    int status = run(parcel.core, arguments, outputs);
    MARK(MARK_PROGRAM_ENDED, 0, 0);
    send_output("stdout", outputs[0]);
    send_output("stderr", outputs[1]);
    if (WIFSIGNALED(status))
        channel_line("program killed %d", WTERMSIG(status));
    else
        channel_line("program exited %d", WEXITSTATUS(status));
    return 0;
}
