/* gRPC calls without waiting, with servers that are bare sockets. What real and hostile servers
 * answer is in tests/component and tests/fuzz. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/connection.h"

#define CALLS 5

static uint8_t bytes[] = {0, 0, 0, 0, 2, 0x0a, 0};
static const struct grpc_message request = {bytes, sizeof bytes, sizeof bytes};

/* Calls, and what became of them; -1: nothing yet. */
struct caller {
    struct grpc_call calls[CALLS];
    int failure[CALLS], done;
};

static struct caller caller;

static void on_done(struct grpc_call *call, enum grpc_failure failure) {
    assert_int_equal(caller.failure[call - caller.calls], -1);
    caller.failure[call - caller.calls] = (int)failure;
    caller.done++;
}

static void submit_all(struct grpc_connection *connection) {
    memset(&caller, 0, sizeof caller);
    for (int i = 0; i < CALLS; i++) {
        caller.failure[i] = -1;
        caller.calls[i] = (struct grpc_call){
            .request = &request, .done = on_done, .deadline_ns = (uint64_t)(i + 1) * 10};
        assert_int_equal(grpc_connection_submit(connection, &caller.calls[i]), 0);
    }
}

static void check_why(int call, const char *wanted) {
    struct error err = {0};
    grpc_call_why(&caller.calls[call], (enum grpc_failure)caller.failure[call], &err);
    assert_non_null(strstr(err.text, wanted));
}

/* A port that listens, or, without a listener, one that nobody listens at. */
static int listen_anywhere(char *address, size_t size) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    snprintf(address, size, "127.0.0.1:%u", ntohs(at.sin_port));
    return fd;
}

static void wait_and_serve(struct grpc_connection *connection) {
    struct pollfd wait = {grpc_connection_fd(connection), grpc_connection_events(connection), 0};
    assert_int_equal(poll(&wait, 1, 20000), 1);
    grpc_connection_serve(connection, wait.revents);
    grpc_connection_flush(connection);
}

static void test_refused(void **state) {
    char address[32];
    struct error err = {0};
    int fd = listen_anywhere(address, sizeof address);
    struct grpc_target *target = grpc_target_new(address, "/a.B/C", 1000, &err);
    struct grpc_connection *connection = grpc_connection_open(target, &err);
    submit_all(connection);
    grpc_connection_flush(connection);
    if (!grpc_connection_ended(connection))
        wait_and_serve(connection);
    assert_true(grpc_connection_ended(connection));
    assert_false(grpc_connection_usable(connection));
    assert_int_equal(caller.done, CALLS);
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(caller.failure[i], GRPC_REFUSED);
    check_why(0, "Connection refused");
    assert_int_equal(grpc_connection_submit(connection, &caller.calls[0]), -1);
    grpc_connection_close(connection);
    assert_int_equal(caller.done, CALLS);
    grpc_target_free(target);
    close(fd);
}

static void test_deadlines_and_close(void **state) {
    int fds[2];
    uint8_t sent[4096];
    struct error err = {0};
    struct grpc_target *target = grpc_target_new("127.0.0.1:1", "/a.B/C", 2500, &err);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    struct grpc_connection *connection = grpc_connection_adopt(target, fds[0], &err);
    submit_all(connection);
    grpc_connection_expire(connection, 9);
    assert_int_equal(caller.done, 0);
    grpc_connection_expire(connection, 10); /* before it has left */
    grpc_connection_flush(connection);
    grpc_connection_expire(connection, 30); /* … and after */
    grpc_connection_flush(connection);
    assert_int_equal(caller.done, 3);
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(caller.failure[i], i < 3 ? GRPC_TIMEOUT : -1);
    check_why(2, "no answer within 2.5 s");
    assert_true(recv(fds[1], sent, sizeof sent, 0) > 0);
    assert_true(grpc_connection_usable(connection)); /* for others */
    grpc_connection_close(connection);
    assert_int_equal(caller.done, CALLS);
    assert_int_equal(caller.failure[4], GRPC_CLOSED);
    grpc_target_free(target);
    close(fds[1]);
}

static void test_all_leave_at_once(void **state) {
    int fds[2];
    uint8_t sent[4096];
    struct error err = {0};
    struct grpc_target *target = grpc_target_new("127.0.0.1:1", "/a.B/C", 1000, &err);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    struct grpc_connection *connection = grpc_connection_adopt(target, fds[0], &err);
    submit_all(connection);
    grpc_connection_flush(connection);
    ssize_t n = recv(fds[1], sent, sizeof sent, 0); /* one packet */
    assert_true(n > 0 && memcmp(sent, "PRI * HTTP/2.0", 14) == 0);
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(caller.calls[i].sent, sizeof bytes);
    assert_int_equal(recv(fds[1], sent, sizeof sent, MSG_DONTWAIT), -1);
    close(fds[1]);
    wait_and_serve(connection);
    assert_int_equal(caller.failure[0], GRPC_CLOSED);
    check_why(0, "the server closed the connection");
    grpc_connection_close(connection);
    grpc_target_free(target);
}

static void test_targets(void **state) {
    struct error err = {0};
    assert_null(grpc_target_new("nowhere", "/a.B/C", 1000, &err));
    assert_int_equal(err.status, 2);
    for (int i = 0; i < GRPC_FAILURES; i++)
        assert_true(*grpc_failure_name((enum grpc_failure)i));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused), cmocka_unit_test(test_deadlines_and_close),
        cmocka_unit_test(test_all_leave_at_once), cmocka_unit_test(test_targets)};
    return cmocka_run_group_tests_name("connection", tests, NULL, NULL);
}
