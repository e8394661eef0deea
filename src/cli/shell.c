/* slsuite shell [FUNCTION]: the image on this terminal. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/command.h"
#include "common/file.h"
#include "engine/disk.h"
#include "engine/shell.h"
#include "image/runtime.h"

#define SSH_PORT 5555

enum {
    OPTION_SSH = 1000,
    OPTION_ENGINE,
    OPTION_FORGET,
    OPTION_KVM,
    OPTION_DISK,
    OPTION_BASE,
    OPTION_MEMORY,
    OPTION_CPUS
};

static const struct argp_option options[] = {
    {"run", 'r', "SCRIPT", 0, "run this script in the guest instead, and exit as it does", 0},
    {"timeout", 't', "SECONDS", 0,
     "--run: longest time for the script, once the guest has booted (300)", 0},
    {"engine", OPTION_ENGINE, "ENGINE", 0, "what executes the machine: qemu", 0},
    {"disk", OPTION_DISK, "IMAGE", 0,
     "boot this disk instead, a raw image as `image import` writes; it stays as it is unless "
     "--commit",
     0},
    {"memory", OPTION_MEMORY, "SIZE", 0, "the guest's: 8GB, 512MB (2GB)", 0},
    {"cpus", OPTION_CPUS, "N", 0, "the guest's processors (2)", 0},
    {"kvm", OPTION_KVM, "WHEN", 0,
     "auto (the default): where a first boot by it gets anywhere; on; off: emulate", 0},
    {"with", 'w', "RUNTIME", 0, "the image that also has docker, or podman", 0},
    {"kernel", 'k', "KERNEL", 0, "the distribution's, or custom: the last one that was built", 0},
    {"base", OPTION_BASE, "DISTRIBUTION:RELEASE", 0,
     "whose packages the root file system is made of (this computer's)", 0},
    {"network", 'n', NULL, 0, "with them: what this computer reaches, itself as 10.0.2.2, too", 0},
    {"ssh", OPTION_SSH, "PORT", 0,
     "--network: this computer's loopback port that leads to the guest's port 22 (5555); 0: none",
     0},
    {"commit", 'c', NULL, 0, "keep what changes, on a disk, for the next shell --commit", 0},
    {"forget", OPTION_FORGET, NULL, 0, "--commit: begin anew, without what was kept", 0},
    {0},
};

struct request {
    struct shell_options shell;
    bool forget;
    struct error *err;
};

static int read_kvm(const char *text, enum shell_kvm *kvm, struct error *err) {
    static const char *const names[] = {
        [SHELL_KVM_AUTO] = "auto", [SHELL_KVM_ON] = "on", [SHELL_KVM_OFF] = "off"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i]) == 0) {
            *kvm = i;
            return 0;
        }
    return error_usage(err, "--kvm %s: there are auto, on and off", text);
}

/* 8GB, 8G, "8 GB", 8192M: as QEMU, Docker and system files spell it, each a power of 2. */
static int read_memory(const char *text, uint64_t *bytes, struct error *err) {
    char *unit;
    errno = 0;
    unsigned long long number = strtoull(text, &unit, 10);
    bool good = unit != text && isdigit((unsigned char)*text) && errno == 0;
    unit += strspn(unit, " ");
    bool giga = toupper((unsigned char)*unit) == 'G';
    good &= giga || toupper((unsigned char)*unit) == 'M';
    good = good && (!unit[1] || strcasecmp(unit + 1, "B") == 0 || strcasecmp(unit + 1, "iB") == 0);
    unsigned shift = giga ? 30 : 20;
    if (!good || number > SHELL_MEMORY_MOST >> shift || number << shift < SHELL_MEMORY_LEAST)
        return error_usage(err, "--memory %s: not a size from %dMB to %dGB: write 8GB, or 512MB",
                           text, (int)(SHELL_MEMORY_LEAST >> 20), (int)(SHELL_MEMORY_MOST >> 30));
    *bytes = number << shift;
    return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    struct shell_options *shell = &request->shell;
    struct error *err = request->err;
    long number;
    int result = 0;
    switch (key) {
    case 'r':
        shell->script = argument;
        break;
    case 't':
        result = command_number("--timeout", argument, 1, 1000000, &number, err);
        shell->timeout_seconds = (double)number;
        break;
    case OPTION_ENGINE:
        if (strcmp(argument, "qemu") != 0)
            result = error_usage(err, "--engine %s: the shell is on qemu", argument);
        break;
    case OPTION_DISK:
        shell->disk = argument;
        break;
    case OPTION_MEMORY:
        result = read_memory(argument, &shell->memory_bytes, err);
        break;
    case OPTION_CPUS:
        result =
            command_number("--cpus", argument, SHELL_CORES_LEAST, SHELL_CORES_MOST, &number, err);
        shell->cores = (unsigned)number;
        break;
    case OPTION_KVM:
        result = read_kvm(argument, &shell->kvm, err);
        break;
    case 'w':
        shell->image.runtime = argument;
        result = runtime_check(argument, err);
        break;
    case 'k':
        shell->image.kernel = argument;
        result = image_check_kernel(argument, err);
        break;
    case OPTION_BASE:
        result = apt_parse_distribution(argument, &shell->image.base, err);
        break;
    case 'n':
        shell->network = true;
        break;
    case OPTION_SSH:
        result = command_number("--ssh", argument, 0, 65535, &number, err);
        shell->ssh_port = (unsigned)number;
        break;
    case 'c':
        shell->commit = true;
        break;
    case OPTION_FORGET:
        request->forget = true;
        break;
    case ARGP_KEY_ARG:
        if (shell->function)
            return EINVAL;
        shell->function = argument;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return result < 0 ? command_refuse(state) : 0;
}

static int check(const struct request *request, struct error *err) {
    const struct shell_options *shell = &request->shell;
    if (shell->network && !runtime_is_engine(shell->image.runtime))
        return error_usage(err, "--network: only images with docker or podman have a driver for "
                                "the card: add --with docker");
    if (shell->disk && (shell->function || shell->network || request->forget ||
                        runtime_is_engine(shell->image.runtime)))
        return error_usage(err, "--disk: it is booted as it is: without a function, --with, "
                                "--network and --forget");
    if (shell->disk && !file_exists(shell->disk))
        return error_errno(err, "cannot read %s", shell->disk);
    if (request->forget && !shell->commit)
        return error_usage(err, "--forget: only with --commit");
    if (shell->script && !file_exists(shell->script))
        return error_errno(err, "cannot read %s", shell->script);
    return 0;
}

int command_shell(int argc, char **argv, struct error *err) {
    static const struct argp argp = {
        options,
        parse,
        "[FUNCTION]",
        "Boot the image on this terminal; FUNCTION's image is then below /functions. Log in as "
        "root, password root; `poweroff` ends it. Changes are in the guest's memory and gone "
        "afterwards, unless they are committed.",
        NULL,
        NULL,
        NULL};
    struct request request = {
        .shell = {.timeout_seconds = 300,
                  .ssh_port = SSH_PORT,
                  .image = IMAGE_DEFAULT,
                  .cores = 2,
                  .memory_bytes = (uint64_t)2 << 30},
        .err = err,
    };
    if (command_parse(&argp, argc, argv, &request, err) < 0 || check(&request, err) < 0)
        return -1;
    if (request.forget && disk_forget(request.shell.image.runtime, err) < 0)
        return -1;
    return shell_run(&request.shell, err);
}
