#include "engine/qmp.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"

struct qmp {
    int fd;
    bool closed;
    char *buffer;
    size_t used, capacity;
    json_t *events; /* array: arrived, not yet asked for */
};

struct qmp *qmp_new(int fd) {
    struct qmp *qmp = calloc(1, sizeof *qmp);
    if (!qmp)
        abort();
    qmp->fd = fd;
    qmp->events = json_array();
    return qmp;
}

void qmp_free(struct qmp *qmp) {
    if (!qmp)
        return;
    close(qmp->fd);
    json_decref(qmp->events);
    free(qmp->buffer);
    free(qmp);
}

int qmp_fd(const struct qmp *qmp) {
    return qmp->fd;
}

static long long now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

/* Read what is there, waiting at most timeout_ms for the first byte. */
static void receive(struct qmp *qmp, long long timeout_ms) {
    struct pollfd ready = {.fd = qmp->fd, .events = POLLIN};
    if (qmp->closed || poll(&ready, 1, (int)timeout_ms) <= 0)
        return;
    if (qmp->capacity - qmp->used < 4096) {
        qmp->capacity = qmp->capacity * 2 + 8192;
        qmp->buffer = realloc(qmp->buffer, qmp->capacity);
        if (!qmp->buffer)
            abort();
    }
    ssize_t got = recv(qmp->fd, qmp->buffer + qmp->used, qmp->capacity - qmp->used, MSG_DONTWAIT);
    if (got > 0)
        qmp->used += (size_t)got;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        qmp->closed = true;
}

/* One whole line as JSON, or NULL. */
static json_t *next_message(struct qmp *qmp) {
    char *end = qmp->used ? memchr(qmp->buffer, '\n', qmp->used) : NULL;
    if (!end)
        return NULL;
    size_t length = (size_t)(end - qmp->buffer) + 1;
    json_t *message = json_loadb(qmp->buffer, length, 0, NULL);
    memmove(qmp->buffer, qmp->buffer + length, qmp->used -= length);
    return message ? message : json_object();
}

/* Wait for a message that has this key; events are kept. */
static json_t *wait_for(struct qmp *qmp, const char *key, int timeout_ms, struct error *err) {
    long long deadline = now_ms() + timeout_ms;
    for (;;) {
        json_t *message = next_message(qmp);
        if (!message) {
            long long left = deadline - now_ms();
            if (qmp->closed || left <= 0) {
                error_set(err, qmp->closed ? "QEMU closed its control connection"
                                           : "QEMU does not answer on its control connection");
                return NULL;
            }
            receive(qmp, left);
            continue;
        }
        if (json_object_get(message, "event"))
            json_array_append_new(qmp->events, message);
        else if (json_object_get(message, key) || json_object_get(message, "error"))
            return message;
        else
            json_decref(message);
    }
}

int qmp_handshake(struct qmp *qmp, int timeout_ms, struct error *err) {
    json_t *greeting = wait_for(qmp, "QMP", timeout_ms, err);
    if (!greeting)
        return -1;
    json_decref(greeting);
    return qmp_command(qmp, "qmp_capabilities", NULL, NULL, timeout_ms, err);
}

int qmp_command(struct qmp *qmp, const char *command, json_t *arguments, json_t **answer,
                int timeout_ms, struct error *err) {
    json_t *request = json_pack("{s:s}", "execute", command);
    if (arguments)
        json_object_set_new(request, "arguments", arguments);
    autofree char *text = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    if (send(qmp->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        return error_errno(err, "cannot tell QEMU to %s", command);

    json_t *reply = wait_for(qmp, "return", timeout_ms, err);
    if (!reply)
        return error_hint(err, "while waiting for %s", command);
    json_t *failure = json_object_get(reply, "error");
    int result = 0;
    if (failure)
        result = error_set(err, "QEMU refused %s: %s", command,
                           json_string_value(json_object_get(failure, "desc")));
    else if (answer)
        *answer = json_incref(json_object_get(reply, "return"));
    json_decref(reply);
    return result;
}

json_t *qmp_next_event(struct qmp *qmp, int *closed) {
    receive(qmp, 0);
    for (json_t *message; (message = next_message(qmp));)
        if (json_object_get(message, "event"))
            json_array_append_new(qmp->events, message);
        else
            json_decref(message);
    json_t *event = json_incref(json_array_get(qmp->events, 0));
    if (event)
        json_array_remove(qmp->events, 0);
    *closed = qmp->closed;
    return event;
}
