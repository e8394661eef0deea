#include "native/host_state.h"

#include <cpuid.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"

#define CPU_FOLDER "/sys/devices/system/cpu/"
#define CPUID_HYPERVISOR (1u << 31)
#define MUCH 0.02 /* a share of time that is worth a word */

/* The file's first line, in memory of the caller's; NULL: there is none. */
static char *read_line(const char *path) {
    char *text = file_read(path, NULL, NULL);
    if (text)
        text[strcspn(text, "\n")] = '\0';
    return text;
}

static char *read_of_cpu(unsigned cpu, const char *name) {
    autofree char *path = format_string(CPU_FOLDER "cpu%u/%s", cpu, name);
    return read_line(path);
}

/* Whether a list such as 0,4-7 names it. */
static bool is_listed(const char *list, unsigned cpu) {
    for (const char *place = list; place && *place >= '0' && *place <= '9';) {
        char *end;
        unsigned long first = strtoul(place, &end, 10), last = first;
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        if (cpu >= first && cpu <= last)
            return true;
        place = *end == ',' ? end + 1 : end;
    }
    return false;
}

static bool is_listed_in(const char *path, unsigned cpu) {
    autofree char *list = read_line(path);
    return is_listed(list, cpu);
}

static bool is_isolated(unsigned cpu) {
    return is_listed_in(CPU_FOLDER "isolated", cpu);
}

/* Two threads of one core. */
static bool are_siblings(unsigned a, unsigned b) {
    autofree char *list = read_of_cpu(a, "topology/thread_siblings_list");
    return is_listed(list, b);
}

/* Isolated ones are not in our own set until somebody asks for them. */
static bool is_usable(unsigned cpu, const cpu_set_t *ours) {
    return cpu < CPU_SETSIZE && (CPU_ISSET(cpu, ours) || is_isolated(cpu)) &&
           is_listed_in(CPU_FOLDER "online", cpu);
}

static int refuse(const char *option, long cpu, const cpu_set_t *ours, struct error *err) {
    autofree char *online = read_line(CPU_FOLDER "online");
    bool there = cpu >= 0 && is_listed(online, (unsigned)cpu);
    if (!there)
        return error_usage(err, "%s %ld: this computer has no such processor: it has %s", option,
                           cpu, online ?: "others");
    return error_usage(err, "%s %ld: this process may not use that one (taskset -p $$ shows which)",
                       option, cpu);
}

/* How well it would do beside the function's; the best is taken. */
static int fitness_for_client(unsigned cpu, unsigned function) {
    return 2 * !is_isolated(cpu) + !are_siblings(cpu, function);
}

static unsigned choose_function(const cpu_set_t *ours) {
    unsigned chosen = 0;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (is_usable(cpu, ours) && (is_isolated(cpu) || !is_isolated(chosen)))
            chosen = cpu;
    return chosen;
}

static unsigned choose_client(unsigned function, const cpu_set_t *ours) {
    unsigned chosen = function;
    int best = -1;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (cpu != function && is_usable(cpu, ours) && fitness_for_client(cpu, function) > best) {
            chosen = cpu;
            best = fitness_for_client(cpu, function);
        }
    return chosen;
}

int host_choose_cpus(long function, long client, struct host_cpus *cpus, struct error *err) {
    cpu_set_t ours;
    if (sched_getaffinity(0, sizeof ours, &ours) < 0)
        return error_errno(err, "cannot tell which processors there are");
    if (function != HOST_ANY && !is_usable((unsigned)function, &ours))
        return refuse("--cpu", function, &ours, err);
    if (client != HOST_ANY && !is_usable((unsigned)client, &ours))
        return refuse("--client-cpu", client, &ours, err);
    cpus->function = function == HOST_ANY ? choose_function(&ours) : (unsigned)function;
    cpus->client = client == HOST_ANY ? choose_client(cpus->function, &ours) : (unsigned)client;
    cpus->isolated = is_isolated(cpus->function);
    return 0;
}

struct host_times host_times(unsigned cpu) {
    autofree char *text = file_read("/proc/stat", NULL, NULL),
                  *name = format_string("\ncpu%u ", cpu);
    uint64_t user, nice, system, idle, wait, interrupt, soft, steal;
    const char *line = text ? strstr(text, name) : NULL;
    if (!line || sscanf(line + strlen(name),
                        "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                        " %" SCNu64 " %" SCNu64,
                        &user, &nice, &system, &idle, &wait, &interrupt, &soft, &steal) != 8)
        return (struct host_times){0};
    return (struct host_times){user + nice + system + interrupt + soft, idle + wait, steal};
}

uint64_t host_clock(unsigned cpu) {
    autofree char *base = read_of_cpu(cpu, "cpufreq/base_frequency"); /* kHz */
    autofree char *about = file_read("/proc/cpuinfo", NULL, NULL);
    const char *line = about ? strstr(about, "cpu MHz") : NULL;
    const char *colon = line ? strchr(line, ':') : NULL;
    double hertz = base ? atof(base) * 1e3 : colon ? atof(colon + 1) * 1e6 : 0;
    return hertz >= 1e6 ? (uint64_t)hertz : 1000000000;
}

