/* Any bytes as a trace of invocations, for libFuzzer: the reader must take them or say in one line
 * what is wrong. What it takes must add up. The first byte says whose invocations are asked for. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "load/trace.h"

static void require(int truth, const char *what, const char *details) {
    if (truth)
        return;
    fprintf(stderr, "fuzz_trace: %s: %s\n", what, details);
    abort();
}

static void check_refusal(const struct error *err) {
    require(err->status == 1, "a refusal without an error", err->text);
    require(strncmp(err->text, "FILE:", 5) == 0, "no file is named", err->text);
    for (const char *c = err->text; *c; c++)
        require((unsigned char)*c >= ' ' && *c != 0x7f, "a control character", err->text);
}

static void check_accepted(struct trace *trace) {
    uint64_t total = 0;
    require(*trace->function && trace->minutes, "no function, or no minute", trace->function);
    for (size_t i = 0; i < trace->minutes; i++)
        total += trace->counts[i];
    require(total == trace->total, "the counts do not add up", trace->function);
    for (uint64_t i = 0; trace->times_ns && i < total; i++) {
        require(trace->times_ns[i] / 60000000000 <= trace->minutes, "a time beyond the end",
                trace->function);
        require(!i || trace->times_ns[i] >= trace->times_ns[i - 1], "not in order",
                trace->function);
    }
    trace_free(trace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const functions[] = {NULL, "f", "f1", "a/f"};
    struct trace trace;
    struct error err = {0};
    int fd = size ? memfd_create("trace", MFD_CLOEXEC) : -1;
    if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)size - 1 || lseek(fd, 0, SEEK_SET) != 0)
        return 0;
    if (trace_read_from(&trace, fd, "FILE", functions[data[0] % 4], &err) < 0)
        check_refusal(&err);
    else
        check_accepted(&trace);
    return 0;
}
