#include "plugin/arguments.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "model/flush.h"

/* The value, if the text is NAME=VALUE with this name. */
static const char *value_of(const char *text, const char *name) {
    size_t length = strlen(name);
    return strncmp(text, name, length) == 0 && text[length] == '=' ? text + length + 1 : NULL;
}

static int read_number(const char *text, const char *value, unsigned *number, struct error *err) {
    char *end;
    unsigned long parsed = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || parsed > INT_MAX)
        return error_set(err, "%s: not a number", text);
    *number = (unsigned)parsed;
    return 0;
}

static int read_one(const char *text, struct plugin_arguments *arguments, struct error *err) {
    const struct {
        const char *name, **text;
        unsigned *number;
    } known[] = {
        {"system", &arguments->system, NULL},
        {"samples", &arguments->samples, NULL},
        {"ram", &arguments->ram, NULL},
        {"events", NULL, (unsigned *)&arguments->events},
        {"regions", &arguments->regions, NULL},
        {"profile", &arguments->profile, NULL},
        {"core", NULL, (unsigned *)&arguments->core},
        {"profile_marks", NULL, &arguments->profile_marks},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const char *value = value_of(text, known[i].name);
        if (!value)
            continue;
        if (known[i].number)
            return read_number(text, value, known[i].number, err);
        *known[i].text = value;
        return 0;
    }
    if (!value_of(text, "flush"))
        return error_set(err, "%s: unknown argument", text);
    arguments->flush = flush_parse(value_of(text, "flush"));
    return arguments->flush ? 0 : error_set(err, "%s: no parts of the model", text);
}

int arguments_read(int count, char **texts, struct plugin_arguments *arguments, struct error *err) {
    *arguments = (struct plugin_arguments){.events = -1, .core = -1, .profile_marks = 1};
    for (int i = 0; i < count; i++)
        if (read_one(texts[i], arguments, err) < 0)
            return -1;
    if (!arguments->system || !arguments->samples)
        return error_set(err, "arguments: system=FILE and samples=FILE are needed");
    return 0;
}
