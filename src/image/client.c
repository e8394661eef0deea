#include "image/client.h"

#include <glob.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/yaml_json.h"

/* Behind a kind there is nothing, or a language. */
static bool is_language(const char *text) {
    static const char *const languages[] = {"",      "-c",      "-cpp",  "-go",     "-java",
                                            "-node", "-nodejs", "-ruby", "-python", "-rust"};
    for (size_t i = 0; i < sizeof languages / sizeof *languages; i++)
        if (strcmp(text, languages[i]) == 0)
            return true;
    return false;
}

static bool is_of_kind(const char *name, const char *kind) {
    for (const char *found = name; (found = strstr(found, kind)); found++)
        if ((found == name || found[-1] == '-') && is_language(found + strlen(kind)))
            return true;
    return false;
}

/* The kind of function a name tells of is a folder of functions/. NULL: none. The caller frees it,
 * and a function.yaml in that folder. */
static char *find_kind(const char *name, char **yaml) {
    autofree char *pattern = format_string("%s/*/*/function.yaml", paths_functions());
    char *kind = NULL;
    glob_t found;
    *yaml = NULL;
    if (glob(pattern, 0, NULL, &found) != 0)
        return NULL;
    for (size_t i = 0; i < found.gl_pathc && !*yaml; i++) {
        const char *folder = found.gl_pathv[i] + strlen(paths_functions()) + 1;
        free(kind);
        kind = strndup(folder, strcspn(folder, "/"));
        if (is_of_kind(name, kind))
            *yaml = strdup(found.gl_pathv[i]);
    }
    globfree(&found);
    if (*yaml)
        return kind;
    free(kind);
    return NULL;
}

bool client_is_known(const char *name) {
    autofree char *yaml = NULL;
    autofree char *kind = find_kind(name, &yaml);
    return kind != NULL;
}

/* The value of an option, which may begin with one dash or two. NULL: it is not given. */
static const char *option_value(const json_t *options, const char *name) {
    size_t index;
    json_t *option;
    json_array_foreach(options, index, option) {
        const char *text = json_string_value(option);
        text += *text == '-';
        text += *text == '-';
        if (strcmp(text, name) == 0)
            return json_string_value(json_array_get(options, index + 1));
    }
    return NULL;
}

/* Options, whatever was given. */
static json_t *spell(const json_t *given) {
    json_t *options = json_array(), *copy = json_copy((json_t *)given);
    const char *first = json_string_value(json_array_get(given, 0));
    if (first && *first != '-')
        json_array_append_new(options, json_string("-function"));
    json_array_extend(options, copy);
    json_decref(copy);
    return options;
}

int client_find(const char *name, const json_t *given, json_t **client, char **service,
                struct error *err) {
    static const char ways[] = "--client NAME of a function of ours that answers alike, or "
                               "--client '-method /PACKAGE.Service/Method -no-verify'";
    json_t *options = given ? spell(given) : json_array();
    const char *method = option_value(options, "method");
    const char *like = given ? option_value(options, "function") : name;
    autofree char *path = NULL;
    autofree char *kind = like ? find_kind(like, &path) : NULL;
    if (!method && !kind) {
        json_decref(options);
        return given ? error_usage(err, "%s: its client's options name no service: give %s", name,
                                   ways)
                     : error_usage(err, "%s: its name does not tell its service: give %s", name,
                                   ways);
    }
    json_t *yaml = method ? json_object() : yaml_read(path, err);
    if (yaml) {
        *service = strdup(method ?: json_string_value(json_object_get(yaml, "service")) ?: "");
        if (!given) {
            json_array_append_new(options, json_string("-function"));
            json_array_append_new(options, json_string(kind));
        }
        *client = json_incref(options);
    }
    json_decref(options);
    json_decref(yaml);
    return yaml ? 0 : -1;
}
