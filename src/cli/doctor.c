/* slsuite doctor: what this computer has and lacks, and the command that mends it. The packages are
 * those of tools/packages, which is compiled in (PACKAGES). */
#include <fcntl.h>
#include <glob.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/packages.h"
#include "cli/verdict.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/process.h"
#include "engine/gem5.h"
#include "engine/machine.h"
#include "image/apt.h"
#include "image/kernel_build.h"
#include "native/host_state.h"

/* Kernel, base image, and a checkpoint for each function that came along. */
#define NEED_DISK 1.5e9
/* The guest's 2 GB are sparse; QEMU and its page cache stay below this. */
#define NEED_MEMORY 1.5e9

#define MOST_PACKAGES 96
#define INSTALL "make deps (or: apt-get install %s)"

struct package {
    char group[16], name[64], proof[128], why[128], version[64];
    bool found;
};

struct doctor {
    struct package packages[MOST_PACKAGES];
    size_t count;
    unsigned bad; /* things without which `run` does not */
};

static void report(struct doctor *doctor, enum verdict verdict, const char *name,
                   const char *detail, const char *remedy) {
    verdict_print(verdict, 18, name, detail, remedy);
    doctor->bad += verdict == BAD;
}

static void read_table(struct doctor *doctor) {
    autofree char *text = strdup(PACKAGES);
    for (char *place = text, *line; (line = strsep(&place, "\n"));) {
        struct package *package = &doctor->packages[doctor->count];
        if (*line == '#' || doctor->count == MOST_PACKAGES ||
            sscanf(line, "%15s %63s %127s %127[^\n]", package->group, package->name, package->proof,
                   package->why) != 4)
            continue;
        *strchrnul(package->name, '>') = '\0';
        package->found =
            package->proof[0] == '/' ? file_exists(package->proof) : process_exists(package->proof);
        doctor->count++;
    }
}

/* The installed versions, in one question. What did not come as a package has none. */
static void read_versions(struct doctor *doctor) {
    const char *arguments[MOST_PACKAGES + 5] = {
        "sh", "-c", "dpkg-query -W -f '${Package} ${Version}\\n' \"$@\" || true", "sh"};
    for (size_t i = 0; i < doctor->count; i++)
        arguments[4 + i] = doctor->packages[i].name;
    autofree char *text = process_output(arguments, NULL, NULL);
    for (char *place = text, *line; text && (line = strsep(&place, "\n"));) {
        char name[64], version[64];
        if (sscanf(line, "%63s %63s", name, version) == 2)
            for (size_t i = 0; i < doctor->count; i++)
                if (strcmp(doctor->packages[i].name, name) == 0)
                    strcpy(doctor->packages[i].version, version);
    }
}

/* QEMU as it will be used: its version,
 * and the plugin loaded into the machine that is simulated. */
static void check_qemu(struct doctor *doctor) {
    struct error err = {0};
    autofree char *version = machine_qemu_version(&err);
    if (!version) {
        report(doctor, BAD, "QEMU", err.text, NULL);
        return;
    }
    char input[] = "/tmp/slsuite-doctor-XXXXXX";
    autoclose int fd = mkstemp(input);
    if (fd < 0 || write(fd, "quit\n", 5) != 5) {
        report(doctor, BAD, "QEMU", "cannot be tried: /tmp is not writable", "df /tmp");
        return;
    }
    autofree char *plugin = format_string("%s,system=%s/simple.yaml,samples=/dev/null",
                                          paths_plugin(), paths_systems());
    const char *const arguments[] = {
        machine_qemu(), "-nodefaults", "-display", "none",       "-machine", "pc,nvdimm=on",
        "-accel",       "tcg",         "-cpu",     "Nehalem-v1", "-smp",     "2",
        "-m",           "64",          "-bios",    "qboot.rom",  "-device",  "pvpanic",
        "-S",           "-monitor",    "stdio",    "-plugin",    plugin,     NULL};
    struct process_options options = {.input = input, .timeout_seconds = 20};
    autofree char *said = process_output(arguments, &options, &err);
    unlink(input);
    autofree char *good =
        format_string("%s (%s), loads the timing plugin", version, machine_qemu());
    report(doctor, said ? GOOD : BAD, "QEMU", said ? good : err.text,
           "use the distribution's: make deps, and unset SLSUITE_QEMU");
}

static void check_tools(struct doctor *doctor) {
    for (size_t i = 0; i < doctor->count; i++) {
        struct package *package = &doctor->packages[i];
        if (strcmp(package->group, "run") != 0 || strcmp(package->name, "qemu-system-x86") == 0)
            continue;
        bool root_needs_not = strcmp(package->name, "uidmap") == 0 && geteuid() == 0;
        autofree char *detail = format_string("%-22s %s",
                                              !package->found       ? "missing"
                                              : package->version[0] ? package->version
                                                                    : "found",
                                              package->why);
        autofree char *remedy = format_string(INSTALL, package->name);
        report(doctor,
               package->found   ? GOOD
               : root_needs_not ? ABSENT_OPTIONAL
                                : BAD,
               package->proof, detail, remedy);
    }
}

