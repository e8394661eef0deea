#include "image/compose_keys.h"

#include <string.h>

#define OFF " false no off "
#define AT_MOST 64 /* letters of a name that is compared */

/* In the order of the alphabet, as in docs/functions.md. */
const struct compose_key compose_keys[] = {
#define KEY(name, use, merge, harmless, what)                                                      \
    { name, COMPOSE_##use, COMPOSE_##merge, harmless, what }
    KEY("annotations", IDLE, BY_NAME, "", "nobody reads them"),
    KEY("attach", IDLE, REPLACE, "", "logs are in the run folder"),
    KEY("blkio_config", IDLE, DEEP, "", "there is no disk: all is in memory"),
    KEY("build", IDLE, REPLACE, "",
        "the service's `image` is taken; without one it is refused: build and push it first"),
    KEY("cap_add", REFUSED, APPEND,
        " CHOWN DAC_OVERRIDE FOWNER KILL NET_BIND_SERVICE SETGID SETUID ",
        "the container has CHOWN, DAC_OVERRIDE, FOWNER, KILL, NET_BIND_SERVICE, SETGID and SETUID; "
        "these may be named"),
    KEY("cap_drop", NAMED, APPEND, "",
        "the container has few capabilities as it is, and keeps them"),
    KEY("cgroup", REFUSED, REPLACE, " private ", "the container has a control group of its own"),
    KEY("cgroup_parent", IDLE, REPLACE, "", "core and group are the suite's to choose"),
    KEY("command", DONE, WORDS, "",
        "instead of the image's; null: the image's, `[]` or an empty text: none. A text is split "
        "into words; no shell"),
    KEY("configs", REFUSED, APPEND, "", "nothing is mounted: put it into the image"),
    KEY("container_name", DONE, REPLACE, "", "one more name under which others reach it"),
    KEY("cpu_count", NAMED, REPLACE, "", "a function has core 1, its services core 0"),
    KEY("cpu_percent", NAMED, REPLACE, "", "a function has core 1, its services core 0"),
    KEY("cpu_period", NAMED, REPLACE, "", "a function has core 1, its services core 0"),
    KEY("cpu_quota", NAMED, REPLACE, "", "a function has core 1, its services core 0"),
    KEY("cpu_rt_period", NAMED, REPLACE, "", "a function has core 1, its services core 0"),
    KEY("cpu_rt_runtime", NAMED, REPLACE, "", "a function has core 1, its services core 0"),
    KEY("cpu_shares", NAMED, REPLACE, "", "a function has core 1, its services core 0"),
    KEY("cpus", NAMED, REPLACE, "", "a function has core 1, its services core 0"),
    KEY("cpuset", NAMED, REPLACE, "", "a function has core 1, its services core 0"),
    KEY("credential_spec", REFUSED, DEEP, "", "it is for Windows"),
    KEY("depends_on", DONE, BY_NAME, "",
        "started first, up to eight; each counts as started, and as healthy, when it listens. "
        "`service_completed_successfully` is refused; `required: false` leaves out what is not "
        "there; `restart` has no effect"),
    KEY("deploy", NAMED, DEEP, "",
        "there is one container, without limits, with a core to itself. Only `resources` and "
        "`replicas` are named; `replicas: 0` and devices are refused"),
    KEY("develop", IDLE, DEEP, "", "nothing is watched"),
    KEY("device_cgroup_rules", REFUSED, APPEND, "", "the container has no devices"),
    KEY("devices", REFUSED, APPEND, "", "the container has no devices"),
    KEY("dns", IDLE, APPEND, "", "there is no name server: names are in /etc/hosts"),
    KEY("dns_opt", IDLE, APPEND, "", "there is no name server: names are in /etc/hosts"),
    KEY("dns_search", IDLE, APPEND, "", "there is no name server: names are in /etc/hosts"),
    KEY("domainname", NAMED, REPLACE, "", "the host's name is the function's"),
    KEY("entrypoint", DONE, WORDS, "",
        "instead of the image's, and of the image's command; null: the image's, `[]` or an empty "
        "text: none"),
    KEY("env_file", DONE, APPEND, "",
        "in order, each over the one before, `environment` over all; with `required` and `format: "
        "raw`"),
    KEY("environment", DONE, BY_NAME, "",
        "over the image's; a name without a value takes it from outside, and if there is none, the "
        "variable is removed, the image's too"),
    KEY("expose", DONE, APPEND, "", "as `ports`, where these name no TCP port"),
    KEY("extends", DONE, REPLACE, "", "of the same file or of another one, in chains"),
    KEY("external_links", REFUSED, APPEND, "", "there are no other containers: use `depends_on`"),
    KEY("extra_hosts", NAMED, BY_NAME, "", "nothing outside can be reached"),
    KEY("gpus", REFUSED, REPLACE, "", "the container has no devices"),
    KEY("group_add", REFUSED, APPEND, "", "a user has the groups that the image gives it"),
    KEY("healthcheck", IDLE, DEEP, "",
        "a service is healthy when it listens: nothing runs in the container but its program"),
    KEY("hostname", NAMED, REPLACE, "", "the host's name is the function's"),
    KEY("image", DONE, REPLACE, "",
        "from a registry unless it names a transport (`oci:`, `docker-archive:`)"),
    KEY("init", NAMED, REPLACE, OFF, "process 1 is the program itself"),
    KEY("ipc", REFUSED, REPLACE, " private shareable ", "none is shared with others"),
    KEY("isolation", REFUSED, REPLACE, " default ", "containers are Linux's name spaces"),
    KEY("label_file", IDLE, APPEND, "", "nobody reads them"),
    KEY("labels", IDLE, BY_NAME, "", "nobody reads them"),
    KEY("links", DONE, APPEND, "", "as `depends_on`; an alias is one more name of that service"),
    KEY("logging", IDLE, DEEP, "", "logs are in the run folder"),
    KEY("mac_address", NAMED, REPLACE, "", "addresses are the suite's to give"),
    KEY("mem_limit", NAMED, REPLACE, " 0 ", "the guest has 2 GB for all"),
    KEY("mem_reservation", NAMED, REPLACE, " 0 ", "the guest has 2 GB for all"),
    KEY("mem_swappiness", IDLE, REPLACE, "", "there is no swap"),
    KEY("memswap_limit", IDLE, REPLACE, "", "there is no swap"),
    KEY("models", REFUSED, BY_NAME, "", "there is nobody who serves them"),
    KEY("network_mode", REFUSED, REPLACE, " bridge default ",
        "each container has a network of its own, with the others of its function"),
    KEY("networks", DONE, BY_NAME, "",
        "`aliases` are further names; all containers of a function reach each other; other keys "
        "are named, fixed addresses refused"),
    KEY("oom_kill_disable", NAMED, REPLACE, OFF, "the guest has 2 GB for all"),
    KEY("oom_score_adj", NAMED, REPLACE, " 0 ", "the guest has 2 GB for all"),
    KEY("pid", REFUSED, REPLACE, "", "none is shared with others"),
    KEY("pids_limit", NAMED, REPLACE, " 0 -1 ", "there is no such limit"),
    KEY("platform", REFUSED, REPLACE, " linux/amd64 linux/x86_64 linux/amd64/v1 linux ",
        "the guest is linux/amd64"),
    KEY("ports", DONE, APPEND, "",
        "the container's first TCP port is where it listens, or 50051 if that is one of them; "
        "ranges are followed. What is published, where, and UDP have no effect: the client reaches "
        "the container itself"),
    KEY("post_start", REFUSED, APPEND, "",
        "nothing runs in the container but its program: put it into the entry point"),
    KEY("pre_start", REFUSED, APPEND, "",
        "nothing runs in the container but its program: put it into the entry point"),
    KEY("pre_stop", IDLE, APPEND, "", "the run is over then"),
    KEY("privileged", REFUSED, REPLACE, OFF, "the container has its usual rights"),
    KEY("profiles", DONE, APPEND, "",
        "of those that are active: `$COMPOSE_PROFILES`, and those of a service that is named"),
    KEY("provider", REFUSED, DEEP, "", "there is nobody who provides it: use an image"),
    KEY("pull_policy", REFUSED, REPLACE,
        " always never missing if_not_present daily weekly every_* ",
        "`build` is refused: nothing is built; an image is always fetched"),
    KEY("pull_refresh_after", IDLE, REPLACE, "", "an image is always fetched"),
    KEY("read_only", NAMED, REPLACE, OFF, "files can be written, in memory"),
    KEY("restart", IDLE, REPLACE, "", "what ends too early makes the run fail"),
    KEY("runtime", REFUSED, REPLACE, " runc crun io.containerd.runc.v2 ",
        "it is for `slsuite run --runtime` to say"),
    KEY("scale", NAMED, REPLACE, " 1 ", "there is one container; 0 is refused"),
    KEY("secrets", REFUSED, APPEND, "", "nothing is mounted: put it into the image"),
    KEY("security_opt", NAMED, APPEND, " no-new-privileges no-new-privileges:true ",
        "the container has the suite's own confinement, without new privileges"),
    KEY("shm_size", NAMED, REPLACE, " 64m 64M 64mb 64MB 67108864 ", "/dev/shm has 64 MB"),
    KEY("stdin_open", IDLE, REPLACE, "", "nobody types"),
    KEY("stop_grace_period", IDLE, REPLACE, "", "the run is over then"),
    KEY("stop_signal", IDLE, REPLACE, "", "the run is over then"),
    KEY("storage_opt", IDLE, BY_NAME, "", "there is no disk: all is in memory"),
    KEY("sysctls", REFUSED, BY_NAME, "", "the kernel's parameters are the image's: slsuite shell"),
    KEY("tmpfs", DONE, APPEND, "",
        "an empty folder in memory; refused where the image has files; options (`size`, `mode`) "
        "are "
        "named"),
    KEY("tty", NAMED, REPLACE, OFF, "there is no terminal"),
    KEY("ulimits", NAMED, DEEP, "", "4096 open files, all else without limit"),
    KEY("use_api_socket", REFUSED, REPLACE, OFF,
        "there is no container engine that could be asked"),
    KEY("user", DONE, REPLACE, "",
        "a user, perhaps a group, of the image's /etc/passwd and /etc/group, or numbers"),
    KEY("userns_mode", REFUSED, REPLACE, " host ", "there is no name space of users"),
    KEY("uts", REFUSED, REPLACE, "", "each container has a host's name of its own"),
    KEY("volumes", DONE, APPEND, "",
        "named and nameless ones, new: as the image has the folder, and gone after the run. One "
        "that two services have is two, which is said; of this computer, or `external`: refused"),
    KEY("volumes_from", REFUSED, APPEND, "", "nothing is shared: put it into the image"),
    KEY("working_dir", DONE, REPLACE, "", "instead of the image's; made if it is not there"),
    KEY("x-client", DONE, WORDS, "",
        "`--client` for this service; all other keys that begin with x- are nobody's"),
#undef KEY
};
const size_t compose_keys_count = sizeof compose_keys / sizeof *compose_keys;

const struct compose_key *compose_key_find(const char *name) {
    for (size_t i = 0; i < compose_keys_count; i++)
        if (strcmp(compose_keys[i].name, name) == 0)
            return &compose_keys[i];
    return NULL;
}

static size_t least(size_t one, size_t other) {
    return one < other ? one : other;
}

/* Letters to be put in, taken out or changed (Levenshtein), row by row. */
static size_t distance(const char *one, const char *other) {
    size_t row[AT_MOST + 1], length = strlen(other);
    if (length > AT_MOST || strlen(one) > AT_MOST)
        return AT_MOST;
    for (size_t k = 0; k <= length; k++)
        row[k] = k;
    for (size_t i = 1; one[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t k = 1; k <= length; k++) {
            size_t changed = diagonal + (one[i - 1] != other[k - 1]);
            diagonal = row[k];
            row[k] = least(changed, least(row[k], row[k - 1]) + 1);
        }
    }
    return row[length];
}

const char *compose_nearest(const char *name, const char *const words[], size_t count) {
    size_t nearest = strlen(name) / 3;
    const char *found = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t far = distance(name, words[i]);
        if (far <= nearest && (!found || far < nearest)) {
            nearest = far;
            found = words[i];
        }
    }
    return found;
}

const char *compose_key_nearest(const char *name) {
    const char *names[sizeof compose_keys / sizeof *compose_keys];
    for (size_t i = 0; i < compose_keys_count; i++)
        names[i] = compose_keys[i].name;
    return compose_nearest(name, names, compose_keys_count);
}

const char *compose_use_name(enum compose_use use) {
    static const char *const names[] = {[COMPOSE_DONE] = "done",
                                        [COMPOSE_IDLE] = "no effect",
                                        [COMPOSE_NAMED] = "named",
                                        [COMPOSE_REFUSED] = "refused"};
    return names[use];
}

bool compose_is_listed(const char *text, const char *list) {
    size_t length = strlen(text);
    for (const char *word = list; *(word += strspn(word, " ")); word += strcspn(word, " ")) {
        size_t size = strcspn(word, " ");
        if ((word[size - 1] == '*' && strncmp(text, word, size - 1) == 0) ||
            (length == size && strncmp(text, word, size) == 0))
            return true;
    }
    return false;
}
