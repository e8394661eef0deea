#include "image/debian.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/process.h"
#include "image/apt.h"
#include "image/image.h"

/* What differs from one making to the next. */
static const char *const remove_traces =
    "--customize-hook=rm -rf \"$1\"/etc/resolv.conf \"$1\"/etc/hostname \"$1\"/etc/machine-id "
    "\"$1\"/var/cache/ldconfig \"$1\"/var/log/*";

char *debian_packages(const char *list_file, struct error *err) {
    autofree char *text = file_read(list_file, NULL, err);
    char *list = text ? strdup("") : NULL;
    for (char *place = text, *line; text && (line = strsep(&place, "\n"));) {
        if (!*line || *line == '#')
            continue;
        size_t length = strlen(line);
        if (line[length - 1] == '?') {
            line[length - 1] = '\0';
            if (!apt_has(line))
                continue;
        }
        char *longer = format_string("%s%s%s", list, *list ? "," : "", line);
        free(list);
        list = longer;
    }
    return list;
}

/* mmdebstrap ends with words of its own; the reason is the first error that it, or apt, told of.
 * Whether that is the network's. */
static bool explain(const char *what, const char *log, struct error *err) {
    autofree char *text = file_read(log, NULL, NULL);
    for (char *place = text, *line; text && (line = strsep(&place, "\n"));) {
        if (strncmp(line, "E: ", 3) != 0)
            continue;
        error_set(err, "cannot make %s: mmdebstrap: %s", what, line + 3);
        if (!strstr(line, "Failed to fetch"))
            return false;
        error_hint(err, "check the network, and run `apt-get update` as root");
        return true;
    }
    return false;
}

int debian_make(const struct debian *debian, const struct store_entry *entry, const char *tar,
                struct error *err) {
    struct distribution distribution;
    if (debian->distribution)
        distribution = *debian->distribution;
    else if (apt_distribution(&distribution, err) < 0)
        return -1;
    autofree char *sources = apt_sources(&distribution, err);
    autofree char *log = store_file(entry, "log");
    autofree char *list = store_file(entry, "sources.list");
    if (!sources || file_write(list, sources, strlen(sources), err) < 0)
        return -1;
    autofree char *include = format_string("--include=%s", debian->packages);
    autofree char *hook =
        format_string("--customize-hook=%s", debian->hook ? debian->hook : "true");
    const char *const arguments[] = {"mmdebstrap",
                                     geteuid() == 0 ? "--mode=root" : "--mode=unshare",
                                     "--variant=essential",
                                     include,
                                     "--dpkgopt=path-exclude=/usr/share/doc/*",
                                     "--dpkgopt=path-exclude=/usr/share/man/*",
                                     "--dpkgopt=path-exclude=/usr/share/info/*",
                                     "--dpkgopt=path-exclude=/usr/share/locale/*",
                                     "--dpkgopt=path-exclude=/usr/share/lintian/*",
                                     "--aptopt=Apt::Install-Recommends \"false\"",
                                     debian->devices ? "--customize-hook=true"
                                                     : "--skip=output/dev",
                                     hook,
                                     remove_traces,
                                     "--customize-hook=echo slsuite >\"$1\"/etc/hostname",
                                     distribution.codename,
                                     tar,
                                     list,
                                     NULL};
    const char *const environment[] = {IMAGE_EPOCH, NULL};
    struct process_options options = {
        .environment = environment, .log = log, .timeout_seconds = 1200, .folder = entry->work};
    if (process_run(arguments, &options, err) == 0)
        return 0;
    autofree char *kept = format_string("%s/rootfs.log", paths_cache());
    file_copy(log, kept, NULL);
    bool network = explain(debian->what, log, err);
    error_hint(err, "the whole log is %s", kept);
    if (geteuid() != 0 && !network)
        error_hint(
            err,
            "an ordinary user needs newuidmap and a line in /etc/subuid: see `slsuite doctor`");
    return -1;
}
