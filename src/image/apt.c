#include "image/apt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/process.h"

static void read_field(const char *text, const char *name, char *value, size_t size) {
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        size_t length = strlen(name);
        if (strncmp(line, name, length) != 0 || line[length] != '=')
            continue;
        line += length + 1;
        line += *line == '"';
        snprintf(value, size, "%.*s", (int)strcspn(line, "\"\n"), line);
        return;
    }
}

int apt_distribution(struct distribution *distribution, struct error *err) {
    *distribution = (struct distribution){0};
    autofree char *text = file_read("/etc/os-release", NULL, err);
    if (!text)
        return -1;
    read_field(text, "ID", distribution->id, sizeof distribution->id);
    read_field(text, "VERSION_CODENAME", distribution->codename, sizeof distribution->codename);
    if ((strcmp(distribution->id, "debian") == 0 || strcmp(distribution->id, "ubuntu") == 0) &&
        distribution->codename[0])
        return 0;
    return error_set(err,
                     "cannot make the guest's image on %s: only Debian and Ubuntu hosts are "
                     "supported: use one of them, or a container of one",
                     distribution->id[0] ? distribution->id : "an unknown system");
}

/* CODENAME itself, -updates, -security: what a machine of that release runs. */
static bool belongs(const char *release, const char *codename) {
    size_t length = strlen(codename);
    if (strncmp(release, codename, length) != 0)
        return false;
    return !release[length] || strcmp(release + length, "-updates") == 0 ||
           strcmp(release + length, "-security") == 0;
}

char *apt_sources(const struct distribution *distribution, struct error *err) {
    const char *const arguments[] = {"apt-get",
                                     "indextargets",
                                     "--format",
                                     "$(REPO_URI) $(RELEASE) $(COMPONENT)",
                                     "Identifier: Packages",
                                     NULL};
    autofree char *text = process_output(arguments, NULL, err);
    if (!text)
        return NULL;
    char *sources = strdup("");
    for (char *place = text, *line; (line = strsep(&place, "\n"));) {
        char uri[512], release[64], component[64];
        if (sscanf(line, "%511s %63s %63s", uri, release, component) != 3 ||
            !belongs(release, distribution->codename))
            continue;
        autofree char *entry = format_string("deb %s %s %s\n", uri, release, component);
        if (strstr(sources, entry)) /* one line per architecture */
            continue;
        char *longer = format_string("%s%s", sources, entry);
        free(sources);
        sources = longer;
    }
    if (*sources)
        return sources;
    free(sources);
    error_set(err,
              "apt knows no package source for %s: enable one and run `apt-get update` as root",
              distribution->codename);
    return NULL;
}

bool apt_has(const char *package) {
    autofree char *version = apt_version(package, NULL);
    return version;
}

char *apt_version(const char *package, struct error *err) {
    static const char label[] = "Version: ";
    const char *const arguments[] = {"apt-cache", "show", "--no-all-versions", package, NULL};
    autofree char *text = process_output(arguments, NULL, err);
    const char *found = text ? strstr(text, label) : NULL;
    if (found)
        return strndup(found + sizeof label - 1, strcspn(found + sizeof label - 1, "\n"));
    if (text)
        error_set(err, "apt knows no package %s: sudo apt-get update", package);
    return NULL;
}

int apt_download(const char *package, const char *folder, const char *log, struct error *err) {
    const char *const arguments[] = {"apt-get", "download", package, NULL};
    struct process_options options = {.folder = folder, .log = log, .timeout_seconds = 600};
    if (process_run(arguments, &options, err) == 0)
        return 0;
    return error_hint(err, "check the network, and run `apt-get update` as root");
}

char *apt_dependency(const char *meta, const char *prefix, struct error *err) {
    const char *const arguments[] = {"apt-cache", "depends", meta, NULL};
    autofree char *text = process_output(arguments, NULL, err);
    for (char *place = text, *line; text && (line = strsep(&place, "\n"));) {
        char name[256];
        if (sscanf(line, " Depends: %255s", name) == 1 &&
            strncmp(name, prefix, strlen(prefix)) == 0)
            return strdup(name);
    }
    error_set(err, "apt knows no package %s: run `apt-get update` as root", meta);
    return NULL;
}
