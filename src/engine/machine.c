#include "engine/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/process.h"
#include "engine/command_line.h"
#include "engine/qmp.h"

#define ANSWER_MS                                                                                  \
    30000 /* QEMU's main loop answers within milliseconds; a loaded host may stall it */
#define PIPE_BYTES (1 << 20) /* the largest an unprivileged process may ask for by default */

/* Bytes of one of the guest's streams that are not yet a whole line or file. */
struct stream {
    int fd;
    char *buffer;
    size_t used, capacity;
};

struct queued {
    struct queued *next;
    struct machine_report report;
};

struct machine {
    pid_t process;
    int handle; /* pidfd */
    struct qmp *qmp;
    struct stream channel, events;
    struct queued *first, **last;
    struct machine_report given; /* what machine_next() returned: freed by the next call */
    char *log;
    bool ended;
};

bool machine_has_place(const struct nvdimms *nvdimms) {
    return !nvdimms->content || !nvdimms->base || !nvdimms->services || !nvdimms->archive;
}

double machine_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

const char *machine_qemu(void) {
    const char *own = getenv("SLSUITE_QEMU");
    return own && *own ? own : "qemu-system-x86_64";
}

char *machine_qemu_version(struct error *err) {
    const char *const arguments[] = {machine_qemu(), "--version", NULL};
    struct process_options options = {.timeout_seconds = 20};
    autofree char *text = process_output(arguments, &options, err);
    char version[32] = "";
    if (!text) {
        error_set(err, "cannot start %s: not found or broken: run `make deps`, or set SLSUITE_QEMU",
                  machine_qemu());
        return NULL;
    }
    if (sscanf(text, "QEMU emulator version %31[0-9.]", version) != 1 || atoi(version) < 10) {
        error_set(
            err,
            "QEMU %s is too old: the plugin interface of QEMU 10.0 is needed: run `make deps` "
            "(Debian 12: from backports)",
            version[0] ? version : "of unknown version");
        return NULL;
    }
    return strdup(version);
}

/* Once more than the plugin: the machines that make checkpoints have none. See plugin/steady.c. */
static void preload_steady(void) {
    const char *others = getenv("LD_PRELOAD");
    autofree char *all = format_string("%s%s%s", paths_steady(), others ? ":" : "", others ?: "");
    setenv("LD_PRELOAD", all, 1);
}

static void child(char **arguments, const char *log, pid_t parent, const int *kept, int kept_count,
                  bool own_terminal) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(126);
    if (!own_terminal)
        setpgid(0, 0);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(126);
    if (!own_terminal) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDIN_FILENO);
        dup2(STDERR_FILENO, STDOUT_FILENO);
    }
    for (int i = 0; i < kept_count; i++)
        fcntl(kept[i], F_SETFD, 0);
    preload_steady();
    execvp(arguments[0], arguments);
    fprintf(stderr, "cannot start %s: %s\n", arguments[0], strerror(errno));
    _exit(127);
}

static int make_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
    return 0;
}

struct machine *machine_start(const struct machine_options *options, struct error *err) {
    int control[2] = {-1, -1}, channel[2] = {-1, -1}, events[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) < 0 || make_pipe(channel) < 0 ||
        make_pipe(events) < 0) {
        error_errno(err, "cannot start QEMU");
        return NULL;
    }
    struct machine *machine = calloc(1, sizeof *machine);
    char **arguments = command_line_make(options, control[1], channel[1], events[1]);
    if (!machine || !arguments)
        abort();
    machine->last = &machine->first;
    machine->log = strdup(options->log);
    machine->channel.fd = channel[0];
    machine->events.fd = events[0];
    machine->qmp = qmp_new(control[0]);

    const int kept[] = {control[1], channel[1], events[1]};
    pid_t parent = getpid();
    machine->process = fork();
    if (machine->process == 0)
        child(arguments, options->log, parent, kept, 3, !options->console);
    command_line_free(arguments);
    close(control[1]);
    close(channel[1]);
    close(events[1]);
    machine->handle = machine->process > 0 ? (int)syscall(SYS_pidfd_open, machine->process, 0) : -1;
    if (machine->process < 0 || machine->handle < 0) {
        error_errno(err, "cannot start QEMU");
    } else if (qmp_handshake(machine->qmp, ANSWER_MS, err) == 0) {
        return machine;
    } else {
        struct machine_report last = machine_next(machine, machine_now() + 1, NULL, NULL);
        if (last.text && *last.text)
            error_set(err, "cannot start QEMU: %s", last.text);
    }
    machine_end(machine);
    return NULL;
}

