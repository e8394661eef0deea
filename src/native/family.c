#include "native/family.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"

void family_threads(pid_t process, void (*visit)(void *context, pid_t process, pid_t thread),
                    void *context) {
    autofree char *folder = format_string("/proc/%d/task", process);
    DIR *tasks = opendir(folder);
    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        pid_t thread = atoi(task->d_name);
        if (thread <= 0)
            continue;
        visit(context, process, thread);
        autofree char *path = format_string("%s/%d/children", folder, thread);
        autofree char *children = file_read(path, NULL, NULL);
        for (char *place = children, *word; place && (word = strsep(&place, " \n"));)
            if (*word)
                family_threads(atoi(word), visit, context);
    }
    if (tasks)
        closedir(tasks);
}

static uint64_t memory_of(pid_t process) {
    autofree char *shares = format_string("/proc/%d/smaps_rollup", process);
    autofree char *pages = format_string("/proc/%d/statm", process);
    autofree char *told = file_read(shares, NULL, NULL);
    const char *line = told ? strstr(told, "\nPss:") : NULL;
    if (line)
        return strtoull(line + strlen("\nPss:"), NULL, 10) * 1024;
    autofree char *counts = file_read(pages, NULL, NULL);
    const char *resident = counts ? strchr(counts, ' ') : NULL;
    return resident ? strtoull(resident, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* A process once, by its first thread. */
static void add_memory(void *context, pid_t process, pid_t thread) {
    uint64_t *sum = context;
    if (process == thread)
        *sum += memory_of(process);
}

uint64_t family_memory(pid_t process) {
    uint64_t sum = 0;
    family_threads(process, add_memory, &sum);
    return sum;
}
