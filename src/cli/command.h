/* The subcommands, one file each. */
#ifndef SLS_CLI_COMMAND_H
#define SLS_CLI_COMMAND_H

#include <argp.h>

#include "common/error.h"

/* argv[0] is the subcommand's name. 0, or -1 with the error set; a positive value is an exit status
 * whose reason has been printed. */
typedef int command_function(int argc, char **argv, struct error *err);

command_function command_run, command_suite, command_exec, command_verify, command_compare,
    command_checkpoint, command_function_, command_image, command_kernel, command_shell,
    command_system, command_doctor;

/* slsuite function add; argv[0] is "function add". */
command_function function_add;

/* slsuite doctor --native, of this processor (HOST_ANY: choose). */
int doctor_native(long cpu, struct error *err);

/* argp_parse() for a subcommand: help and usage are printed under "slsuite NAME". 0 or -1. */
int command_parse(const struct argp *argp, int argc, char **argv, void *input, struct error *err);

/* The number in `text`, from least to most. 0 or -1 (usage). */
int command_number(const char *option, const char *text, long least, long most, long *number,
                   struct error *err);

/* Inside an argp parser: take over an error. Returns what the parser must return. */
error_t command_refuse(struct argp_state *state);

/* The full command line, for the manifest: set by main. */
extern char *const *command_line;

#endif
