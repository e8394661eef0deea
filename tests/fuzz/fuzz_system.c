/* Any bytes as a system file, for libFuzzer: the reader must take them or say in one line what is
 * wrong. What it takes must be a possible machine, and must read back the same when it is shown. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/paths.h"
#include "system/system.h"

/* system.c looks for names there; nothing here does. */
const char *paths_systems(void) {
    return "/nonexistent";
}

static void require(int truth, const char *what, const char *details) {
    if (truth)
        return;
    fprintf(stderr, "fuzz_system: %s: %s\n", what, details);
    abort();
}

static void check_refusal(const struct error *err) {
    const char *line = err->text + strlen("FILE:");
    require(err->status == 1, "a refusal without an error", err->text);
    require(strncmp(err->text, "FILE:", 5) == 0 && atoi(line) > 0, "no line is named", err->text);
    for (const char *c = err->text; *c; c++)
        require((unsigned char)*c >= ' ' && *c != 0x7f, "a control character", err->text);
}

static void check_accepted(const struct model_parameters *parameters) {
    struct model_parameters again;
    struct parameters_problem problem;
    struct error err = {0};
    char *text = NULL;
    size_t size;
    require(parameters_check(parameters, &problem), "accepted, but not legal", problem.text);
    FILE *stream = open_memstream(&text, &size);
    system_describe(stream, parameters);
    system_compare(stream, parameters, parameters);
    fclose(stream);
    require(system_parse("FILE", text, size, &again, &err) == 0, "cannot be read back", err.text);
    require(memcmp(&again, parameters, sizeof again) == 0, "reads back differently", text);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct model_parameters parameters;
    struct error err = {0};
    if (system_parse("FILE", (const char *)data, size, &parameters, &err) < 0)
        check_refusal(&err);
    else
        check_accepted(&parameters);
    return 0;
}
