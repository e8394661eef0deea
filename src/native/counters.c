#include "native/counters.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "native/family.h"
#include "native/host_state.h"

#define MOST_THREADS 512 /* of a container, when the counters are opened */

#define CACHE_MISSES(cache)                                                                        \
    (PERF_COUNT_HW_CACHE_##cache | PERF_COUNT_HW_CACHE_OP_READ << 8 |                              \
     PERF_COUNT_HW_CACHE_RESULT_MISS << 16)

/* What perf_event_open(2) calls each, and what the results do (user mode only: the second name). */
static const struct event {
    const char *word; /* for people */
    uint32_t type;
    uint64_t config;
    const char *name, *user_name, *unit, *description;
} events[COUNTERS] = {
    [COUNT_INSTRUCTIONS] = {"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS,
                            "commitStats0.numInsts", "modeInsts::user", "Count",
                            "Number of instructions retired"},
    [COUNT_CYCLES] = {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, "numCycles",
                      "modeCycles::user", "Cycle", "Number of cpu cycles that were not halted"},
    [COUNT_L1I_MISSES] = {"L1I misses", PERF_TYPE_HW_CACHE, CACHE_MISSES(L1I),
                          "icache.overallMisses::total", "icache.overallMisses::user", "Count",
                          "number of overall misses"},
    [COUNT_L1D_MISSES] = {"L1D misses", PERF_TYPE_HW_CACHE, CACHE_MISSES(L1D),
                          "dcache.overallMisses::total", "dcache.overallMisses::user", "Count",
                          "number of load misses"},
    [COUNT_LLC_MISSES] = {"LLC misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES,
                          "llcMisses::total", "llcMisses::user", "Count",
                          "Number of requests that went to memory"},
    [COUNT_MISPREDICTS] = {"mispredicts", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES,
                           "branchPred.mispredicted::total", "branchPred.mispredicted::user",
                           "Count", "Number of committed branches that were mispredicted"},
    [COUNT_ITLB_MISSES] = {"ITLB misses", PERF_TYPE_HW_CACHE, CACHE_MISSES(ITLB), "itlb.misses",
                           "itlb.misses::user", "Count", "Number of misses"},
    [COUNT_DTLB_MISSES] = {"DTLB misses", PERF_TYPE_HW_CACHE, CACHE_MISSES(DTLB), "dtlb.misses",
                           "dtlb.misses::user", "Count", "Number of load misses"},
    [COUNT_TASK_CLOCK] = {"task clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, "taskClock",
                          "taskClock", "Count", "Nanoseconds on the processor"},
    [COUNT_PAGE_FAULTS] = {"page faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS,
                           "pageFaults", "pageFaults", "Count", "Number of page faults"},
    [COUNT_CONTEXT_SWITCHES] = {"context switches", PERF_TYPE_SOFTWARE,
                                PERF_COUNT_SW_CONTEXT_SWITCHES, "contextSwitches",
                                "contextSwitches", "Count", "Number of context switches"},
};

struct counter_state {
    int *fds; /* owned; one, or one a thread */
    size_t count;
    bool user_only;
    int why; /* errno, where there is none */
};

struct counters {
    int group; /* the control group's folder, or -1: its threads are counted */
    struct counter_state states[COUNTERS];
};

/* ---- whose ---- */

/* The folder of the container's own control group (version 2); NULL: it is in ours, or has none. */
static char *find_group(pid_t container) {
    autofree char *path = format_string("/proc/%d/cgroup", container);
    autofree char *theirs = file_read(path, NULL, NULL),
                  *ours = file_read("/proc/self/cgroup", NULL, NULL),
                  *mounts = file_read("/proc/self/mounts", NULL, NULL);
    char *group = theirs ? strstr(theirs, "0::/") : NULL, *own = ours ? strstr(ours, "0::/") : NULL;
    char *mount = mounts ? strstr(mounts, " cgroup2 ") : NULL;
    if (!group || (group != theirs && group[-1] != '\n') || !mount)
        return NULL;
    group[strcspn(group, "\n")] = '\0';
    if (own)
        own[strcspn(own, "\n")] = '\0';
    if (strcmp(group, "0::/") == 0 || (own && strcmp(own, group) == 0))
        return NULL;
    *mount = '\0'; /* DEVICE FOLDER cgroup2 … */
    char *folder = strrchr(mounts, ' ');
    return folder ? format_string("%s%s", folder + 1, group + strlen("0::")) : NULL;
}

struct threads {
    pid_t ids[MOST_THREADS];
    size_t count;
};

static void add_thread(void *context, pid_t process, pid_t thread) {
    struct threads *threads = context;
    if (threads->count < MOST_THREADS)
        threads->ids[threads->count++] = thread;
}

/* ---- opening ---- */

static int open_event(const struct event *event, bool user_only, pid_t id, int cpu,
                      unsigned long flags) {
    struct perf_event_attr attributes = {
        .size = sizeof attributes,
        .type = event->type,
        .config = event->config,
        .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
        .inherit = !(flags & PERF_FLAG_PID_CGROUP),
        .exclude_kernel = user_only,
        .exclude_hv = 1,
    };
    return (int)syscall(SYS_perf_event_open, &attributes, id, cpu, -1,
                        flags | PERF_FLAG_FD_CLOEXEC);
}

