/* slsuite kernel build: a kernel of one's own; slsuite kernel check: whether one is configured for
 * containers and for the simulators. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "cli/command.h"
#include "cli/verdict.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "image/image.h"
#include "image/kernel_build.h"
#include "image/kernel_config.h"

static const char *const all_users[] = {"containers", "docker", "sim", "gem5"};
enum { USERS = sizeof all_users / sizeof *all_users };

struct request {
    const char *action, *config;
    struct kernel_build_options build;
    bool wanted[USERS]; /* --for; none: all */
    struct error *err;
};

static const struct argp_option options[] = {
    {"for", 'f', "WHO,…", 0, "check: only for containers, docker, sim, gem5 (all)", 0},
    {"version", 'v', "VERSION", 0, "build: of the distribution's linux-source-VERSION (newest)", 0},
    {"source", 's', "PATH", 0, "build: of this tree of source, or tar of one, instead", 0},
    {"config", 'c', "FRAGMENT", 0, "build: a file of further options, CONFIG_NAME=y", 0},
    {0},
};

static int find_user(const char *name) {
    for (int i = 0; i < USERS; i++)
        if (strcmp(all_users[i], name) == 0)
            return i;
    return -1;
}

static int want(struct request *request, const char *names) {
    autofree char *copy = strdup(names);
    for (char *rest = copy, *name; (name = strsep(&rest, ","));) {
        int user = find_user(name);
        if (user < 0)
            return error_usage(request->err, "--for %s: there are containers, docker, sim and gem5",
                               name);
        request->wanted[user] = true;
    }
    return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct request *request = state->input;
    switch (key) {
    case 'f':
        return want(request, argument) < 0 ? command_refuse(state) : 0;
    case 'v':
        request->build.version = argument;
        return 0;
    case 's':
        request->build.source = argument;
        return 0;
    case 'c':
        request->build.fragment = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (!request->action && (strcmp(argument, "check") == 0 || strcmp(argument, "build") == 0))
            request->action = argument;
        else if (request->action && *request->action == 'c' && !request->config)
            request->config = argument;
        else
            return EINVAL;
        return 0;
    case ARGP_KEY_END:
        return request->action ? 0 : EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* This computer's kernel's configuration, a file; NULL with an error. The caller frees it. */
static char *find_running(struct error *err) {
    struct utsname system;
    uname(&system);
    autofree char *boot = format_string("/boot/config-%s", system.release);
    const char *const places[] = {"/proc/config.gz", boot};
    for (int i = 0; i < 2; i++)
        if (file_exists(places[i]))
            return strdup(places[i]);
    error_set(
        err,
        "the configuration of this computer's kernel is neither in %s nor in %s: give the file",
        places[0], places[1]);
    return NULL;
}

/* The guest's, unless another is named. */
static char *find_config(const struct request *request, struct error *err) {
    if (request->config)
        return strcmp(request->config, "running") == 0 ? find_running(err)
                                                       : strdup(request->config);
    struct image image = {0};
    char *config = kernel_prepare(&image, err) == 0 ? strdup(image.kernel_config) : NULL;
    image_free(&image);
    return config;
}

struct report {
    const struct request *request;
    const char *title;       /* of the last section */
    unsigned missing[USERS]; /* needed, or forbidden and there */
    unsigned shown[USERS];
    char younger[USERS][80]; /* options than the kernel, with commas */
    const struct kernel_config *config;
};

/* What became of the requirement. The caller frees it. */
static char *detail_of(const struct report *report, const struct kernel_requirement *requirement) {
    static const char *const states[] = {
        [OPTION_ABSENT] = "missing", [OPTION_MODULE] = "module", [OPTION_BUILT_IN] = "built in"};
    bool forbidden = requirement->need == FORBIDDEN;
    const char *state =
        forbidden && requirement->state == OPTION_ABSENT ? "left out" : states[requirement->state];
    if (requirement->since)
        return format_string("always there in Linux %s: an option since %u.%u only",
                             report->config->release, requirement->since / 1000,
                             requirement->since % 1000);
    if (requirement->met)
        return strdup(state);
    return format_string("%s%s: %s", state,
                         forbidden                             ? ", must not be there"
                         : requirement->state == OPTION_MODULE ? ", must be built in"
                                                               : "",
                         requirement->why);
}

static void note_younger(char list[80], const char *option) {
    size_t length = strlen(list);
    if (!strstr(list, option))
        snprintf(list + length, 80 - length, "%s%s", length ? ", " : "", option);
}

static void show(const struct kernel_requirement *requirement, void *context) {
    struct report *report = context;
    int user = find_user(requirement->who);
    if (user < 0 || !report->request->wanted[user])
        return;
    if (!report->title || strcmp(report->title, requirement->title) != 0)
        printf("%s%s\n", report->title ? "\n" : "", requirement->title);
    report->title = requirement->title;
    report->shown[user]++;
    bool needed = requirement->need != OPTIONAL;
    report->missing[user] += needed && !requirement->met;
    if (requirement->since)
        note_younger(report->younger[user], requirement->options);
    autofree char *detail = detail_of(report, requirement);
    verdict_print(requirement->met ? GOOD
                  : needed         ? BAD
                                   : ABSENT_OPTIONAL,
                  36,
                  requirement->state == OPTION_ABSENT ? requirement->options : requirement->best,
                  detail, NULL);
}

/* The exit status. */
static int conclude(const struct report *report) {
    int status = 0;
    putchar('\n');
    for (int user = 0; user < USERS; user++) {
        if (!report->shown[user])
            continue;
        const char *younger = report->younger[user];
        autofree char *but = *younger ? format_string(" (not asked for, younger than Linux %s: %s)",
                                                      report->config->release, younger)
                                      : strdup("");
        autofree char *detail =
            report->missing[user]
                ? format_string("not ready: %u of what is necessary%s", report->missing[user], but)
                : format_string("ready%s", but);
        verdict_print(report->missing[user] ? BAD : GOOD, 12, all_users[user], detail, NULL);
        status |= report->missing[user] != 0;
    }
    return status;
}

static int check(struct request *request) {
    bool any = false;
    for (int i = 0; i < USERS; i++)
        any |= request->wanted[i];
    for (int i = 0; i < USERS && !any; i++)
        request->wanted[i] = true;
    autofree char *path = find_config(request, request->err);
    struct kernel_config config;
    struct report report = {.request = request, .config = &config};
    if (!path || kernel_config_read(&config, path, request->err) < 0)
        return -1;
    printf("%s\n", path);
    if (config.version)
        printf("Linux %s\n\n", config.release);
    else
        puts("no head that tells the version: options are asked for as of the newest kernel\n");
    int result = kernel_config_check(&config, show, &report, request->err);
    if (result == 0)
        result = conclude(&report);
    kernel_config_free(&config);
    return result;
}

static int build(const struct request *request) {
    struct image image = {0};
    int result = kernel_build(&request->build, &image, request->err);
    if (result == 0)
        printf("version    %s\nbzImage    %s  (QEMU: slsuite run FUNCTION --kernel custom)\n"
               "vmlinux    %s  (gem5)\nconfig     %s\n",
               image.kernel_version, image.kernel, image.vmlinux, image.kernel_config);
    image_free(&image);
    return result;
}

int command_kernel(int argc, char **argv, struct error *err) {
    static const struct argp argp = {
        options,
        parse,
        "build\ncheck [CONFIG|running]",
        "Build a kernel with all built in that containers and the simulators need. Or check "
        "whether one is configured so: the guest's, this computer's (running), or that of a file, "
        "also a compressed one, a pipe (-), or a kernel that has its own in it; exit status 1 if "
        "something necessary is missing.",
        NULL,
        NULL,
        NULL};
    struct request request = {.err = err};
    if (command_parse(&argp, argc, argv, &request, err) < 0)
        return -1;
    return *request.action == 'b' ? build(&request) : check(&request);
}
