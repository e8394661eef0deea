/* Any bytes as what a server sends, for libFuzzer: each call must end exactly once, as answered
 * only if there is a whole reply, and otherwise for a reason that can be told in one line.
 *
 * The first byte says how the rest arrives: in pieces of which size, whether calls run out of time
 * midway, and whether those that are done are followed by others. */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/connection.h"

#define CALLS 3      /* at a time: streams 1, 3, 5 */
#define FOLLOWERS 20 /* at most, after those */
#define MIDWAY 0x10
#define FOLLOW 0x20

struct test {
    struct grpc_connection *connection;
    struct grpc_call calls[CALLS];
    unsigned under_way[CALLS]; /* 0 or 1 */
    unsigned submitted, done, followers;
};

static struct test test;

static void require(int truth, const char *what) {
    if (truth)
        return;
    fprintf(stderr, "fuzz_response: %s\n", what);
    abort();
}

static void submit(size_t i) {
    if (grpc_connection_submit(test.connection, &test.calls[i]) != 0)
        return;
    test.submitted++;
    test.under_way[i]++;
}

static void on_done(struct grpc_call *call, enum grpc_failure failure) {
    size_t i = (size_t)(call - test.calls);
    struct error why = {0};
    require(test.under_way[i]-- == 1, "a call is done that was not under way");
    test.done++;
    require((unsigned)failure < GRPC_FAILURES && *grpc_failure_name(failure), "an unknown failure");
    if (failure == GRPC_ANSWERED) {
        require(grpc_message_check(&call->reply) == GRPC_OK, "answered, but with no whole reply");
        require(call->grpc_status == GRPC_OK && call->grpc_type, "answered, but not by gRPC");
    } else {
        grpc_call_why(call, failure, &why);
        require(why.status == 1 && *why.text && !strpbrk(why.text, "\r\n"), "no reason in a line");
    }
    if (test.followers && test.followers-- > 0)
        submit(i);
}

/* What the client says is read and forgotten. */
static void forget(int fd) {
    static char bytes[1 << 16];
    while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        ;
}

static void send_piece(int fd, const uint8_t *data, size_t size) {
    while (size > 0 && !grpc_connection_ended(test.connection)) {
        ssize_t n = send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        grpc_connection_serve(test.connection, grpc_connection_events(test.connection));
        grpc_connection_flush(test.connection);
        forget(fd);
        data += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
}

static void send_all(int fd, uint8_t how, const uint8_t *data, size_t size) {
    static const size_t pieces[] = {65536, 1, 5, 9, 17, 64, 333, 4096};
    size_t piece = pieces[how % 8], half = size / 2;
    for (size_t at = 0; at < size; at += piece) {
        send_piece(fd, data + at, size - at < piece ? size - at : piece);
        if (how & MIDWAY && at <= half && half < at + piece)
            grpc_connection_expire(test.connection, 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t bytes[] = {0, 0, 0, 0, 2, 0x0a, 0};
    static const struct grpc_message request = {bytes, sizeof bytes, sizeof bytes};
    static struct grpc_target *target;
    int fds[2];
    if (!target)
        target = grpc_target_new("127.0.0.1:1", "/a.B/C", 1000, NULL);
    if (size == 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return 0;
    memset(&test, 0, sizeof test);
    test.followers = data[0] & FOLLOW ? FOLLOWERS : 0;
    test.connection = grpc_connection_adopt(target, fds[0], NULL);
    for (size_t i = 0; i < CALLS; i++) {
        test.calls[i] =
            (struct grpc_call){.request = &request, .done = on_done, .deadline_ns = i < 2 ? 1 : 2};
        submit(i);
    }
    require(test.submitted == CALLS, "calls are not taken");
    grpc_connection_flush(test.connection);
    send_all(fds[1], data[0], data + 1, size - 1);
    close(fds[1]);
    for (int i = 0; i < 8 && !grpc_connection_ended(test.connection); i++)
        grpc_connection_serve(test.connection, grpc_connection_events(test.connection));
    grpc_connection_close(test.connection);
    require(test.done == test.submitted, "a call has not ended");
    for (size_t i = 0; i < CALLS; i++)
        grpc_call_free(&test.calls[i]);
    return 0;
}
