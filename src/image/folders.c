#include "image/folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "image/oci.h"

#define MODE 0755
#define MODE_EMPTY 01777 /* as Docker's tmpfs */

/* Of a container's path, below its root, links within it followed there. -1: it is not there. */
static int open_inside(int root, const char *path) {
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
    return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

static bool is_empty(int folder) {
    DIR *stream = fdopendir(dup(folder));
    size_t count = 0;
    while (stream && readdir(stream))
        count++;
    if (stream)
        closedir(stream);
    return count <= 2; /* . and .. */
}

/* Where the longest part of the path that is there really lies, from the root, without the slash at
 * its beginning; *rest is what is not there. NULL with an error. */
static char *find_beginning(int root, const char *path, const char **rest, struct error *err) {
    autofree char *begin = strdup(path);
    char real[4096], top[4096];
    for (;;) {
        char *slash = strrchr(begin, '/');
        *(slash == begin ? slash + 1 : slash) = '\0';
        autoclose int folder = open_inside(root, begin);
        if (folder < 0 && errno == ENOENT && slash != begin)
            continue;
        autofree char *link = format_string("/proc/self/fd/%d", folder);
        autofree char *root_link = format_string("/proc/self/fd/%d", root);
        ssize_t length = folder < 0 ? -1 : readlink(link, real, sizeof real - 1);
        ssize_t above = readlink(root_link, top, sizeof top);
        if (length < above || above < 0) {
            error_errno(err, "%s: cannot be made in the image", path);
            return NULL;
        }
        real[length] = '\0';
        *rest = path + (slash == begin ? 0 : strlen(begin));
        *rest += strspn(*rest, "/");
        return strdup(real[above] ? real + above + 1 : "");
    }
}

/* Make what is missing of it below `place`, and remember that. */
static int make(int root, const char *path, const char *place, mode_t mode, json_t *names,
                struct error *err) {
    const char *rest;
    autofree char *begin = find_beginning(root, path, &rest, err);
    if (!begin)
        return -1;
    for (size_t length = strcspn(rest, "/"); *rest; length += strcspn(rest + length, "/")) {
        autofree char *name =
            format_string("%s%s%.*s", begin, *begin ? "/" : "", (int)length, rest);
        autofree char *made = format_string("%s/%s", place, name);
        bool is_last = !rest[length + strspn(rest + length, "/")];
        if (folder_make(made, err) < 0 || chmod(made, is_last ? mode : MODE) < 0)
            return -1;
        json_array_append_new(names, json_string(name));
        if (is_last)
            return 0;
        length += strspn(rest + length, "/");
    }
    return 0;
}

static int look(int root, const char *path, bool must_be_empty, const char *place, json_t *names,
                struct error *err) {
    autoclose int folder = open_inside(root, path);
    if (folder < 0 && errno == ENOENT)
        return make(root, path, place, must_be_empty ? MODE_EMPTY : MODE, names, err);
    if (folder < 0)
        return error_errno(err, "%s: cannot be a folder of the container", path);
    return must_be_empty && !is_empty(folder)
               ? error_set(err, "tmpfs: %s: the image has files there: nothing can hide them", path)
               : 0;
}

static int look_at_all(const char *layout, int root, const json_t *how, const char *place,
                       json_t *names, struct error *err) {
    json_t *image = oci_config(layout, err), *kind;
    const char *own = json_string_value(
                   json_object_get(json_object_get(image, "config"), "WorkingDir")),
               *path;
    int result = image ? 0 : -1;
    if (own && *own == '/')
        result = look(root, own, false, place, names, err);
    json_object_foreach(json_object_get(how, "folders"), path, kind) {
        if (result == 0)
            result = look(root, path, json_is_null(kind), place, names, err);
    }
    json_decref(image);
    return result;
}

int folders_add(const char *layout, const char *root, const json_t *how, const char *place,
                const char *log, struct error *err) {
    autofree char *tar = format_string("%s.tar", place);
    autoclose int top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    json_t *names = json_array();
    int result = top < 0 ? error_errno(err, "cannot open %s", root)
                         : look_at_all(layout, top, how, place, names, err);
    if (result == 0 && json_array_size(names))
        result = oci_add_empty(layout, place, names, tar, log, err);
    json_decref(names);
    unlink(tar);
    return folder_remove(place, result < 0 ? NULL : err) < 0 ? -1 : result;
}
