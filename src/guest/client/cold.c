#include "client/cold.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/clock.h"
#include "common/mark.h"
#include "guest/channel.h"
#include "guest/m5/m5op.h"

#define FUNCTION_CORE 1 /* as in slsuite-function */
/* Between attempts to connect: each takes core 0 some 25 µs, and lines of the shared cache. A slow
 * start is measured as well by fewer. */
#define POLL_US 1000
#define POLLS 256         /* of the time waited so far, this part, if that is longer */
#define LISTEN_SECONDS 60 /* as slsuite-function's PATIENCE */

/* In a child. All of it is on the function's core, so that this core's statistics tell all of the
 * start. The function must not inherit the right to the channel's ports: see channel_close(). */
static _Noreturn void become_step(const char *step, const char *function) {
    cpu_set_t core;
    CPU_ZERO(&core);
    CPU_SET(FUNCTION_CORE, &core);
    channel_close();
    if (sched_setaffinity(0, sizeof core, &core) == 0)
        execlp("slsuite-function", "slsuite-function", step, function, (char *)NULL);
    fprintf(stderr, "client: cannot run slsuite-function: %m\n");
    _exit(127);
}

static int fail_silently(struct error *err) {
    *err = (struct error){.status = 1};
    return -1;
}

/* A step of slsuite-function, which tells the host itself why it failed. */
static int run_step(const char *step, const char *function, struct error *err) {
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        become_step(step, function);
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return error_errno(err, "run slsuite-function");
    return status == 0 ? 0 : fail_silently(err);
}

/* Whether the container's first process is there. */
static bool lives(const char *function) {
    char path[256];
    int pid = 0;
    snprintf(path, sizeof path, "/run/slsuite/functions/%s/pid", function);
    FILE *file = fopen(path, "re");
    bool read = file && fscanf(file, "%d", &pid) == 1;
    if (file)
        fclose(file);
    return read && pid > 0 && kill(pid, 0) == 0;
}

/* Connect as soon as somebody listens. Each attempt before that is refused by the kernel, on this
 * core. NULL: nobody does, and slsuite-function has told why. */
static struct grpc_client *await_listener(const struct options *options, struct error *err) {
    uint64_t begun = now_ns(), deadline = begun + LISTEN_SECONDS * UINT64_C(1000000000);
    for (;;) {
        struct grpc_client *client = grpc_client_connect(options->address, options->method,
                                                         (int)options->timeout_s * 1000, err);
        if (client || err->status == 2)
            return client;
        if (!lives(options->cold) || now_ns() >= deadline) {
            run_step("overdue", options->cold, err);
            return NULL;
        }
        uint64_t waited_us = (now_ns() - begun) / 1000;
        usleep((useconds_t)(waited_us / POLLS > POLL_US ? waited_us / POLLS : POLL_US));
        *err = (struct error){0};
    }
}

void cold_rehearse(const struct options *options) {
    struct error refused = {0};
    grpc_client_close(grpc_client_connect(options->address, options->method,
                                          (int)options->timeout_s * 1000, &refused));
}

int cold_start(const struct options *options, const struct grpc_message *request,
               struct grpc_client **client, struct results *results, struct error *err) {
    const struct grpc_message *reply = NULL;
    if (options->invocations != 1)
        return error_usage(err, "-cold: a function starts cold once: -n 1");
    uint64_t begun = now_ns();
    m5_work_begin(0, 0);
    int outcome = run_step("create", options->cold, err);
    MARK(MARK_PHASE, 1, 0);
    if (outcome == 0)
        outcome = run_step("run", options->cold, err);
    MARK(MARK_PHASE, 2, 0);
    if (outcome == 0)
        *client = await_listener(options, err);
    MARK(MARK_PHASE, 3, 0);
    if (*client && grpc_client_greet(*client, err) == 0)
        reply = grpc_client_call(*client, request, err);
    uint64_t ended = now_ns();
    if (options->settle_us)
        usleep((useconds_t)options->settle_us);
    m5_work_end(0, 0);
    return reply ? results_add(results, ended - begun, reply, err) : -1;
}
