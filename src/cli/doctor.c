#include <stdio.h>

#include "cli/command.h"

int command_doctor(int argc, char **argv, struct error *err) {
    return error_set(err, "made in a moment");
}
