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

int apt_parse_distribution(const char *text, struct distribution *distribution, struct error *err) {
    static const char names[] = "abcdefghijklmnopqrstuvwxyz";
    *distribution = (struct distribution){0};
    const char *colon = strchr(text, ':'), *at = strchr(text, '@');
    size_t id = colon ? (size_t)(colon - text) : 0;
    size_t codename = colon ? strcspn(colon + 1, "@") : 0;
    bool known = (id == 6 && strncmp(text, "debian", id) == 0) ||
                 (id == 6 && strncmp(text, "ubuntu", id) == 0);
    if (!known || !codename || codename >= sizeof distribution->codename ||
        strspn(colon + 1, names) != codename)
        return error_usage(err,
                           "'%s' is no distribution: debian:RELEASE or ubuntu:RELEASE, as "
                           "ubuntu:noble, with @MIRROR behind it where apt has none",
                           text);
    if (at && (strncmp(at + 1, "http", 4) != 0 || strpbrk(at, " \t\n") ||
               strlen(at + 1) >= sizeof distribution->mirror))
        return error_usage(err, "'%s' is no mirror: its address begins with http", at + 1);
    snprintf(distribution->id, sizeof distribution->id, "%.*s", (int)id, text);
    snprintf(distribution->codename, sizeof distribution->codename, "%.*s", (int)codename,
             colon + 1);
    snprintf(distribution->mirror, sizeof distribution->mirror, "%s", at ? at + 1 : "");
    return 0;
}

/* CODENAME itself, -updates, -security: what a machine of that release runs. */
static bool belongs(const char *release, const char *codename) {
    size_t length = strlen(codename);
    if (strncmp(release, codename, length) != 0)
        return false;
    return !release[length] || strcmp(release + length, "-updates") == 0 ||
           strcmp(release + length, "-security") == 0;
}

/* What the host's apt knows: lines "URI RELEASE COMPONENT". NULL on failure. */
static char *list_targets(struct error *err) {
    const char *const arguments[] = {"apt-get",
                                     "indextargets",
                                     "--format",
                                     "$(REPO_URI) $(RELEASE) $(COMPONENT)",
                                     "Identifier: Packages",
                                     NULL};
    return process_output(arguments, NULL, err);
}

/* The sources of the release `known`, for `wanted`. */
static char *translate(char *targets, const char *known, const char *wanted) {
    char *sources = strdup("");
    for (char *line; (line = strsep(&targets, "\n"));) {
        char uri[512], release[64], component[64];
        if (sscanf(line, "%511s %63s %63s", uri, release, component) != 3 ||
            !belongs(release, known))
            continue;
        autofree char *entry =
            format_string("deb %s %s%s %s\n", uri, wanted, release + strlen(known), component);
        if (strstr(sources, entry)) /* one line per architecture */
            continue;
        char *longer = format_string("%s%s", sources, entry);
        free(sources);
        sources = longer;
    }
    return sources;
}

/* "[signed-by=…] " where this computer has the distribution's keys,
 * else "": apt's own then must do. */
static char *signature(const struct distribution *distribution) {
    autofree char *keys =
        format_string("/usr/share/keyrings/%s-archive-keyring.gpg", distribution->id);
    return file_exists(keys) ? format_string("[signed-by=%s] ", keys) : strdup("");
}

/* Where it has what: Ubuntu's crun is in universe. */
static char *sources_of_mirror(const struct distribution *distribution) {
    bool ubuntu = strcmp(distribution->id, "ubuntu") == 0;
    const char *components = ubuntu ? "main universe" : "main";
    static const char *const suites[] = {"", "-updates", "-security"};
    autofree char *signed_by = signature(distribution);
    char *sources = strdup("");
    for (size_t i = 0; i < (ubuntu ? 3 : 2); i++) { /* Debian's security is another address */
        char *longer =
            format_string("%sdeb %s%s %s%s %s\n", sources, signed_by, distribution->mirror,
                          distribution->codename, suites[i], components);
        free(sources);
        sources = longer;
    }
    return sources;
}

char *apt_sources(const struct distribution *distribution, struct error *err) {
    struct distribution host;
    if (*distribution->mirror)
        return sources_of_mirror(distribution);
    autofree char *targets = apt_distribution(&host, err) == 0 ? list_targets(err) : NULL;
    if (!targets)
        return NULL;
    autofree char *again = strdup(targets);
    char *sources = translate(targets, distribution->codename, distribution->codename);
    if (!*sources && strcmp(host.id, distribution->id) == 0) {
        free(sources);
        sources = translate(again, host.codename, distribution->codename);
    }
    if (*sources)
        return sources;
    free(sources);
    error_set(err,
              "apt knows no package source for %s: enable one and run `apt-get update` as root, or "
              "name a mirror: %s:%s@http://…",
              distribution->codename, distribution->id, distribution->codename);
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
