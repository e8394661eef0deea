/* slsuite: runs serverless functions on simulated machines. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/progress.h"

static const struct command {
    const char *name, *arguments, *summary;
    command_function *function;
} commands[] = {
    {"run", "FUNCTION", "simulate invocations of a function and show where the cycles go",
     command_run},
    {"suite", "run", "simulate all functions, several at the same time, into one table",
     command_suite},
    {"exec", "-- PROGRAM ARGUMENT…", "simulate a program of your own between its marks",
     command_exec},
    {"verify", "RUN", "repeat a run from its manifest and say whether it is identical",
     command_verify},
    {"compare", "RUN RUN…", "show runs side by side, of other systems or engines", command_compare},
    {"function", "list|add|test|…", "the functions and their images", command_function_},
    {"system", "list|show|check|diff", "the simulated machines and their parameters",
     command_system},
    {"checkpoint", "list|prune", "the frozen guests that runs start from", command_checkpoint},
    {"image", "build|import|…", "the guest's kernel and root file system; disks of others",
     command_image},
    {"kernel", "build|check", "build a kernel, or check one for containers and the simulators",
     command_kernel},
    {"shell", "[FUNCTION]", "boot the image and log in on its console (root/root)", command_shell},
    {"doctor", "", "what this computer has and lacks, and how to mend it", command_doctor},
};
#define COMMANDS (sizeof commands / sizeof *commands)

char *const *command_line;

static void print_help(FILE *stream) {
    fputs("usage: slsuite COMMAND [OPTION]…   (slsuite COMMAND --help tells more)\n\n", stream);
    for (size_t i = 0; i < COMMANDS; i++) {
        autofree char *title = format_string("%s %s", commands[i].name, commands[i].arguments);
        fprintf(stream, "  %-28s %s\n", title, commands[i].summary);
    }
}

static const struct command *find_command(const char *name) {
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

static bool asks_for_help(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-?") == 0 ||
            strcmp(argv[i], "--usage") == 0)
            return true;
    return false;
}

/* argp would explain a wrong option in two lines of its own, and could not print help without. */
int command_parse(const struct argp *argp, int argc, char **argv, void *input, struct error *err) {
    autofree char *title = format_string("slsuite %s", argv[0]);
    char *name = argv[0];
    argv[0] = title;
    error_t result =
        argp_parse(argp, argc, argv, asks_for_help(argc, argv) ? 0 : ARGP_NO_ERRS, NULL, input);
    argv[0] = name;
    if (result == 0 || err->status)
        return result == 0 ? 0 : -1;
    return error_usage(err,
                       "%s: an unknown option, or an argument too many or too few: see %s --help",
                       name, title);
}

error_t command_refuse(struct argp_state *state) {
    (void)state;
    return EINVAL;
}

int command_number(const char *option, const char *text, long least, long most, long *number,
                   struct error *err) {
    char *end;
    errno = 0;
    *number = strtol(text, &end, 10);
    if (end != text && !*end && !errno && *number >= least && *number <= most)
        return 0;
    return error_usage(err, "%s %s: not a number from %ld to %ld", option, text, least, most);
}

int main(int argc, char **argv) {
    struct error err = {0};
    argp_err_exit_status = 2;
    command_line = argv;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        puts("slsuite " SLS_VERSION);
        return 0;
    }
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    const struct command *command = find_command(argv[1]);
    int result = -1;
    if (!command)
        error_usage(&err, "no command is named %s: slsuite --help lists them", argv[1]);
    else if (paths_init(&err) == 0)
        result = command->function(argc - 1, argv + 1, &err);
    if (result >= 0)
        return fflush(stdout) == 0 ? result : 1;
    fprintf(stderr, "slsuite: %s\n", err.text);
    return err.status ? err.status : 1;
}
