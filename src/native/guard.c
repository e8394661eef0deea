#include "native/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"

/* In a session of its own: what ends us by the terminal does not end it. */
static void become_guard(const char *script, const char *folder, int waits) {
    int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    setsid();
    if (nothing < 0 || dup2(waits, STDIN_FILENO) < 0 || dup2(nothing, STDOUT_FILENO) < 0 ||
        dup2(nothing, STDERR_FILENO) < 0 || chdir("/") < 0)
        _exit(126);
    execlp("sh", "sh", script, folder, NULL);
    _exit(127);
}

int guard_open(struct guard *guard, struct error *err) {
    autofree char *script = format_string("%s/remove-instances", paths_recipes());
    int ends[2];
    *guard = (struct guard){.life = -1};
    guard->folder = format_string("%s/slsuite-native-XXXXXX", getenv("TMPDIR") ?: "/tmp");
    if (!mkdtemp(guard->folder)) {
        error_errno(err, "cannot create %s", guard->folder);
        free(guard->folder);
        guard->folder = NULL;
        return -1;
    }
    if (pipe2(ends, O_CLOEXEC) == 0) {
        guard->life = ends[1];
        guard->id = fork();
        if (guard->id == 0)
            become_guard(script, guard->folder, ends[0]);
        close(ends[0]);
    }
    if (guard->id > 0)
        return 0;
    error_errno(err, "cannot start what clears %s away", guard->folder);
    folder_remove(guard->folder, NULL);
    guard_close(guard);
    return -1;
}

static int note(const struct guard *guard, const char *kind, const char *name, const char *runtime,
                struct error *err) {
    autofree char *folder = format_string("%s/%s", guard->folder, kind);
    autofree char *path = format_string("%s/%s", folder, name);
    autofree char *line = format_string("%s\n", runtime);
    return folder_make(folder, err) < 0 ? -1 : file_write(path, line, strlen(line), err);
}

int guard_note_instance(const struct guard *guard, const char *name, const char *runtime,
                        struct error *err) {
    return note(guard, "instances", name, runtime, err);
}

int guard_note_image(const struct guard *guard, const char *name, const char *runtime,
                     struct error *err) {
    return note(guard, "images", name, runtime, err);
}

void guard_forget_instance(const struct guard *guard, const char *name) {
    autofree char *path = format_string("%s/instances/%s", guard->folder, name);
    unlink(path);
}

void guard_close(struct guard *guard) {
    if (guard->life >= 0)
        close(guard->life);
    while (guard->id > 0 && waitpid(guard->id, NULL, 0) < 0 && errno == EINTR)
        ;
    free(guard->folder);
    *guard = (struct guard){.life = -1};
}
