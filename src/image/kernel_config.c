#include "image/kernel_config.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/process.h"

#define LIST "kernel-requirements.list"
#define PREFIX "CONFIG_"

/* A line CONFIG_NAME=VALUE; others are comments. */
static void read_line(char *line, json_t *config) {
    size_t prefix = sizeof PREFIX - 1;
    char *equals = strchr(line, '=');
    if (strncmp(line, PREFIX, prefix) != 0 || !equals)
        return;
    *equals = '\0';
    if (strcmp(equals + 1, "n") != 0)
        json_object_set_new(config, line + prefix, json_string_nocheck(equals + 1));
}

json_t *kernel_config_read(const char *path, struct error *err) {
    if (!file_exists(path)) {
        error_errno(err, "cannot read %s", path);
        return NULL;
    }
    /* what is not compressed is passed on as it is */
    const char *const arguments[] = {"gzip", "-dcf", "--", path, NULL};
    autofree char *text = process_output(arguments, NULL, err);
    json_t *config = text ? json_object() : NULL;
    for (char *place = text, *line; text && (line = strsep(&place, "\n"));)
        read_line(line, config);
    if (!config || json_object_size(config) > 0)
        return config;
    json_decref(config);
    error_set(err,
              "%s is no kernel's configuration: it has no line " PREFIX "NAME=y: give a .config, "
              "or a /boot/config-VERSION",
              path);
    return NULL;
}

/* ---- the list ---- */

static enum kernel_option_state state_of(const json_t *config, const char *option) {
    const char *value = json_string_value(json_object_get(config, option));
    return !value ? OPTION_ABSENT : strcmp(value, "m") == 0 ? OPTION_MODULE : OPTION_BUILT_IN;
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

/* `options`: a copy of the requirement's, to be cut. */
static void judge(const json_t *config, char *options, struct kernel_requirement *requirement) {
    enum kernel_option_state enough = requirement->built_in ? OPTION_BUILT_IN : OPTION_MODULE;
    requirement->state = OPTION_ABSENT;
    requirement->best = options;
    for (char *rest = options, *option; (option = strsep(&rest, "|"));) {
        enum kernel_option_state state = state_of(config, option);
        if (state > requirement->state) {
            requirement->state = state;
            requirement->best = option;
        }
    }
    bool there = requirement->state >= enough;
    requirement->met = requirement->need == FORBIDDEN ? !there : there;
}

int kernel_config_check(const json_t *config, kernel_requirement_visitor *visit, void *context,
                        struct error *err) {
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
        autofree char *options = strdup(requirement.options);
        judge(config, options, &requirement);
        visit(&requirement, context);
    }
    return text ? 0 : -1;
}
