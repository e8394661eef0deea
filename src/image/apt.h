/* The host's own package sources: what the guest's kernel and root file system are made from. */
#ifndef SLS_IMAGE_APT_H
#define SLS_IMAGE_APT_H

#include <stdbool.h>

#include "common/error.h"

/* A release of Debian or Ubuntu. */
struct distribution {
    char id[32];       /* debian, ubuntu */
    char codename[32]; /* bookworm, trixie, noble, … */
    char mirror[256];  /* where its packages are; "": the host's sources */
};

/* Read "ubuntu:noble", or with a mirror "ubuntu:noble@http://…"; a usage error otherwise. */
int apt_parse_distribution(const char *text, struct distribution *distribution, struct error *err);

/* The host's, from os-release. */
int apt_distribution(struct distribution *distribution, struct error *err);

/* The sources for that distribution (release, updates and security; no backports), as the lines of
 * a sources.list: the host's, those that the host has for another release of the same distribution,
 * or the mirror. The caller frees it. NULL when apt knows none. */
char *apt_sources(const struct distribution *distribution, struct error *err);

/* Whether there is such a package, not only a name that others provide. */
bool apt_has(const char *package);

/* The version that would be installed. The caller frees it; NULL with an error: apt knows none. */
char *apt_version(const char *package, struct error *err);

/* Download a package, with what `apt-get update` last saw, into a folder. */
int apt_download(const char *package, const char *folder, const char *log, struct error *err);

/* The package that a meta package depends on,
 * whose name starts with `prefix`. The caller frees it. */
char *apt_dependency(const char *meta, const char *prefix, struct error *err);

#endif