/* Packages of a group that not everybody needs: one line. */
static void check_group(struct doctor *doctor, const char *group, const char *purpose) {
    autofree char *absent = strdup("");
    unsigned count = 0, found = 0;
    for (size_t i = 0; i < doctor->count; i++) {
        if (strcmp(doctor->packages[i].group, group) != 0)
            continue;
        count++;
        found += doctor->packages[i].found;
        if (doctor->packages[i].found)
            continue;
        char *longer = format_string("%s %s", absent, doctor->packages[i].name);
        free(absent);
        absent = longer;
    }
    autofree char *remedy = format_string("make deps (or: apt-get install%s)", absent);
    autofree char *detail =
        format_string("%u of %u packages%s%s", found, count, *absent ? ", missing:" : "", absent);
    report(doctor, found == count ? GOOD : ABSENT_OPTIONAL, purpose, detail, remedy);
}

/* Whether a line "USER:FIRST:COUNT" of /etc/subuid or subgid gives this user enough of them. */
static bool has_range(const char *path, const char *user, uid_t uid) {
    autofree char *text = file_read(path, NULL, NULL), *number = format_string("%u", uid);
    for (char *place = text, *line; text && (line = strsep(&place, "\n"));) {
        const char *name = strsep(&line, ":"), *first = strsep(&line, ":");
        if (first && line && atol(line) >= 65536 &&
            (strcmp(name, user) == 0 || strcmp(name, number) == 0))
            return true;
    }
    return false;
}

/* An ordinary user makes the root file system in a user namespace with many user ids. */
static void check_namespaces(struct doctor *doctor) {
    if (geteuid() == 0) {
        report(doctor, GOOD, "user namespaces", "not needed by root", NULL);
        return;
    }
    const struct passwd *entry = getpwuid(geteuid());
    const char *user = entry ? entry->pw_name : "?";
    bool ranges =
        has_range("/etc/subuid", user, geteuid()) && has_range("/etc/subgid", user, geteuid());
    autofree char *add =
        format_string("sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s "
                      "(another range, if /etc/subuid has this one)",
                      user);
    report(doctor, ranges ? GOOD : BAD, "subordinate ids",
           ranges ? "/etc/subuid and /etc/subgid have 65536 for you"
                  : "/etc/subuid or /etc/subgid has no 65536 for you",
           add);
    if (!ranges)
        return;
    struct error err = {0};
    const char *const arguments[] = {"unshare",         "--user", "--map-auto",
                                     "--map-root-user", "true",   NULL};
    bool works = process_run(arguments, NULL, &err) == 0;
    report(doctor, works ? GOOD : BAD, "user namespaces", works ? "work" : err.text,
           "sudo sysctl kernel.unprivileged_userns_clone=1 (Ubuntu: "
           "kernel.apparmor_restrict_unprivileged_userns=0); in a container: run as root");
}

static double available_memory(void) {
    autofree char *text = file_read("/proc/meminfo", NULL, NULL);
    const char *line = text ? strstr(text, "MemAvailable:") : NULL;
    return line ? atof(line + strlen("MemAvailable:")) * 1024 : 0;
}

static void check_resources(struct doctor *doctor) {
    struct utsname host;
    uname(&host);
    report(doctor, strcmp(host.machine, "x86_64") == 0 ? GOOD : BAD, "processor", host.machine,
           "the guest's programs are built for x86-64: use such a computer");

    double room = (double)folder_free_bytes(paths_cache()), memory = available_memory();
    autofree char *disk = format_string("%.1f GB free (%.1f wanted)", room / 1e9, NEED_DISK / 1e9);
    autofree char *ram =
        format_string("%.1f GB available (%.1f wanted)", memory / 1e9, NEED_MEMORY / 1e9);
    report(doctor, room >= NEED_DISK ? GOOD : BAD, "disk", disk,
           "free some, slsuite checkpoint prune, or set SLSUITE_CACHE to another place");
    report(doctor, memory >= NEED_MEMORY ? GOOD : BAD, "memory", ram, "end other programs");

    struct error err = {0};
    autofree char *probe = format_string("%s/.doctor", paths_cache());
    bool writable = folder_make(paths_cache(), &err) == 0 && file_write(probe, "", 0, &err) == 0;
    unlink(probe);
    report(doctor, writable ? GOOD : BAD, "cache", writable ? paths_cache() : err.text,
           "set SLSUITE_CACHE to a folder that is yours");
}

