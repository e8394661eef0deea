#include "native/measure.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/clock.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/mark.h"
#include "common/process.h"
#include "common/progress.h"
#include "engine/guest_words.h"
#include "image/host.h"

#define STRING(number) #number
#define CHANNEL(number) "SLSUITE_CHANNEL=" STRING(number)
#define LINE_MOST 8192

/* What has come of the client's channel, and the line that is not whole yet. */
struct ear {
    int socket;
    char text[LINE_MOST];
    size_t filled;
    struct guest_words words;
};

static int begin(struct measurement *measurement, uint64_t id, struct error *err) {
    if (measurement->begun == measurement->invocations || measurement->begun > measurement->ended)
        return error_set(err, "the client's marks are not in order: invocation %" PRIu64, id);
    struct measure_point *point = &measurement->points[2 * measurement->begun];
    measurement->ids[measurement->begun++] = id;
    if (measurement->before)
        measurement->before(measurement->context);
    counters_read(measurement->counters, point->readings);
    return 0;
}

static int end(struct measurement *measurement, uint64_t id, struct error *err) {
    struct measure_point now;
    counters_read(measurement->counters, now.readings);
    if (measurement->begun != measurement->ended + 1 || measurement->ids[measurement->ended] != id)
        return error_set(err, "the client's marks are not in order: invocation %" PRIu64, id);
    measurement->points[2 * measurement->ended++ + 1] = now;
    progress_update(measurement->said.progress,
                    (double)measurement->ended / measurement->invocations, NULL);
    return 0;
}

static int take_line(struct measurement *measurement, struct ear *ear, const char *line,
                     struct error *err) {
    unsigned operation;
    uint64_t id;
    if (sscanf(line, "mark %x %" SCNu64, &operation, &id) != 2) {
        guest_words_take(&ear->words, &measurement->said, line);
        return 0;
    }
    int result = operation == M5_WORK_BEGIN ? begin(measurement, id, err)
                 : operation == M5_WORK_END ? end(measurement, id, err)
                                            : 0;
    if (result == 0)
        send(ear->socket, "", 1, MSG_NOSIGNAL);
    return result;
}

/* *open: whether there may be more. */
static int listen_once(struct measurement *measurement, struct ear *ear, bool *open,
                       struct error *err) {
    ssize_t n = recv(ear->socket, ear->text + ear->filled, sizeof ear->text - 1 - ear->filled,
                     MSG_DONTWAIT);
    *open = n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
    ear->filled += n > 0 ? (size_t)n : 0;
    ear->text[ear->filled] = '\0';
    char *rest = ear->text;
    for (char *newline; (newline = strchr(rest, '\n')); rest = newline + 1) {
        *newline = '\0';
        if (take_line(measurement, ear, rest, err) < 0)
            return -1;
    }
    ear->filled -= (size_t)(rest - ear->text);
    memmove(ear->text, rest, ear->filled + 1);
    if (ear->filled == sizeof ear->text - 1)
        return error_set(err, "the client said a line without an end");
    return 0;
}

/* Until it has ended, or says nothing for too long. */
static int attend(struct measurement *measurement, const struct process *client, struct ear *ear,
                  struct error *err) {
    uint64_t heard = now_ns();
    for (bool open = true;;) {
        const struct process wait[] = {{.handle = open ? ear->socket : -1}, *client};
        size_t which = process_wait(wait, 2, 200);
        if (which == 0) {
            heard = now_ns();
            if (listen_once(measurement, ear, &open, err) < 0)
                return -1;
        } else if (which == 1) {
            while (open && listen_once(measurement, ear, &open, err) == 0 && ear->filled)
                ;
            return err->status ? -1 : 0;
        }
        progress_tick();
        if ((double)(now_ns() - heard) > measurement->timeout_seconds * 1e9)
            return error_set(err, "the client says nothing for %.0f s: is the function stuck?",
                             measurement->timeout_seconds);
    }
}