/* With the kernel's part where we may count that. */
static int open_either(const struct event *event, struct counter_state *state, pid_t id, int cpu,
                       unsigned long flags) {
    int fd = open_event(event, state->user_only, id, cpu, flags);
    if (fd < 0 && (errno == EACCES || errno == EPERM) && !state->user_only && state->count == 0) {
        state->user_only = true;
        fd = open_event(event, true, id, cpu, flags);
    }
    return fd;
}

static void open_state(struct counter_state *state, const struct event *event, int group, int cpu,
                       const struct threads *threads) {
    state->fds = calloc(threads->count + 1, sizeof *state->fds);
    if (!state->fds)
        abort();
    for (size_t i = 0; i < (group >= 0 ? 1 : threads->count); i++) {
        int fd = group >= 0 ? open_either(event, state, group, cpu, PERF_FLAG_PID_CGROUP)
                            : open_either(event, state, threads->ids[i], -1, 0);
        if (fd >= 0)
            state->fds[state->count++] = fd;
        else if (errno != ESRCH) /* a thread that has ended meanwhile */
            state->why = errno;
    }
    if (state->count == 0 && !state->why)
        state->why = ESRCH;
}

/* The kernel has control groups to itself, and may not give us theirs: threads are then ours. */
static bool group_is_usable(int group, unsigned cpu) {
    int fd = group < 0 ? -1
                       : open_event(&events[COUNT_TASK_CLOCK], false, group, (int)cpu,
                                    PERF_FLAG_PID_CGROUP);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

struct counters *counters_open(pid_t container, unsigned cpu) {
    struct counters *counters = calloc(1, sizeof *counters);
    if (!counters)
        abort();
    autofree char *group = find_group(container);
    struct threads threads = {.count = 0};
    counters->group = group ? open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (!group_is_usable(counters->group, cpu)) {
        if (counters->group >= 0)
            close(counters->group);
        counters->group = -1;
        family_threads(container, add_thread, &threads);
    }
    for (int i = 0; i < COUNTERS; i++)
        open_state(&counters->states[i], &events[i], counters->group, (int)cpu, &threads);
    return counters;
}

void counters_close(struct counters *counters) {
    if (!counters)
        return;
    for (int i = 0; i < COUNTERS; i++) {
        struct counter_state *state = &counters->states[i];
        for (size_t k = 0; k < state->count; k++)
            close(state->fds[k]);
        free(state->fds);
    }
    if (counters->group >= 0)
        close(counters->group);
    free(counters);
}

/* ---- reading ---- */

bool counters_have(const struct counters *counters, enum counter counter) {
    return counters->states[counter].count > 0;
}

bool counters_user_only(const struct counters *counters, enum counter counter) {
    return counters->states[counter].user_only;
}

const char *counters_scope(const struct counters *counters) {
    for (int i = 0; i < COUNTERS; i++)
        if (counters_have(counters, i))
            return counters->group >= 0 ? "control group" : "threads";
    return "nothing";
}

void counters_read(const struct counters *counters, struct counter_reading readings[COUNTERS]) {
    for (int i = 0; i < COUNTERS; i++) {
        const struct counter_state *state = &counters->states[i];
        readings[i] = (struct counter_reading){0};
        for (size_t k = 0; k < state->count; k++) {
            struct counter_reading one;
            if (read(state->fds[k], &one, sizeof one) != sizeof one)
                continue;
            readings[i].value += one.value;
            readings[i].enabled += one.enabled;
            readings[i].running += one.running;
        }
    }
}

uint64_t counter_growth(const struct counter_reading *begin, const struct counter_reading *end,
                        bool *shared) {
    uint64_t value = end->value - begin->value;
    uint64_t enabled = end->enabled - begin->enabled, running = end->running - begin->running;
    if (running >= enabled)
        return value;
    *shared = true;
    return running ? (uint64_t)((double)value * (double)enabled / (double)running + 0.5) : value;
}

/* ---- words ---- */

static const char *explain(int why) {
    switch (why) {
    case ENOENT:
    case EOPNOTSUPP:
    case ENODEV:
    case EINVAL:
        return host_is_virtual() ? "this virtual machine has no such hardware counters: give it a "
                                   "virtual PMU, or run on the hardware itself"
                                 : "this processor has no such counters";
    case EACCES:
    case EPERM:
        return "you may not count: sudo sysctl kernel.perf_event_paranoid=1, or run the container "
               "as yourself (--runtime crun)";
    case EMFILE:
        return "too many open files: ulimit -n 4096";
    default:
        return strerror(why);
    }
}

char *counters_missing(const struct counters *counters) {
    autofree char *words = strdup("");
    int why = 0;
    for (int i = 0; i < COUNTERS; i++) {
        if (counters_have(counters, i))
            continue;
        char *longer = format_string("%s%s%s", words, *words ? ", " : "", events[i].word);
        free(words);
        words = longer;
        why = why ?: counters->states[i].why;
    }
    return why ? format_string("n/a: %s: %s", words, explain(why)) : NULL;
}

void counter_name(const struct counters *counters, enum counter counter, unsigned core,
                  char name[80]) {
    const struct event *event = &events[counter];
    snprintf(name, 80, "system.cpu%u.%s", core,
             counters->states[counter].user_only ? event->user_name : event->name);
}

const char *counter_unit(enum counter counter) {
    return events[counter].unit;
}

const char *counter_description(enum counter counter) {
    return events[counter].description;
}
