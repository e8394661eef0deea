#include "image/entry_point.h"

#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/elf_program.h"
#include "common/file.h"
#include "image/service.h"

#define MOST_SCRIPTS 4 /* one the interpreter of the other: Linux takes no more */

static bool find(const char *root, const char *path, struct stat *about) {
    autofree char *file = format_string("%s/%s", root, path);
    return stat(file, about) == 0 && S_ISREG(about->st_mode);
}

/* Of "#! PATH ARGUMENT", the path. NULL: it is no script. */
static char *read_script(const char *bytes) {
    if (strncmp(bytes, "#!", 2) != 0)
        return NULL;
    const char *begin = bytes + 2 + strspn(bytes + 2, " \t");
    return strndup(begin, strcspn(begin, " \t\r\n"));
}

static int check_program(const char *root, const char *path, unsigned scripts, struct error *err) {
    autofree char *file = format_string("%s/%s", root, path), *interpreter = NULL;
    struct stat about;
    size_t size;
    if (!find(root, path, &about))
        return error_set(err, "cannot run %s: the image has no such file: name it in `files`",
                         path);
    if (!(about.st_mode & S_IXUSR))
        return error_set(err, "cannot run %s: it is not executable: chmod +x it", path);
    autofree char *bytes = file_read(file, &size, err);
    autofree char *script = bytes ? read_script(bytes) : NULL;
    if (!bytes || (!script && elf_program_check(path, bytes, size, &interpreter, err) < 0))
        return -1;
    if (script && (!find(root, script, &about) || scripts == MOST_SCRIPTS))
        return error_set(err,
                         "cannot run %s: it is a script for %s, which the image does not have: "
                         "start a static program instead",
                         path, script);
    if (interpreter && !find(root, interpreter, &about))
        return error_set(err,
                         "cannot run %s: it is linked dynamically, and the image does not have "
                         "what loads it, %s: link it statically",
                         path, interpreter);
    return script        ? check_program(root, script, scripts + 1, err)
           : interpreter ? check_program(root, interpreter, MOST_SCRIPTS, err)
                         : 0;
}

static int check(const json_t *words, const char *root, struct error *err) {
    const char *path = json_string_value(json_array_get(words, 0)) ?: "";
    if (*path != '/')
        return error_set(err,
                         "the entry point '%s' must be a path in the image, as /server is of the "
                         "file server",
                         path);
    return check_program(root, path, 0, err);
}

int entry_points_check(const json_t *yaml, const char *root, struct error *err) {
    json_t *services = json_object_get(yaml, "services"), *service;
    const char *name;
    int result = check(json_object_get(yaml, "entrypoint"), root, err);
    json_object_foreach(services, name, service) {
        if (result == 0 && service_layers(service) == LAYERS_OF_FUNCTION)
            result = check(json_object_get(service, "entrypoint"), root, err);
    }
    return result;
}
