#include "common/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/confine.h"
#include "common/file.h"
#include "common/progress.h"

#define GRACE_MS 10000 /* for a child to clear away what it has made */
#define TICK_MS 200    /* between two looks at the time */

/* Debian keeps mke2fs and friends in sbin, which an ordinary user's PATH lacks. */
static const char *search_path(void) {
    static char *path;
    if (!path)
        path =
            format_string("%s:/usr/local/sbin:/usr/sbin:/sbin", getenv("PATH") ?: "/usr/bin:/bin");
    return path;
}

bool process_exists(const char *program) {
    autofree char *list = strdup(search_path());
    for (char *place = list, *folder; (folder = strsep(&place, ":"));) {
        autofree char *file = format_string("%s/%s", folder, program);
        if (access(file, X_OK) == 0)
            return true;
    }
    return false;
}

static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
#define ENDS (sizeof ends / sizeof *ends)

static unsigned children;              /* that have not been reaped */
static struct sigaction before[ENDS];  /* as it was before the first of them was started */
static volatile sig_atomic_t ended_by; /* the end that came while one runs */

static void note_end(int number) {
    ended_by = number;
}

/* Whoever ends us ends the children's whole groups first, which may have more to clear away than we
 * know: mmdebstrap has a root file system in /tmp. */
static void catch_ends(void) {
    const struct sigaction ours = {.sa_handler = note_end};
    for (size_t i = 0; children == 0 && i < ENDS; i++) {
        sigaction(ends[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN)
            sigaction(ends[i], &ours, NULL);
    }
    children++;
}

static void restore_ends(void) {
    for (size_t i = 0; i < ENDS; i++)
        sigaction(ends[i], &before[i], NULL);
}

static const char *doomed; /* folder that goes when we do */

void process_clear_at_end(const char *folder) {
    doomed = folder;
}

static void release_ends(void) {
    if (--children)
        return;
    restore_ends();
    if (!ended_by)
        return;
    if (doomed)
        folder_remove(doomed, NULL);
    raise(ended_by);
}

static void redirect(const char *path, int flags, int target) {
    int fd = open(path, flags, 0644);
    if (fd < 0 || dup2(fd, target) < 0)
        _exit(126);
    if (fd != target)
        close(fd);
}

static void become_child(const char *const argv[], const struct process_options *options,
                         pid_t parent) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    restore_ends();
    if (getppid() != parent || ended_by) /* meanwhile, or before */
        _exit(126);
    redirect(options->input ? options->input : "/dev/null", O_RDONLY, STDIN_FILENO);
    redirect(options->log, O_WRONLY | O_CREAT | O_APPEND, STDERR_FILENO);
    if (options->output)
        redirect(options->output, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    else
        dup2(STDERR_FILENO, STDOUT_FILENO);
    if (options->inherit > 0) {
        int inherited = fcntl(options->inherit, F_DUPFD, PROCESS_INHERITED + 1); /* not closed */
        if (inherited < 0 || dup2(inherited, PROCESS_INHERITED) < 0)
            _exit(126);
        close(inherited);
    }
    if (options->folder && chdir(options->folder) < 0)
        _exit(126);
    if (options->output_most)
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){options->output_most, options->output_most});
    for (const char *const *extra = options->environment; extra && *extra; extra++)
        putenv((char *)*extra);
    setenv("PATH", search_path(), 1);
    if (options->writable)
        confine_writing(options->writable);
    execvp(options->program ? options->program : argv[0], (char *const *)argv);
    _exit(127);
}

static bool any_runs(const struct process processes[], size_t count, int timeout_ms) {
    for (size_t i = 0; i < count; i++) {
        struct pollfd ended = {.fd = processes[i].handle, .events = POLLIN};
        if (processes[i].id && poll(&ended, 1, timeout_ms) <= 0)
            return true;
    }
    return false;
}

static void signal_groups(const struct process processes[], size_t count, int number) {
    for (size_t i = 0; i < count; i++)
        if (processes[i].id)
            kill(-processes[i].id, number);
}

/* Ask the groups to end, and make them. */
static void end_groups(const struct process processes[], size_t count) {
    signal_groups(processes, count, SIGTERM);
    for (int waited = 0; waited < GRACE_MS && any_runs(processes, count, 100); waited += 100)
        ;
    signal_groups(processes, count, SIGKILL);
}

