#include "native/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/clock.h"

static int start(const struct instance_home *home, const struct caller *caller, unsigned number,
                 struct instance *instance, struct grpc_client **client,
                 struct worker_report *report, struct error *err) {
    uint64_t times[WORKER_PHASES + 1] = {now_ns()};
    int result = instance_create(home, number, instance, err);
    times[1] = now_ns();
    if (result == 0)
        result = instance_start(instance, err);
    times[2] = now_ns();
    if (result == 0)
        result = instance_wait(instance, err);
    times[3] = now_ns();
    for (int i = 0; i < WORKER_PHASES; i++)
        report->phases_ns[i] = times[i + 1] - times[i];
    report->kind = WORKER_STARTED;
    report->process = instance->process;
    if (result == 0 && !(*client = caller_connect(caller, instance->port, err)))
        result = -1;
    return result;
}

static void tell(int socket, const struct worker_report *report) {
    send(socket, report, sizeof *report, MSG_NOSIGNAL);
}

static void work(int socket, const struct instance_home *home, struct caller *caller,
                 unsigned number) {
    struct instance instance = {.own = {.handle = -1}};
    struct grpc_client *client = NULL;
    struct worker_order order;
    struct error err = {0};
    int result = 0;
    while (result == 0 && recv(socket, &order, sizeof order, 0) == (ssize_t)sizeof order &&
           order.number != WORKER_RETIRE) {
        struct worker_report report = {.number = order.number, .begin_ns = now_ns()};
        if (!client &&
            (result = start(home, caller, number, &instance, &client, &report, &err)) == 0)
            tell(socket, &report);
        if (result == 0)
            result = caller_invoke(caller, client, (long)order.number, NULL, &err);
        report.end_ns = now_ns();
        report.kind = result == 0 ? WORKER_ANSWERED : WORKER_FAILED;
        memcpy(report.why, err.text, sizeof report.why - 1);
        tell(socket, &report);
    }
    grpc_client_close(client);
    instance_remove(&instance);
}

int worker_begin(struct worker *worker, const struct instance_home *home, struct caller *caller,
                 unsigned number, struct error *err) {
    int ends[2];
    pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return error_errno(err, "cannot make a channel to an instance's process");
    worker->socket = ends[0];
    worker->id = fork();
    if (worker->id == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        if (getppid() == parent)
            work(ends[1], home, caller, number);
        _exit(0);
    }
    close(ends[1]);
    if (worker->id > 0)
        return 0;
    close(worker->socket);
    return error_errno(err, "cannot start an instance's process");
}

void worker_retire(struct worker *worker) {
    const struct worker_order retire = {.number = WORKER_RETIRE};
    send(worker->socket, &retire, sizeof retire, MSG_NOSIGNAL);
    close(worker->socket);
}

bool worker_has_ended(pid_t id, bool wait) {
    pid_t ended;
    do
        ended = waitpid(id, NULL, wait ? 0 : WNOHANG);
    while (ended < 0 && errno == EINTR);
    return ended != 0;
}