static void free_report(struct machine_report *report) {
    free(report->text);
    free(report->data);
    *report = (struct machine_report){0};
}

void machine_end(struct machine *machine) {
    if (!machine)
        return;
    if (machine->process > 0) {
        kill(machine->process, SIGKILL);
        while (waitpid(machine->process, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    for (struct queued *item = machine->first, *next; item; item = next) {
        next = item->next;
        free_report(&item->report);
        free(item);
    }
    free_report(&machine->given);
    qmp_free(machine->qmp);
    close(machine->channel.fd);
    close(machine->events.fd);
    if (machine->handle >= 0)
        close(machine->handle);
    free(machine->channel.buffer);
    free(machine->events.buffer);
    free(machine->log);
    free(machine);
}

static void queue(struct machine *machine, enum machine_report_kind kind, const char *text,
                  const char *data, size_t size) {
    struct queued *item = calloc(1, sizeof *item);
    if (!item)
        abort();
    item->report = (struct machine_report){kind, text ? strdup(text) : NULL, NULL, size};
    if (data) {
        item->report.data = malloc(size + 1);
        memcpy(item->report.data, data, size);
    }
    *machine->last = item;
    machine->last = &item->next;
}

/* Read all that is there. */
static void fill(struct stream *stream) {
    for (;;) {
        if (stream->capacity - stream->used < 4096) {
            stream->capacity = stream->capacity * 2 + 16384;
            stream->buffer = realloc(stream->buffer, stream->capacity);
            if (!stream->buffer)
                abort();
        }
        ssize_t got =
            read(stream->fd, stream->buffer + stream->used, stream->capacity - stream->used - 1);
        if (got <= 0)
            return;
        stream->used += (size_t)got;
    }
}

/* Take whole lines, and the files that `file NAME SIZE` announces, out of a stream. */
static void split(struct machine *machine, struct stream *stream, enum machine_report_kind kind) {
    size_t at = 0;
    while (at < stream->used) {
        char *line = stream->buffer + at, *end = memchr(line, '\n', stream->used - at);
        if (!end)
            break;
        *end = '\0';
        size_t next = (size_t)(end - stream->buffer) + 1;
        char name[256];
        size_t size;
        if (kind == MACHINE_LINE && sscanf(line, "file %255s %zu", name, &size) == 2) {
            if (stream->used - next < size) {
                *end = '\n';
                break;
            }
            queue(machine, MACHINE_FILE, name, stream->buffer + next, size);
            next += size;
        } else {
            queue(machine, kind, line, NULL, 0);
        }
        at = next;
    }
    if (at)
        memmove(stream->buffer, stream->buffer + at, stream->used -= at);
}

static void queue_event(struct machine *machine, const json_t *event) {
    const char *name = json_string_value(json_object_get(event, "event"));
    const json_t *data = json_object_get(event, "data");
    const char *reason = json_string_value(json_object_get(data, "reason"));
    if (name && strcmp(name, "GUEST_PANICKED") == 0)
        queue(machine, MACHINE_PAUSED, NULL, NULL, 0);
    else if (name && strcmp(name, "SHUTDOWN") == 0)
        queue(machine, reason && strcmp(reason, "guest-reset") == 0 ? MACHINE_RESET : MACHINE_OFF,
              NULL, NULL, 0);
}

/* Collect what has happened. QEMU's events are read first and queued last: whatever the guest wrote
 * before an event is then surely in the pipes. */
static void collect(struct machine *machine) {
    int closed = 0;
    json_t *events = json_array();
    for (json_t *event; (event = qmp_next_event(machine->qmp, &closed));)
        json_array_append_new(events, event);
    fill(&machine->events);
    fill(&machine->channel);
    split(machine, &machine->events, MACHINE_MARK);
    split(machine, &machine->channel, MACHINE_LINE);
    size_t index;
    json_t *event;
    json_array_foreach(events, index, event) queue_event(machine, event);
    json_decref(events);

    struct pollfd ended = {.fd = machine->handle, .events = POLLIN};
    if ((closed || poll(&ended, 1, 0) > 0) && !machine->ended) {
        machine->ended = true;
        autofree char *line = file_last_line(machine->log, 0);
        queue(machine, MACHINE_GONE, line, NULL, 0);
    }
}

struct machine_report machine_next(struct machine *machine, double deadline,
                                   void (*idle)(void *context), void *context) {
    free_report(&machine->given);
    while (!machine->first) {
        collect(machine);
        if (machine->first)
            break;
        if (machine->ended)
            return machine->given = (struct machine_report){.kind = MACHINE_GONE};
        double left = deadline - machine_now();
        if (left <= 0)
            return machine->given = (struct machine_report){.kind = MACHINE_LATE};
        struct pollfd sources[] = {
            {.fd = machine->handle, .events = POLLIN},
            {.fd = qmp_fd(machine->qmp), .events = POLLIN},
            {.fd = machine->channel.fd, .events = POLLIN},
            {.fd = machine->events.fd, .events = POLLIN},
        };
        poll(sources, 4, left > 0.1 ? 100 : (int)(left * 1000) + 1);
        if (idle)
            idle(context);
    }
    struct queued *item = machine->first;
    machine->first = item->next;
    if (!machine->first)
        machine->last = &machine->first;
    machine->given = item->report;
    free(item);
    return machine->given;
}

static int set_migration(struct machine *machine, struct error *err) {
    json_t *capabilities =
        json_pack("{s:[{s:s, s:b}]}", "capabilities", "capability", "x-ignore-shared", "state", 1);
    /* Announcing runs on a real-time timer, which would make restored runs differ. */
    json_t *parameters = json_pack("{s:i}", "announce-rounds", 0);
    if (qmp_command(machine->qmp, "migrate-set-capabilities", capabilities, NULL, ANSWER_MS, err) <
        0) {
        json_decref(parameters);
        return -1;
    }
    return qmp_command(machine->qmp, "migrate-set-parameters", parameters, NULL, ANSWER_MS, err);
}

static int wait_for_migration(struct machine *machine, const char *what, struct error *err) {
    for (double deadline = machine_now() + 60; machine_now() < deadline; usleep(1000)) {
        json_t *answer = NULL;
        if (qmp_command(machine->qmp, "query-migrate", NULL, &answer, ANSWER_MS, err) < 0)
            return -1;
        const char *status = json_string_value(json_object_get(answer, "status"));
        const char *reason = json_string_value(json_object_get(answer, "error-desc"));
        bool completed = status && strcmp(status, "completed") == 0;
        bool failed = status && strcmp(status, "failed") == 0;
        if (failed)
            error_set(err, "cannot %s the checkpoint: %s", what,
                      reason ? reason : "QEMU says failed");
        json_decref(answer);
        if (completed || failed)
            return completed ? 0 : -1;
    }
    return error_set(err, "cannot %s the checkpoint: QEMU did not end within 60 s", what);
}

static int migrate(struct machine *machine, const char *command, const char *what,
                   const char *state_file, struct error *err) {
    autofree char *uri = format_string("file:%s", state_file);
    if (set_migration(machine, err) < 0 ||
        qmp_command(machine->qmp, command, json_pack("{s:s}", "uri", uri), NULL, ANSWER_MS, err) <
            0)
        return -1;
    return wait_for_migration(machine, what, err);
}

int machine_save(struct machine *machine, const char *state_file, struct error *err) {
    return migrate(machine, "migrate", "save", state_file, err);
}

int machine_restore(struct machine *machine, const char *state_file, struct error *err) {
    if (migrate(machine, "migrate-incoming", "restore", state_file, err) < 0)
        return -1;
    return qmp_command(machine->qmp, "cont", NULL, NULL, ANSWER_MS, err);
}
