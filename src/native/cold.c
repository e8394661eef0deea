#include "native/cold.h"

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/clock.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/mark.h"
#include "common/progress.h"
#include "native/caller.h"

#define MOST_OPEN 32 /* folders at a time, while files are walked */

enum phase { CREATE, START, LISTEN, REPLY, PHASES };
static const struct {
    const char *name, *description;
} phases[PHASES] = {
    [CREATE] = {"create", "Nanoseconds until the container was created"},
    [START] = {"start", "Nanoseconds until the runtime had started it"},
    [LISTEN] = {"listen", "Nanoseconds until it listened"},
    [REPLY] = {"reply", "Nanoseconds until the first reply"},
};

/* ---- the page cache ---- */

static int drop(const char *path, const struct stat *about, int kind, struct FTW *place) {
    int fd = kind == FTW_F && S_ISREG(about->st_mode) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        close(fd);
    }
    return 0;
}

/* Without being root: what the kernel has read of the files below this folder. */
static void drop_files(const char *folder) {
    nftw(folder, drop, MOST_OPEN, FTW_PHYS | FTW_MOUNT);
}

/* Only what is on the disk can be forgotten. */
static void write_back(const char *folder) {
    autoclose int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        syncfs(fd);
}

/* Docker's and Podman's files are theirs; where we may, the whole page cache goes. */
static bool drop_all(void) {
    autoclose int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, "1", 1) == 1;
}

static bool drop_pages(const struct native_home *home) {
    autofree char *files = format_string("%s/function", home->guard.folder);
    if (instance_runtime_has_store(home->instances.runtime))
        return drop_all();
    drop_files(files);
    return true;
}

/* ---- one start ---- */

static int start_once(struct native_home *home, struct caller *caller, unsigned number,
                      uint64_t times[PHASES + 1], char **text, struct error *err) {
    struct instance instance;
    struct grpc_client *client = NULL;
    times[CREATE] = now_ns();
    int result = instance_create(&home->instances, number, &instance, err);
    times[START] = now_ns();
    if (result == 0)
        result = instance_start(&instance, err);
    times[LISTEN] = now_ns();
    if (result == 0)
        result = instance_wait(&instance, err);
    times[REPLY] = now_ns();
    if (result == 0 && !(client = caller_connect(caller, instance.port, err)))
        result = -1;
    if (result == 0)
        result = caller_invoke(caller, client, number - 1, text, err);
    times[PHASES] = now_ns();
    grpc_client_close(client);
    instance_remove(&instance);
    return result;
}

/* ---- samples.tsv ---- */

static void print_head(FILE *out, unsigned core) {
    fprintf(out, "# slsuite samples 1\nstat\tsystem.cpu%u.wallClock\tCount\tNanoseconds passed\n",
            core);
    for (int i = 0; i < PHASES; i++)
        fprintf(out, "stat\tsystem.cpu%u.phases.%s\tCount\t%s\n", core, phases[i].name,
                phases[i].description);
}

static void print_mark(FILE *out, unsigned operation, unsigned id,
                       const uint64_t sums[PHASES + 1]) {
    fprintf(out, "mark\t%x\t%u\t0\t%" PRIu64, operation, id, sums[PHASES]);
    for (int i = 0; i < PHASES; i++)
        fprintf(out, "\t%" PRIu64, sums[i]);
    fputc('\n', out);
}

static void print_start(FILE *out, unsigned id, const uint64_t times[PHASES + 1],
                        uint64_t sums[PHASES + 1]) {
    print_mark(out, M5_WORK_BEGIN, id, sums);
    for (int i = 0; i < PHASES; i++)
        sums[i] += times[i + 1] - times[i];
    sums[PHASES] += times[PHASES] - times[0];
    print_mark(out, M5_WORK_END, id, sums);
}

/* ---- all of them ---- */

static int measure_all(struct native_home *home, struct caller *caller, struct cold *cold,
                       unsigned count, FILE *out, bool *dropped, struct error *err) {
    uint64_t sums[PHASES + 1] = {0};
    autofree char *title = format_string("%u cold starts", count);
    struct progress *progress = progress_begin("cold", title, 2.0 * count);
    print_head(out, home->cpus.function);
    int result = 0;
    *dropped = true;
    for (unsigned i = 0; result == 0 && i < count; i++) {
        uint64_t times[PHASES + 1];
        struct client_reply *reply = &cold->replies[i];
        char *text = NULL;
        *dropped &= drop_pages(home);
        result = start_once(home, caller, i + 1, times, &text, err);
        if (result < 0) {
            struct error why = *err;
            error_set(err, "cold start %u: %s", i, why.text);
            free(text);
            break;
        }
        *reply = (struct client_reply){i, times[PHASES] - times[0], text};
        cold->count++;
        print_start(out, i, times, sums);
        progress_update(progress, (double)(i + 1) / count, NULL);
    }
    progress_end(progress, result == 0);
    return result;
}

int cold_measure(struct native_home *home, struct cold *cold, const char *samples,
                 struct manifest *manifest, struct error *err) {
    const struct sim_options *run = home->options->run;
    struct caller caller;
    char *written;
    size_t size;
    bool dropped = false;
    cold->replies = calloc(run->invocations, sizeof *cold->replies);
    FILE *out = open_memstream(&written, &size);
    if (!cold->replies || !out)
        abort();
    write_back(home->guard.folder);
    int result = caller_prepare(&caller, run, &home->function, run->invocations, err);
    if (result == 0)
        result = measure_all(home, &caller, cold, run->invocations, out, &dropped, err);
    fclose(out);
    if (result == 0)
        result = file_write(samples, written, size, err);
    manifest_set_text(manifest, "page_cache",
                      dropped ? (instance_runtime_has_store(home->instances.runtime)
                                     ? "dropped before each start"
                                     : "the function's files were dropped before each "
                                       "start")
                              : "kept: only root may drop what the runtime's store holds");
    caller_free(&caller);
    free(written);
    return result;
}

void cold_free(struct cold *cold) {
    for (size_t i = 0; i < cold->count; i++)
        free((char *)cold->replies[i].text);
    free(cold->replies);
    *cold = (struct cold){0};
}