/* The guest is made from what the host's package sources hold. */
static void check_sources(struct doctor *doctor) {
    struct distribution distribution;
    struct error err = {0};
    autofree char *sources = NULL;
    if (apt_distribution(&distribution, &err) == 0)
        sources = apt_sources(&distribution, &err);
    autofree char *detail =
        sources ? format_string("%s %s", distribution.id, distribution.codename) : NULL;
    report(doctor, sources ? GOOD : BAD, "package sources", sources ? detail : err.text,
           "sudo apt-get update");
}

/* One that was named must be good; one that was not need not be there. */
static void check_gem5(struct doctor *doctor, const char *path) {
    struct gem5 gem5;
    struct image kernel = {0};
    struct error err = {0};
    bool named = path || getenv("GEM5");
    if (gem5_find(path, &gem5, &err) < 0) {
        report(doctor, named ? BAD : ABSENT_OPTIONAL, "gem5", err.text, NULL);
        return;
    }
    bool lacks = *gem5.lacks, built = kernel_find_custom(&kernel, NULL) == 0;
    autofree char *detail =
        format_string("%s (%s), x86, %s%s%s", gem5.version, gem5.program,
                      gem5.kvm ? "with KVM cores" : "without KVM cores",
                      lacks ? ", lacks what some systems need: " : "", gem5.lacks);
    report(doctor, lacks ? ABSENT_OPTIONAL : GOOD, "gem5", detail,
           lacks ? "build it with its defaults" : NULL);
    report(doctor, built ? GOOD : ABSENT_OPTIONAL, "kernel for gem5",
           built ? kernel.kernel_version : "not built yet", "slsuite kernel build");
    image_free(&kernel);
    gem5_free(&gem5);
}

static void check_optional(struct doctor *doctor, const char *gem5) {
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm >= 0)
        close(kvm);
    report(doctor, kvm >= 0 ? GOOD : ABSENT_OPTIONAL, "KVM",
           kvm >= 0 ? "there; whether it works, `slsuite shell` tries" : "not there, not needed",
           NULL);
    check_gem5(doctor, gem5);
    static const struct {
        const char *program, *purpose;
    } others[] = {{"docker", "container runtime"},
                  {"podman", "container runtime"},
                  {"runc", "container runtime"},
                  {"crun", "container runtime"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (process_exists(others[i].program)) {
            autofree char *detail = format_string("%s, not needed", others[i].purpose);
            report(doctor, GOOD, others[i].program, detail, NULL);
        }
}

enum { OPTION_GEM5 = 1000, OPTION_NATIVE, OPTION_CPU };

static const struct argp_option options[] = {
    {"gem5", OPTION_GEM5, "PATH", 0, "check this gem5 ($GEM5, or what PATH has)", 0},
    {"native", OPTION_NATIVE, NULL, 0, "how fit this computer itself is to be measured on", 0},
    {"cpu", OPTION_CPU, "N", 0, "--native: this processor (an isolated one, or the last)", 0},
    {0}};

struct request {
    const char *gem5;
    bool native;
    long cpu;
    struct error *err;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    int result = 0;
    if (key == OPTION_GEM5)
        request->gem5 = argument;
    else if (key == OPTION_NATIVE)
        request->native = true;
    else if (key == OPTION_CPU)
        result = command_number("--cpu", argument, 0, 1000000, &request->cpu, request->err);
    else if (key == ARGP_KEY_END && request->cpu != HOST_ANY && !request->native)
        result = error_usage(request->err, "--cpu: only with --native");
    else
        return key == ARGP_KEY_ARG ? EINVAL : ARGP_ERR_UNKNOWN;
    return result < 0 ? command_refuse(state) : 0;
}

int command_doctor(int argc, char **argv, struct error *err) {
    static const struct argp argp = {
        options,
        parse,
        "",
        "List what this computer has and lacks, and the command that mends it. "
        "Exit 0 if all is there that `slsuite run` needs.",
        NULL,
        NULL,
        NULL};
    struct request request = {.cpu = HOST_ANY, .err = err};
    if (command_parse(&argp, argc, argv, &request, err) < 0)
        return -1;
    if (request.native)
        return doctor_native(request.cpu, err);
    struct doctor doctor = {0};
    read_table(&doctor);
    read_versions(&doctor);
    puts("needed to run");
    check_resources(&doctor);
    check_qemu(&doctor);
    check_tools(&doctor);
    check_namespaces(&doctor);
    check_sources(&doctor);
    puts("\noptional");
    check_group(&doctor, "build", "to build");
    check_group(&doctor, "functions", "functions in Go, …");
    check_group(&doctor, "kernel", "a kernel of one's own");
    check_group(&doctor, "import", "disks of others");
    check_group(&doctor, "test", "to test");
    check_group(&doctor, "lint", "to lint");
    check_optional(&doctor, request.gem5);
    if (doctor.bad)
        printf("\n%u of what `slsuite run` needs %s missing\n", doctor.bad,
               doctor.bad == 1 ? "is" : "are");
    else
        puts("\nall is there that `slsuite run` needs");
    return doctor.bad > 0;
}
