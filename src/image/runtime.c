#include "image/runtime.h"

#include <stddef.h>
#include <string.h>

const char *const runtimes[] = {RUNTIME_DEFAULT, "docker", "podman", NULL};

int runtime_check(const char *name, struct error *err) {
    for (size_t i = 0; runtimes[i]; i++)
        if (strcmp(name, runtimes[i]) == 0)
            return 0;
    return error_usage(err, "no container runtime is named %s: there are " RUNTIME_NAMES, name);
}

bool runtime_is_engine(const char *name) {
    return strcmp(name, RUNTIME_DEFAULT) != 0;
}
