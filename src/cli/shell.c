/* slsuite shell [FUNCTION]: the image on this terminal. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/command.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/progress.h"
#include "engine/checkpoint.h"
#include "engine/guest.h"
#include "engine/machine.h"
#include "engine/sim.h"
#include "image/function.h"
#include "image/runtime.h"

struct request {
    const char *function, *script;
    struct image_choice image;
    bool network;
    long timeout;
    struct error *err;
};

static const struct argp_option options[] = {
    {"run", 'r', "SCRIPT", 0, "run this script in the guest instead, and exit as it does", 0},
    {"timeout", 't', "SECONDS", 0, "--run: longest time (300)", 0},
    {"with", 'w', "RUNTIME", 0, "the image that also has docker, or podman", 0},
    {"kernel", 'k', "KERNEL", 0, "the distribution's, or custom: the last one that was built", 0},
    {"network", 'n', NULL, 0, "with them: what this computer reaches, itself as 10.0.2.2, too", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    if (key == 'r')
        request->script = argument;
    else if (key == 't')
        return command_number("--timeout", argument, 1, 1000000, &request->timeout, request->err) <
                       0
                   ? EINVAL
                   : 0;
    else if (key == 'w') {
        request->image.runtime = argument;
        return runtime_check(argument, request->err) < 0 ? EINVAL : 0;
    } else if (key == 'k') {
        request->image.kernel = argument;
        return image_check_kernel(argument, request->err) < 0 ? EINVAL : 0;
    } else if (key == 'n')
        request->network = true;
    else if (key == ARGP_KEY_ARG && !request->function)
        request->function = argument;
    else if (key == ARGP_KEY_ARG)
        return EINVAL;
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

/* The guest's terminal driver does the editing and the signals. */
static void set_raw(const struct termios *kept) {
    struct termios raw = *kept;
    cfmakeraw(&raw);
    raw.c_oflag |= OPOST;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static int interact(struct machine *machine) {
    struct termios kept;
    int terminal = tcgetattr(STDIN_FILENO, &kept) == 0;
    if (terminal)
        set_raw(&kept);
    struct machine_report report;
    do
        report = machine_next(machine, machine_now() + 3600, NULL, NULL);
    while (report.kind == MACHINE_LINE || report.kind == MACHINE_FILE ||
           report.kind == MACHINE_LATE);
    if (terminal)
        tcsetattr(STDIN_FILENO, TCSANOW, &kept);
    return 0;
}

static int run_script(struct machine *machine, const char *console, long timeout,
                      struct error *err) {
    struct guest guest = {
        .machine = machine, .console = console, .timeout_seconds = (double)timeout, .files = "."};
    guest.progress = progress_begin("shell", "run the script in the guest", 15);
    int result = guest_wait(&guest, GUEST_DONE, err);
    progress_end(guest.progress, result == 0);
    guest_free(&guest);
    return result;
}

static int boot(const struct request *request, const char *folder, struct error *err) {
    struct image image = {0};
    struct function function = {0};
    autofree char *ram = format_string("%s/ram", folder),
                  *log = format_string("%s/qemu.log", folder);
    autofree char *console = format_string("%s/console.log", folder);
    autofree char *parameters = format_string("%s/parameters", folder);
    autofree char *version = machine_qemu_version(err);
    int result = version && image_prepare(&image, &request->image, err) == 0 &&
                         checkpoint_write_parameters(parameters, "", err) == 0
                     ? 0
                     : -1;
    if (result == 0 && request->function)
        result = function_prepare(request->function, &function, err);
    if (result == 0 && request->function && runtime_is_engine(request->image.runtime))
        result = function_prepare_archive(&function, err);
    struct machine *machine = NULL;
    if (result == 0) {
        autofree char *kernel_arguments = checkpoint_kernel_arguments(&image, false);
        const struct machine_options machine_options = {
            .kernel = image.kernel,
            .initramfs = image.initramfs,
            .kernel_arguments = kernel_arguments,
            .cores = 2,
            .memory_bytes = (uint64_t)2 << 30,
            .memory_file = ram,
            .memory_writable = true,
            .rootfs = image.rootfs,
            .nvdimms = sim_nvdimms(&function),
            .script = request->script,
            .parameters = parameters,
            .console = request->script ? console : NULL,
            .log = log,
            .network = request->network,
        };
        machine = machine_start(&machine_options, err);
        result = machine ? 0 : -1;
        unlink(ram); /* QEMU has it; nothing large stays if we are killed */
    }
    if (result == 0)
        result = request->script ? run_script(machine, console, request->timeout, err)
                                 : interact(machine);
    machine_end(machine);
    autofree char *text = request->script ? file_read(console, NULL, NULL) : NULL;
    if (result == 0 && text)
        fputs(text, stdout);
    function_free(&function);
    image_free(&image);
    return result;
}

int command_shell(int argc, char **argv, struct error *err) {
    static const struct argp argp = {
        options,
        parse,
        "[FUNCTION]",
        "Boot the image on this terminal; FUNCTION's image is then below /functions. Log in as "
        "root, "
        "password root; `poweroff` ends it. Changes are in the guest's memory and gone afterwards.",
        NULL,
        NULL,
        NULL};
    struct request request = {.timeout = 300, .image = IMAGE_DEFAULT, .err = err};
    if (command_parse(&argp, argc, argv, &request, err) < 0)
        return -1;
    if (request.network && !runtime_is_engine(request.image.runtime))
        return error_usage(err, "--network: only images with docker or podman have a driver for "
                                "the card: add --with docker");
    if (request.script && !file_exists(request.script))
        return error_errno(err, "cannot read %s", request.script);
    char folder[] = "/tmp/slsuite-shell-XXXXXX";
    if (!mkdtemp(folder))
        return error_errno(err, "cannot create %s", folder);
    int result = boot(&request, folder, err);
    folder_remove(folder, NULL);
    return result;
}