int host_paranoid(void) {
    autofree char *text = read_line("/proc/sys/kernel/perf_event_paranoid");
    return text ? atoi(text) : 99;
}

bool host_is_virtual(void) {
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & CPUID_HYPERVISOR);
}

/* ---- the facts ---- */

__attribute__((format(printf, 3, 4))) static void say(struct host_fact *fact, bool disturbs,
                                                      const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fact->text, sizeof fact->text, format, arguments);
    va_end(arguments);
    fact->disturbs = disturbs;
    if (!disturbs)
        fact->remedy = NULL;
}

static void tell_isolation(struct host_fact *fact, const struct host_cpus *cpus) {
    bool ticks = !is_listed_in(CPU_FOLDER "nohz_full", cpus->function);
    if (cpus->isolated)
        say(fact, false, "isolated%s", ticks ? "" : ", without timer ticks (nohz_full)");
    else
        say(fact, true, "not isolated: other programs run there, too");
}

static void tell_sibling(struct host_fact *fact, const struct host_cpus *cpus) {
    autofree char *list = read_of_cpu(cpus->function, "topology/thread_siblings_list");
    if (!list)
        say(fact, false, "unknown");
    else if (!strpbrk(list, ",-"))
        say(fact, false, "none");
    else
        say(fact, true, "%s are threads of one core%s", list,
            are_siblings(cpus->client, cpus->function) ? ", the client's is one of them" : "");
}

static void tell_frequency(struct host_fact *fact, const struct host_cpus *cpus) {
    autofree char *governor = read_of_cpu(cpus->function, "cpufreq/scaling_governor");
    autofree char *least = read_of_cpu(cpus->function, "cpufreq/scaling_min_freq");
    autofree char *most = read_of_cpu(cpus->function, "cpufreq/scaling_max_freq");
    if (!governor)
        say(fact, false, "unknown%s", host_is_virtual() ? ": the hypervisor's affair" : "");
    else
        say(fact, strcmp(governor, "performance") != 0, "governor %s, %.2f to %.2f GHz", governor,
            least ? atof(least) / 1e6 : 0, most ? atof(most) / 1e6 : 0);
}

static void tell_turbo(struct host_fact *fact) {
    autofree char *off = read_line(CPU_FOLDER "intel_pstate/no_turbo");
    autofree char *on = read_line(CPU_FOLDER "cpufreq/boost");
    if (!off && !on)
        say(fact, false, "unknown");
    else
        say(fact, off ? atoi(off) == 0 : atoi(on) != 0, "%s",
            (off ? atoi(off) == 0 : atoi(on) != 0) ? "on: the clock depends on heat and neighbours"
                                                   : "off");
}

static double share(uint64_t part, const struct host_times *times) {
    uint64_t all = times->busy + times->idle + times->steal;
    return all ? (double)part / (double)all : 0;
}

static void tell_steal(struct host_fact *fact, const struct host_times *since) {
    double stolen = share(since->steal, since);
    say(fact, stolen > MUCH, "%.1f %% of the time", 100 * stolen);
}

static void tell_load(struct host_fact *fact) {
    autofree char *text = read_line("/proc/loadavg");
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    double load = text ? atof(text) : 0;
    say(fact, load > 0.5, "%.2f on %ld processors in the last minute", load, cpus);
}

static void tell_machine(struct host_fact *fact) {
    bool is_virtual = host_is_virtual();
    say(fact, is_virtual, is_virtual ? "a virtual machine: its clock and caches are shared" : "no");
}

static void tell_paranoid(struct host_fact *fact) {
    int level = host_paranoid();
    say(fact, geteuid() != 0 && level > 1, "perf_event_paranoid is %d%s", level,
        geteuid() == 0 ? ", you are root" : "");
}

void host_facts(const struct host_cpus *cpus, const struct host_times *before,
                struct host_fact facts[HOST_FACTS]) {
    static const struct host_fact known[HOST_FACTS] = {
        {"isolation", "isolation", .remedy = "boot with isolcpus=N nohz_full=N, and --cpu N"},
        {"smt", "SMT siblings",
         .remedy = "echo off | sudo tee /sys/devices/system/cpu/smt/control"},
        {"frequency", "frequency", .remedy = "sudo cpupower frequency-set -g performance"},
        {"turbo", "turbo",
         .remedy = "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo, or echo 0 | "
                   "sudo tee /sys/devices/system/cpu/cpufreq/boost"},
        {"steal", "steal time", .remedy = "a host that is not shared, or pinned virtual CPUs"},
        {"load", "other load", .remedy = "end other programs"},
        {"virtual_machine", "virtual machine", .remedy = "measure on the hardware itself"},
        {"counters", "counters", .remedy = "sudo sysctl kernel.perf_event_paranoid=1"},
    };
    memcpy(facts, known, sizeof known);
    struct host_times since = host_times(cpus->function);
    since.busy -= before->busy;
    since.idle -= before->idle;
    since.steal -= before->steal;
    tell_isolation(&facts[0], cpus);
    tell_sibling(&facts[1], cpus);
    tell_frequency(&facts[2], cpus);
    tell_turbo(&facts[3]);
    tell_steal(&facts[4], &since);
    tell_load(&facts[5]);
    tell_machine(&facts[6]);
    tell_paranoid(&facts[7]);
}
