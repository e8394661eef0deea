#include "image/kernel_config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "image/kernel_config_text.h"

#define LIST "kernel-requirements.list"
#define PREFIX "CONFIG_"

/* "# CONFIG_NAME is not set" */
static void read_comment(char *line, json_t *options) {
    char *end = strstr(line, " is not set");
    if (strncmp(line, "# " PREFIX, sizeof "# " PREFIX - 1) != 0 || !end)
        return;
    *end = '\0';
    json_object_set_new(options, line + sizeof "# " PREFIX - 1, json_string("n"));
}

/* CONFIG_NAME=VALUE. True: it is one. */
static bool read_option(char *line, json_t *options) {
    char *equals = strchr(line, '=');
    if (strncmp(line, PREFIX, sizeof PREFIX - 1) != 0 || !equals)
        return false;
    *equals = '\0';
    json_object_set_new(options, line + sizeof PREFIX - 1, json_string_nocheck(equals + 1));
    return true;
}

/* The head: "# Linux/x86 5.4.84 Kernel Configuration"; the first kernels' were "Linux/x86_64". */
static void read_head(const char *line, struct kernel_config *config) {
    unsigned major, minor;
    char release[sizeof config->release];
    if (config->version || !strstr(line, " Kernel Configuration") ||
        sscanf(line, "# Linux/%*s %63s", release) != 1 ||
        sscanf(release, "%3u.%3u", &major, &minor) != 2)
        return;
    strcpy(config->release, release);
    config->version = KERNEL_VERSION(major, minor);
}

int kernel_config_read(struct kernel_config *config, const char *path, struct error *err) {
    autofree char *text = kernel_config_text(path, err);
    bool any = false;
    *config = (struct kernel_config){.options = json_object()};
    for (char *place = text, *line; text && (line = strsep(&place, "\n"));) {
        line[strcspn(line, "\r")] = '\0';
        read_head(line, config);
        read_comment(line, config->options);
        any |= read_option(line, config->options);
    }
    if (text && !any)
        error_set(err,
                  "%s is no kernel's configuration: it has no line " PREFIX
                  "NAME=y: give a .config, or a /boot/config-VERSION",
                  path);
    if (!any)
        kernel_config_free(config);
    return any ? 0 : -1;
}

void kernel_config_free(struct kernel_config *config) {
    json_decref(config->options);
    *config = (struct kernel_config){0};
}

/* ---- the list ---- */

static enum kernel_option_state state_of(const struct kernel_config *config, const char *option) {
    const char *value = json_string_value(json_object_get(config->options, option));
    return !value || strcmp(value, "n") == 0 ? OPTION_ABSENT
           : strcmp(value, "m") == 0         ? OPTION_MODULE
                                             : OPTION_BUILT_IN;
}

/* NEED OPTIONS[=y] WHY. False: it is not of this form. */
static bool read_requirement(char *line, struct kernel_requirement *requirement) {
    static const char *const needs[] = {
        [NEEDED] = "needed", [OPTIONAL] = "optional", [FORBIDDEN] = "forbidden"};
    const char *words[2];
    for (int i = 0; i < 2; i++) {
        words[i] = line;
        line += strcspn(line, " ");
        line[0] ? *line++ = '\0' : 0;
        line += strspn(line, " ");
    }
    char *built_in = strstr(words[1], "=y");
    if (built_in)
        *built_in = '\0';
    requirement->options = words[1];
    requirement->built_in = built_in;
    requirement->why = line;
    for (requirement->need = NEEDED; requirement->need <= FORBIDDEN; requirement->need++)
        if (strcmp(words[0], needs[requirement->need]) == 0)
            return *requirement->options && *line;
    return false;
}

/* [WHO] TITLE */
static bool read_section(char *line, struct kernel_requirement *section) {
    char *end = *line == '[' ? strstr(line, "] ") : NULL;
    if (!end)
        return false;
    *end = '\0';
    section->who = line + 1;
    section->title = end + 2;
    return true;
}

/* One of a line's options, OPTION or OPTION(FROM-BEFORE), and the versions that have it. */
struct alternative {
    const char *name;
    unsigned from, before; /* 0: always; never again */
};

static unsigned read_version(const char *text) {
    unsigned major, minor;
    bool number = *text >= '0' && *text <= '9'; /* and no sign */
    return number && sscanf(text, "%3u.%3u", &major, &minor) == 2 ? KERNEL_VERSION(major, minor)
                                                                  : 0;
}

static struct alternative read_alternative(char *text) {
    struct alternative one = {.name = text};
    char *range = strchr(text, '('), *dash = range ? strchr(range, '-') : NULL;
    if (dash) {
        one.from = read_version(range + 1);
        one.before = read_version(dash + 1);
        *range = '\0';
    }
    return one;
}

/* Whether the kernel's version has it as an option for this. One without a head is taken for the
 * newest. */
static bool exists(const struct kernel_config *config, const struct alternative *one) {
    unsigned version = config->version ? config->version : UINT_MAX;
    return version >= one->from && (!one->before || version < one->before);
}

/* `options`: a copy of the requirement's, to be cut; `names`: room for as much. A configuration
 * that speaks of a line's only option has it, whatever its version: distributions take options of
 * later kernels into theirs. False: the line asks for nothing of this kernel, nor of any later one.
 */
static bool judge(const struct kernel_config *config, char *options, char *names,
                  struct kernel_requirement *requirement) {
    enum kernel_option_state enough = requirement->built_in ? OPTION_BUILT_IN : OPTION_MODULE;
    char *end = strcpy(names, "");
    bool alone = !strchr(options, '|');
    unsigned since = 0;
    requirement->state = OPTION_ABSENT;
    requirement->best = requirement->options = names;
    for (char *rest = options, *text; (text = strsep(&rest, "|"));) {
        struct alternative one = read_alternative(text);
        enum kernel_option_state state = state_of(config, one.name);
        if (!exists(config, &one) && !(alone && json_object_get(config->options, one.name))) {
            since = config->version && config->version < one.from ? one.from : since;
            continue;
        }
        end += sprintf(end, "%s%s", end == names ? "" : "|", one.name);
        if (state > requirement->state) {
            requirement->state = state;
            requirement->best = one.name;
        }
    }
    requirement->since = end == names ? since : 0;
    if (requirement->since)
        strcpy(names, options); /* cut: the first one */
    bool there = requirement->state >= enough;
    requirement->met = requirement->since || (requirement->need == FORBIDDEN ? !there : there);
    return *names;
}

int kernel_config_check(const struct kernel_config *config, kernel_requirement_visitor *visit,
                        void *context, struct error *err) {
    autofree char *path = format_string("%s/" LIST, paths_recipes());
    autofree char *text = file_read(path, NULL, err);
    struct kernel_requirement requirement = {0};
    unsigned number = 0;
    for (char *place = text, *line; text && (line = strsep(&place, "\n"));) {
        number++;
        if (!*line || *line == '#' || read_section(line, &requirement))
            continue;
        if (!requirement.who || !read_requirement(line, &requirement))
            return error_set(err, "%s:%u: not a requirement", path, number);
        autofree char *options = strdup(requirement.options), *names = strdup(options);
        if (judge(config, options, names, &requirement))
            visit(&requirement, context);
    }
    return text ? 0 : -1;
}
