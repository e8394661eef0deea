#include "engine/start.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "model/flush.h"

const char *const start_names[] = {
    [START_WARM] = "warm", [START_COLD] = "cold", [START_LUKEWARM] = "lukewarm", NULL};

/* As the client marks them (src/guest/client/cold.c). */
const char *const start_phases[] = {"create", "start", "listen", "reply", NULL};

unsigned start_invocations(enum start_kind kind) {
    return kind == START_COLD ? 1 : 10;
}

int start_parse(const char *name, enum start_kind *kind, struct error *err) {
    for (size_t i = 0; start_names[i]; i++)
        if (strcmp(name, start_names[i]) == 0) {
            *kind = (enum start_kind)i;
            return 0;
        }
    return error_usage(err, "no start is named %s: there are warm, cold, lukewarm", name);
}

int start_flush(enum start_kind kind, const char *list, const struct model_parameters *system,
                unsigned *parts, struct error *err) {
    char missing[FLUSH_TEXT], there[FLUSH_TEXT], known[FLUSH_TEXT];
    unsigned present = flush_parts_of(system);
    bool all = !list || strcmp(list, "all") == 0;
    *parts = 0;
    if (kind != START_LUKEWARM)
        return list ? error_usage(err, "--flush: only with --start lukewarm") : 0;
    *parts = all ? present : flush_parse(list);
    flush_print(*parts & ~present, missing);
    flush_print(present, there);
    flush_print(FLUSH_ALL, known);
    if (!*parts)
        return error_usage(err, "--flush %s: name parts of %s, with commas between them, or all",
                           list, known);
    if (!*missing)
        return 0;
    return error_usage(err, "--flush: the system %s has no %s: there are %s", system->name, missing,
                       there);
}
