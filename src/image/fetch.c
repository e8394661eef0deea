#include "image/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jansson.h>
#include <nettle/base64.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/process.h"

#define DOCKER "docker://"
#define TIMEOUT_SECONDS 3600 /* a large image over a slow line */

size_t fetch_transport(const char *source) {
    static const char *const transports[] = {DOCKER, "oci:", "docker-archive:"};
    for (size_t i = 0; i < sizeof transports / sizeof *transports; i++)
        if (strncmp(source, transports[i], strlen(transports[i])) == 0)
            return strlen(transports[i]);
    return 0;
}

int fetch_check(const char *source, struct error *err) {
    size_t transport = fetch_transport(source);
    if (transport && source[transport])
        return 0;
    return error_usage(err,
                       "%s: unknown kind of image: it must be docker://HOST/NAME:TAG, "
                       "oci:FOLDER[:TAG] or docker-archive:FILE",
                       source);
}

/* HOST[:PORT] of docker://HOST[:PORT]/NAME. The caller frees it. */
static char *registry_of(const char *source) {
    const char *name = source + strlen(DOCKER);
    return strndup(name, strcspn(name, "/"));
}

static bool is_here(const char *registry) {
    static const char *const here[] = {"127.0.0.1", "localhost", "[::1]"};
    for (size_t i = 0; i < sizeof here / sizeof *here; i++) {
        size_t length = strlen(here[i]);
        if (strncmp(registry, here[i], length) == 0 &&
            (!registry[length] || registry[length] == ':'))
            return true;
    }
    return false;
}

/* The one line of the file. NULL on failure, and never a part of it in the error. */
static char *read_credentials(const char *path, struct error *err) {
    char *line = file_read(path, NULL, err);
    if (!line)
        return NULL;
    line[strcspn(line, "\r\n")] = '\0';
    if (strchr(line, ':') && *line != ':')
        return line;
    free(line);
    error_set(err, "%s: no credentials: it must hold one line USER:PASSWORD", path);
    return NULL;
}

/* auth.json as skopeo wants it, in memory only: others see a command line, and a file stays. */
static int open_auth(const char *source, const char *credentials, struct error *err) {
    autofree char *line = read_credentials(credentials, err);
    if (!line)
        return -1;
    size_t length = strlen(line);
    autofree char *registry = registry_of(source);
    autofree char *encoded = calloc(1, BASE64_ENCODE_RAW_LENGTH(length) + 1);
    if (!encoded)
        abort();
    base64_encode_raw(encoded, length, (const uint8_t *)line);
    json_t *auth = json_pack("{s: {s: {s: s}}}", "auths", registry, "auth", encoded);
    autofree char *text = json_dumps(auth, 0);
    json_decref(auth);
    int fd = memfd_create("auth.json", 0); /* open in skopeo, too */
    if (fd >= 0 && text && write(fd, text, strlen(text)) == (ssize_t)strlen(text))
        return fd;
    if (fd >= 0)
        close(fd);
    return error_errno(err, "cannot hand the credentials on to skopeo");
}

/* skopeo's log line is time="…" level=fatal msg="initializing source SOURCE: WHY": keep WHY. */
static void keep_message(char *text, const char *source) {
    static const char begin[] = "msg=\"";
    autofree char *known = format_string("initializing source %s", source);
    const char *from = strstr(text, begin);
    char *to = text;
    if (!from)
        return;
    from += strlen(begin);
    if (strncmp(from, known, strlen(known)) == 0)
        from += strlen(known) + strspn(from + strlen(known), ": ");
    for (; *from && *from != '"'; from++) {
        if (*from == '\\' && from[1])
            from++;
        *to++ = *from;
    }
    *to = '\0';
}

/* What to do, by what skopeo says. */
static const char *remedy(const char *why) {
    static const struct {
        const char *text, *remedy;
    } known[] = {
        {"cannot start", "then add it again"},
        {"server gave HTTP response",
         "it speaks plain HTTP: --insecure, if you trust the way there"},
        {"x509", "its certificate is not trusted: --insecure, if you trust the way there"},
        {"connection refused", "see that the registry runs, and its address"},
        {"no such host", "see the registry's address"},
        {"i/o timeout", "see the registry's address, and the network"},
        {"no basic auth", "it wants credentials: --creds-file FILE with a line USER:PASSWORD"},
        {"unauthorized", "see the credentials: --creds-file FILE with a line USER:PASSWORD"},
        {"authentication required",
         "see the credentials: --creds-file FILE with a line USER:PASSWORD"},
        {"no image found in", "there must be one for linux/amd64"},
        {"manifest unknown", "see its name and tag"},
        {"no such file", "see its place"},
        {"igest", "it is damaged where it lies: push or write it there again"},
        {"unexpected EOF", "it is damaged where it lies: push or write it there again"},
        {"invalid reference", "it must read docker://HOST/NAME:TAG"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strstr(why, known[i].text))
            return known[i].remedy;
    return "see whether `skopeo inspect` knows it";
}

/* The host's policy says whose images are trusted; where there is none, all are. */
static bool has_policy(void) {
    autofree char *own = format_string("%s/.config/containers/policy.json", getenv("HOME") ?: "");
    return file_exists(own) || file_exists("/etc/containers/policy.json");
}

int fetch_image(const char *source, const char *layout, const struct fetch_options *options,
                const char *log, struct error *err) {
    bool remote = strncmp(source, DOCKER, strlen(DOCKER)) == 0;
    autofree char *registry = remote ? registry_of(source) : strdup("");
    autofree char *to = format_string("oci:%s:latest", layout);
    autoclose int auth = -1;
    if (remote && options->credentials && (auth = open_auth(source, options->credentials, err)) < 0)
        return -1;
    autofree char *auth_file = format_string("/proc/self/fd/%d", auth);
    const char *arguments[20] = {"skopeo", "--override-os", "linux", "--override-arch", "amd64"};
    size_t count = 5;
    if (!has_policy())
        arguments[count++] = "--insecure-policy";
    arguments[count++] = "copy";
    arguments[count++] = "--quiet";
    arguments[count++] = "--dest-compress"; /* what is not: umoci reads nothing newer than gzip */
    arguments[count++] = "--dest-compress-format";
    arguments[count++] = "gzip";
    if (auth >= 0) {
        arguments[count++] = "--src-authfile";
        arguments[count++] = auth_file;
    }
    if (remote && (options->insecure || is_here(registry)))
        arguments[count++] = "--src-tls-verify=false";
    arguments[count++] = source;
    arguments[count++] = to;
    struct process_options run = {.log = log, .timeout_seconds = TIMEOUT_SECONDS};
    struct error why = {0};
    if (process_run(arguments, &run, &why) == 0)
        return 0;
    keep_message(why.text, source);
    return error_set(err, "cannot get %s: %s: %s", source, why.text, remedy(why.text));
}
