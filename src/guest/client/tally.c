#include "client/tally.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LISTED 3

const char *tally_kind_name(int kind, char *text, size_t size) {
    if (kind >= TALLY_STATUS)
        snprintf(text, size, "gRPC status %s", grpc_status_name(kind - TALLY_STATUS));
    else
        snprintf(text, size, "%s",
                 kind == TALLY_WRONG    ? "wrong reply"
                 : kind == TALLY_UNSENT ? "not sent"
                                        : grpc_failure_name((enum grpc_failure)kind));
    return text;
}

void tally_answer(struct tally *tally, uint64_t latency_ns) {
    histogram_add(&tally->interval, latency_ns);
    tally->answered++;
    tally->interval_answered++;
}

void tally_lateness(struct tally *tally, uint64_t late_ns) {
    tally->late_sum_ns += (double)late_ns;
    if (late_ns > tally->late_most_ns)
        tally->late_most_ns = late_ns;
}

void tally_failure(struct tally *tally, int kind, uint64_t latency_ns) {
    if (kind == GRPC_TIMEOUT)
        histogram_add(&tally->interval, latency_ns);
    tally->failed++;
    tally->kinds[kind]++;
}

void tally_next_interval(struct tally *tally) {
    histogram_merge(&tally->whole, &tally->interval);
    histogram_clear(&tally->interval);
    tally->interval_answered = 0;
}

static void list_kinds(const struct tally *tally, char *text, size_t size) {
    bool listed[TALLY_KINDS] = {false};
    size_t used = 0;
    *text = '\0';
    for (int i = 0; i < LISTED; i++) {
        char name[64];
        int most = -1;
        for (int kind = 0; kind < TALLY_KINDS; kind++)
            if (!listed[kind] && tally->kinds[kind] &&
                (most < 0 || tally->kinds[kind] > tally->kinds[most]))
                most = kind;
        if (most < 0 || used >= size)
            return;
        listed[most] = true;
        used += (size_t)snprintf(text + used, size - used, "%s%" PRIu64 " %s", i ? ", " : "",
                                 tally->kinds[most], tally_kind_name(most, name, sizeof name));
    }
}

int tally_why(const struct tally *tally, struct error *err) {
    char kinds[256];
    list_kinds(tally, kinds, sizeof kinds);
    return error_set(err, "%" PRIu64 " of %" PRIu64 " calls failed: %s%s%s", tally->failed,
                     tally->answered + tally->failed, kinds,
                     tally->first.status ? "; the first: " : "", tally->first.text);
}