int process_start(const char *const argv[], const struct process_options *options,
                  struct process *process, struct error *err) {
    pid_t parent = getpid();
    *process = (struct process){.handle = -1};
    catch_ends();
    process->id = fork();
    if (process->id == 0)
        become_child(argv, options, parent);
    if (process->id > 0) {
        setpgid(process->id, process->id); /* whoever of both is first */
        process->handle = (int)syscall(SYS_pidfd_open, process->id, 0);
    }
    if (process->handle >= 0)
        return 0;
    error_errno(err, "cannot start %s", argv[0]);
    if (process->id > 0) {
        kill(process->id, SIGKILL);
        process_reap(process);
        return -1;
    }
    process->id = 0;
    release_ends();
    return -1;
}

size_t process_wait(const struct process processes[], size_t count, int timeout_ms) {
    struct pollfd ended[count];
    for (size_t i = 0; i < count; i++) /* a negative handle is none to poll() */
        ended[i] = (struct pollfd){.fd = processes[i].handle, .events = POLLIN};
    int ready = poll(ended, count, timeout_ms);
    if (ended_by) {
        end_groups(processes, count);
        ready = poll(ended, count, -1);
    }
    for (size_t i = 0; ready > 0 && i < count; i++)
        if (ended[i].revents)
            return i;
    return count;
}

bool process_interrupted(void) {
    return ended_by != 0;
}

int process_reap(struct process *process) {
    int status = 0;
    while (waitpid(process->id, &status, 0) < 0 && errno == EINTR)
        ;
    if (process->handle >= 0)
        close(process->handle);
    *process = (struct process){.handle = -1};
    release_ends();
    return status;
}

/* Whether it has ended in time; otherwise it is made to. */
static bool ends_in_time(const struct process *process, int timeout_seconds) {
    for (int waited_ms = 0; process_wait(process, 1, TICK_MS) == 1; waited_ms += TICK_MS) {
        progress_tick();
        if (timeout_seconds > 0 && waited_ms >= timeout_seconds * 1000) {
            end_groups(process, 1);
            return false;
        }
    }
    return true;
}

static int run(const char *const argv[], const struct process_options *options, const char *log,
               struct error *err) {
    int64_t start = file_size(log);
    struct process_options logged = *options;
    struct process process;
    logged.log = log;
    if (process_start(argv, &logged, &process, err) < 0)
        return -1;
    bool in_time = ends_in_time(&process, options->timeout_seconds);
    int status = process_reap(&process);
    if (!in_time)
        return error_set(err, "%s did not end within %d s", argv[0], options->timeout_seconds);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return error_set(
            err, "cannot start %s: not found: install it (slsuite doctor lists what is missing)",
            argv[0]);
    autofree char *line = file_last_line(log, start > 0 ? (size_t)start : 0);
    if (WIFSIGNALED(status))
        return error_set(err, "%s was ended by signal %d: %s", argv[0], WTERMSIG(status), line);
    return error_set(err, "%s failed with status %d: %s", argv[0], WEXITSTATUS(status), line);
}

/* A temporary file without a name, so that nothing stays when we are killed, and a path by which
 * the child can open it. */
static int open_nameless(char path[PATH_MAX]) {
    char name[] = "/tmp/slsuite-XXXXXX";
    int fd = mkstemp(name);
    if (fd < 0)
        return -1;
    unlink(name);
    snprintf(path, PATH_MAX, "/proc/self/fd/%d", fd);
    return fd;
}

int process_run(const char *const argv[], const struct process_options *options,
                struct error *err) {
    static const struct process_options none;
    options = options ? options : &none;
    if (options->log)
        return run(argv, options, options->log, err);

    char log[PATH_MAX];
    autoclose int fd = open_nameless(log);
    if (fd < 0)
        return error_errno(err, "cannot start %s: no temporary file", argv[0]);
    return run(argv, options, log, err);
}

char *process_output(const char *const argv[], const struct process_options *options,
                     struct error *err) {
    char name[PATH_MAX];
    autoclose int fd = open_nameless(name);
    if (fd < 0) {
        error_errno(err, "cannot start %s: no temporary file", argv[0]);
        return NULL;
    }
    struct process_options with_output = options ? *options : (struct process_options){0};
    with_output.output = name;
    return process_run(argv, &with_output, err) == 0 ? file_read(name, NULL, err) : NULL;
}
