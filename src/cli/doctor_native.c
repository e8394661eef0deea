/* slsuite doctor --native: whether this computer itself is fit to be measured on. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/verdict.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/process.h"
#include "native/counters.h"
#include "native/host_state.h"
#include "native/instance.h"

#define WATCHED_NS 500000000 /* how long shares of time are looked at */
#define NAME_WIDTH 18

static void tell_cpus(const struct host_cpus *cpus) {
    autofree char *detail =
        format_string("%u for the function, %u for the client%s", cpus->function, cpus->client,
                      cpus->function == cpus->client ? ": they take it from each other" : "");
    verdict_print(cpus->function == cpus->client ? ABSENT_OPTIONAL : GOOD, NAME_WIDTH, "processors",
                  detail, cpus->function == cpus->client ? "a computer of two processors" : NULL);
}

static void tell_facts(const struct host_cpus *cpus) {
    struct host_fact facts[HOST_FACTS];
    struct host_times before = host_times(cpus->function);
    nanosleep(&(struct timespec){.tv_nsec = WATCHED_NS}, NULL);
    host_facts(cpus, &before, facts);
    for (int i = 0; i < HOST_FACTS; i++)
        verdict_print(facts[i].disturbs ? ABSENT_OPTIONAL : GOOD, NAME_WIDTH, facts[i].name,
                      facts[i].text, facts[i].remedy);
}

/* Tried on ourselves. */
static void tell_counters(unsigned cpu) {
    struct counters *counters = counters_open(getpid(), cpu);
    autofree char *missing = counters_missing(counters);
    bool user_only = counters_user_only(counters, COUNT_INSTRUCTIONS) &&
                     counters_have(counters, COUNT_INSTRUCTIONS);
    verdict_print(missing || user_only ? ABSENT_OPTIONAL : GOOD, NAME_WIDTH, "can be counted",
                  missing     ? missing
                  : user_only ? "user mode only"
                              : "all",
                  user_only ? "sudo sysctl kernel.perf_event_paranoid=1" : NULL);
    counters_close(counters);
}

static void tell_runtimes(void) {
    unsigned found = 0;
    for (size_t i = 0; native_runtimes[i]; i++) {
        bool there = process_exists(native_runtimes[i]);
        found += there;
        if (there)
            verdict_print(GOOD, NAME_WIDTH, native_runtimes[i], "container runtime", NULL);
    }
    if (!found)
        verdict_print(ABSENT_OPTIONAL, NAME_WIDTH, "container runtime",
                      "none: functions run under a changed root",
                      "apt-get install crun (or runc, podman, docker.io)");
}

int doctor_native(long cpu, struct error *err) {
    struct host_cpus cpus;
    if (host_choose_cpus(cpu, HOST_ANY, &cpus, err) < 0)
        return -1;
    puts("to measure on this computer");
    tell_cpus(&cpus);
    tell_facts(&cpus);
    tell_counters(cpus.function);
    tell_runtimes();
    puts("\nwhat is marked -- disturbs a measurement, or leaves something out of it; it does not "
         "prevent one");
    return 0;
}