static int judge(const struct measurement *measurement, const struct ear *ear, int status,
                 struct error *err) {
    if (process_interrupted())
        return error_set(err, "interrupted");
    if (ear->words.failed)
        return error_set(err, "%s", ear->words.text);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        static const char name[] = "client: ";
        autofree char *line = file_last_line(measurement->log, 0);
        bool named = strncmp(line, name, strlen(name)) == 0;
        return error_set(err, "%s%s",
                         named ? "" : "the client failed: ", named ? line + strlen(name) : line);
    }
    if (measurement->ended != measurement->invocations)
        return error_set(err, "the client marked %zu invocations of %u", measurement->ended,
                         measurement->invocations);
    return 0;
}

static int run_client(struct measurement *measurement, struct ear *ear, int theirs,
                      struct error *err) {
    static const char *const environment[] = {CHANNEL(3), NULL};
    _Static_assert(PROCESS_INHERITED == 3, "as the environment says");
    const struct process_options options = {
        .log = measurement->log, .environment = environment, .inherit = theirs};
    struct process client;
    autofree const char **words = host_words(measurement->client);
    if (process_start(words, &options, &client, err) < 0)
        return -1;
    int result = attend(measurement, &client, ear, err);
    if (result < 0)
        kill(-client.id, SIGKILL);
    int status = process_reap(&client);
    return result < 0 ? -1 : judge(measurement, ear, status, err);
}

int measure_run(struct measurement *measurement, struct error *err) {
    int ends[2];
    measurement->points = calloc(2ul * measurement->invocations, sizeof *measurement->points);
    measurement->ids = calloc(measurement->invocations, sizeof *measurement->ids);
    autofree struct ear *ear = calloc(1, sizeof *ear);
    if (!measurement->points || !measurement->ids || !ear)
        abort();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return error_errno(err, "cannot make a channel to the client");
    autoclose int ours = ends[0], theirs = ends[1];
    autofree char *title = format_string("measure %u invocations", measurement->invocations);
    ear->socket = ours;
    measurement->said.progress = progress_begin("native", title, 1);
    int result = run_client(measurement, ear, theirs, err);
    progress_end(measurement->said.progress, result == 0);
    return result;
}

/* ---- samples.tsv ---- */

static void print_mark(FILE *out, unsigned operation, uint64_t id,
                       const struct measurement *measurement, const uint64_t sums[COUNTERS + 1]) {
    fprintf(out, "mark\t%x\t%" PRIu64 "\t0\t%" PRIu64, operation, id, sums[COUNTERS]);
    for (int i = 0; i < COUNTERS; i++)
        if (counters_have(measurement->counters, i))
            fprintf(out, "\t%" PRIu64, sums[i]);
    fputc('\n', out);
}

/* Of a reply; they come in any order. */
static uint64_t latency_of(const struct measurement *measurement, uint64_t id) {
    const struct guest *said = &measurement->said;
    for (size_t i = 0; i < said->reply_count; i++) {
        const struct client_reply *reply = &said->replies[(id + i) % said->reply_count];
        if (reply->id == id)
            return reply->latency_ns;
    }
    return 0;
}

int measure_write(const struct measurement *measurement, unsigned core, const char *path,
                  bool *shared, struct error *err) {
    uint64_t sums[COUNTERS + 1] = {0}; /* the last is the clock's */
    char *text, name[80];
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    fprintf(
        out,
        "# slsuite samples 1\nstat\tsystem.cpu%u.wallClock\tCount\tNanoseconds until the reply\n",
        core);
    for (int i = 0; i < COUNTERS; i++) {
        if (!counters_have(measurement->counters, i))
            continue;
        counter_name(measurement->counters, i, core, name);
        fprintf(out, "stat\t%s\t%s\t%s\n", name, counter_unit(i), counter_description(i));
    }
    for (size_t k = 0; k < measurement->ended; k++) {
        const struct measure_point *begin = &measurement->points[2 * k], *end = begin + 1;
        print_mark(out, M5_WORK_BEGIN, measurement->ids[k], measurement, sums);
        sums[COUNTERS] += latency_of(measurement, measurement->ids[k]);
        for (int i = 0; i < COUNTERS; i++)
            sums[i] += counter_growth(&begin->readings[i], &end->readings[i], shared);
        print_mark(out, M5_WORK_END, measurement->ids[k], measurement, sums);
    }
    fclose(out);
    int result = file_write(path, text, size, err);
    free(text);
    return result;
}

void measure_free(struct measurement *measurement) {
    guest_free(&measurement->said);
    free(measurement->points);
    free(measurement->ids);
}
