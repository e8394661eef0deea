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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/progress.h"

#define GRACE_MS 10000 /* for a child to clear away what it has made */

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

static void redirect(const char *path, int flags, int target) {
    int fd = open(path, flags, 0644);
    if (fd < 0 || dup2(fd, target) < 0)
        _exit(126);
    if (fd != target)
        close(fd);
}

static void become_child(const char *const argv[], const struct process_options *options,
                         const char *log, pid_t parent) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(126);
    redirect(options->input ? options->input : "/dev/null", O_RDONLY, STDIN_FILENO);
    redirect(log, O_WRONLY | O_CREAT | O_APPEND, STDERR_FILENO);
    if (options->output)
        redirect(options->output, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    else
        dup2(STDERR_FILENO, STDOUT_FILENO);
    if (options->folder && chdir(options->folder) < 0)
        _exit(126);
    for (const char *const *extra = options->environment; extra && *extra; extra++)
        putenv((char *)*extra);
    setenv("PATH", search_path(), 1);
    execvp(argv[0], (char *const *)argv);
    _exit(127);
}

/* The last line of the log that says something, for the error text. */
static char *last_line(const char *log, long start) {
    size_t size = 0;
    autofree char *text = file_read(log, &size, NULL);
    if (!text || (long)size <= start)
        return strdup("");
    char *line = text + start, *best = line;
    for (char *part; (part = strsep(&line, "\n"));)
        if (strspn(part, " \t\r") != strlen(part))
            best = part;
    return strdup(best);
}

static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
#define ENDS (sizeof ends / sizeof *ends)

static volatile sig_atomic_t ended_by; /* the one of them that came while a child runs */

static void note_end(int number) {
    ended_by = number;
}

/* Whoever ends us ends the child's whole group first, which may have more to clear away than we
 * know: mmdebstrap has a root file system in /tmp. */
static void catch_ends(struct sigaction before[ENDS]) {
    const struct sigaction ours = {.sa_handler = note_end};
    for (size_t i = 0; i < ENDS; i++) {
        sigaction(ends[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN)
            sigaction(ends[i], &ours, NULL);
    }
}

static void release_ends(const struct sigaction before[ENDS]) {
    for (size_t i = 0; i < ENDS; i++)
        sigaction(ends[i], &before[i], NULL);
    if (ended_by)
        raise(ended_by);
}

/* Ask the group to end, and make it. */
static void end_group(pid_t child, const struct pollfd *ended) {
    struct pollfd handle = *ended;
    kill(-child, SIGTERM);
    for (int waited = 0; waited < GRACE_MS && poll(&handle, 1, 100) <= 0; waited += 100)
        ;
    kill(-child, SIGKILL);
}

static int wait_for(pid_t child, const char *name, int timeout_seconds, int *status,
                    struct error *err) {
    autoclose int handle = (int)syscall(SYS_pidfd_open, child, 0);
    struct pollfd ended = {.fd = handle, .events = POLLIN};
    struct sigaction before[ENDS];
    int ready, waited_ms = 0;
    catch_ends(before);
    while ((ready = poll(&ended, 1, 200)) <= 0 && !ended_by) {
        progress_tick();
        waited_ms += ready == 0 ? 200 : 0;
        if (timeout_seconds > 0 && waited_ms >= timeout_seconds * 1000)
            break;
    }
    if (ready <= 0)
        end_group(child, &ended);
    while (waitpid(child, status, 0) < 0 && errno == EINTR)
        ;
    release_ends(before);
    return ready == 0 ? error_set(err, "%s did not end within %d s", name, timeout_seconds) : 0;
}

static int run(const char *const argv[], const struct process_options *options, const char *log,
               struct error *err) {
    int64_t start = file_size(log);
    pid_t parent = getpid(), child = fork();
    if (child < 0)
        return error_errno(err, "cannot start %s", argv[0]);
    if (child == 0)
        become_child(argv, options, log, parent);

    int status = 0;
    if (wait_for(child, argv[0], options->timeout_seconds, &status, err) < 0)
        return -1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return error_set(
            err, "cannot start %s: not found: install it (slsuite doctor lists what is missing)",
            argv[0]);
    autofree char *line = last_line(log, start > 0 ? (long)start : 0);
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
