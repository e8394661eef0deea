#include "cli/function_services.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/progress.h"
#include "common/words.h"
#include "image/client.h"
#include "image/compose.h"
#include "image/service.h"

/* An application, and which of it is wanted. */
struct application {
    const struct function_services *request;
    struct compose *compose;
    json_t *profiles; /* that are active */
};

/* A function that is being put together. */
struct assembly {
    const struct application *application;
    const char *service;
    json_t *above;   /* those that wait for what is looked at */
    json_t *needed;  /* NAME HERE: as compose_service() has it, in the order of starting */
    json_t *spelt;   /* NAME IN THE FILE: NAME HERE, of what is needed */
    json_t *volumes; /* NAME: the service that has it */
};

static void say(struct compose *compose) {
    json_t *remarks = compose_remarks(compose);
    size_t index;
    const json_t *remark;
    json_array_foreach(remarks, index, remark) progress_note("%s", json_string_value(remark));
    json_decref(remarks);
}

static const char *text_of(const json_t *said, const char *key) {
    return json_string_value(json_object_get(said, key));
}

/* One without profiles always is. */
static bool is_active(const struct application *application, const json_t *said) {
    const json_t *profiles = json_object_get(said, "profiles");
    const json_t *profile;
    size_t index;
    json_array_foreach(profiles, index, profile) {
        if (words_contain(application->profiles, json_string_value(profile)))
            return true;
    }
    return !json_array_size(profiles) || words_contain(application->profiles, "*");
}

/* A further name of a service, as long as it says anything new. */
static void add_name(json_t *said, const char *here, const char *name) {
    json_t *names = json_object_get(said, "names");
    if (strcasecmp(name, here) == 0 || words_contain(names, name))
        return;
    if (!names)
        json_object_set_new(said, "names", names = json_array());
    json_array_append_new(names, json_string(name));
}

static int check_names(const struct assembly *assembly, const json_t *said, const char *here,
                       struct error *err) {
    const json_t *names = json_object_get(said, "names"), *name, *other;
    const char *another;
    size_t index;
    if (json_array_size(names) > SERVICE_MOST_NAMES)
        return error_set(err, "%s: %s: has more than %d names", text_of(said, "where"), here,
                         SERVICE_MOST_NAMES);
    json_object_foreach(assembly->needed, another, other) {
        const json_t *others = json_object_get(other, "names");
        bool same = words_contain(names, another) || words_contain(others, here);
        json_array_foreach(names, index, name) same =
            same || words_contain(others, json_string_value(name));
        if (same)
            return error_set(err, "%s: %s: %s is reached under one of its names, too",
                             text_of(said, "where"), here, another);
    }
    return 0;
}

/* A volume that two have would be one folder: each has one of its own. */
static void note_volumes(const struct assembly *assembly, const json_t *said, const char *service) {
    json_t *volume;
    const char *folder;
    json_object_foreach(json_object_get(said, "folders"), folder, volume) {
        const char *name = json_string_value(volume);
        const char *other = name ? text_of(assembly->volumes, name) : NULL;
        if (other && strcmp(other, service) != 0)
            compose_remark(assembly->application->compose,
                           "%s: %s: volumes: %s: %s has it, too: each has one of its own here",
                           text_of(said, "where"), service, name, other);
        if (name && *name)
            json_object_set_new(assembly->volumes, name, json_string(service));
    }
}

static int find_needed(struct assembly *assembly, const char *service, const json_t *said,
                       struct error *err);

/* One that `service` waits for, and what that waits for itself. */
static int need(struct assembly *assembly, const char *service, const char *where, const char *name,
                bool required, struct error *err) {
    const struct application *application = assembly->application;
    autofree char *here = compose_spell(name);
    bool is_there = json_object_get(compose_names(application->compose), name) != NULL;
    json_t *other = NULL;
    int result = 0;
    if (json_object_get(assembly->above, name))
        return error_set(err, "%s: %s: depends on %s, and that on it", where, service, name);
    if (json_object_get(assembly->spelt, name))
        return 0;
    if (is_there && !(other = compose_service(application->compose, name, err)))
        return -1;
    if (!is_there || !is_active(application, other)) {
        if (required)
            result = error_set(err, "%s: %s: depends on %s, which %s", where, service, name,
                               is_there ? "has a profile that is not active: COMPOSE_PROFILES"
                                        : "the file does not describe");
        else
            compose_remark(application->compose, "%s: %s: goes without %s, which is not there",
                           where, service, name);
        json_decref(other);
        return result;
    }
    if (!text_of(other, "image"))
        result = error_set(err, "%s: %s: has no image: build and push it first",
                           text_of(other, "where"), name);
    else if (json_object_get(assembly->needed, here))
        result = error_set(err, "%s: %s: is %s here, as another one: give it another name",
                           text_of(other, "where"), name, here);
    if (result == 0)
        result = find_needed(assembly, name, other, err);
    if (result == 0) {
        add_name(other, here, name);
        json_object_set_new(assembly->spelt, name, json_string(here));
        result = check_names(assembly, other, here, err);
        note_volumes(assembly, other, name);
        json_object_set(assembly->needed, here, other);
    }
    json_decref(other);
    return result;
}

/* Put what this service needs into `needed`, each behind what it needs itself. */
static int find_needed(struct assembly *assembly, const char *service, const json_t *said,
                       struct error *err) {
    const char *where = text_of(said, "where"), *name;
    json_t *value, *alias;
    size_t index;
    json_object_set_new(assembly->above, service, json_null());
    json_object_foreach(json_object_get(said, "depends_on"), name, value) {
        if (need(assembly, service, where, name, json_is_true(value), err) < 0)
            return -1;
    }
    json_object_foreach(json_object_get(said, "links"), name, value) {
        if (need(assembly, service, where, name, true, err) < 0)
            return -1;
        const char *here = text_of(assembly->spelt, name);
        json_array_foreach(value, index, alias)
            add_name(json_object_get(assembly->needed, here), here, json_string_value(alias));
    }
    json_object_del(assembly->above, service);
    return 0;
}

/* What a service says, handed on as an addition. */
static int hand_on(const struct application *application, const char *service, const json_t *said,
                   const json_t *needed, action_addition *action, struct error *err) {
    const struct function_services *request = application->request;
    autofree char *full = format_string("%s%s", request->prefix ?: "", service);
    autofree char *name = compose_spell(full);
    struct addition addition = request->like;
    struct error why = {0};
    addition.name = name;
    addition.source = text_of(said, "image");
    addition.client = request->like.client ?: json_object_get(said, "x-client");
    addition.how = said;
    addition.port = text_of(said, "port") ?: request->like.port;
    addition.services = needed;
    if (!addition.source)
        return error_set(err, "%s: %s: has no image: build and push it first",
                         text_of(said, "where"), service);
    if (action(&addition, &why) == 0)
        return 0;
    error_set(err, "%s: %s%s%s", text_of(said, "where"), strcmp(full, name) ? full : "",
              strcmp(full, name) ? ": " : "", why.text);
    err->status = why.status;
    return -1;
}

static int with_service(const struct application *application, const char *service,
                        action_addition *action, struct error *err) {
    struct assembly assembly = {.application = application,
                                .service = service,
                                .above = json_object(),
                                .needed = json_object(),
                                .spelt = json_object(),
                                .volumes = json_object()};
    json_t *said = compose_service(application->compose, service, err);
    int result = -1;
    if (said) {
        note_volumes(&assembly, said, service);
        result = find_needed(&assembly, service, said, err);
    }
    say(application->compose);
    if (result == 0)
        result = hand_on(application, service, said, assembly.needed, action, err);
    json_decref(said);
    json_decref(assembly.above);
    json_decref(assembly.needed);
    json_decref(assembly.spelt);
    json_decref(assembly.volumes);
    return result;
}

/* Those that are named; what they have of profiles is active then. */
static int choose_named(struct application *application, json_t *chosen, struct error *err) {
    const json_t *name;
    size_t index;
    json_array_foreach(application->request->names, index, name) {
        const char *service = json_string_value(name);
        if (!json_object_get(compose_names(application->compose), service))
            return error_usage(err, "%s: no service is named %s",
                               json_string_value(json_array_get(application->request->files, 0)),
                               service);
        json_t *said = compose_glance(application->compose, service, err);
        if (!said)
            return -1;
        json_array_extend(application->profiles, json_object_get(said, "profiles"));
        json_decref(said);
        json_array_append_new(chosen, json_string(service));
    }
    return 0;
}

/* Why it is not taken unasked; NULL: it is. What its client is to ask must be said, or told by the
 * image's name. */
static const char *why_not(const struct application *application, const json_t *said,
                           const struct error *why) {
    if (!said)
        return why->text;
    autofree char *name = added_name(text_of(said, "image") ?: "");
    if (!is_active(application, said))
        return "its profile is not active: COMPOSE_PROFILES";
    return application->request->like.client || json_object_get(said, "x-client") ||
                   client_is_known(name)
               ? NULL
               : "its image's name does not tell what to ask it: name it, with --client, to add it";
}

/* Those that are known: the others are databases and the like. */
static int choose_known(struct application *application, json_t *chosen, struct error *err) {
    const char *service;
    json_t *null;
    json_object_foreach((json_t *)compose_names(application->compose), service, null) {
        struct error why = {0};
        json_t *said = compose_glance(application->compose, service, &why);
        const char *reason = why_not(application, said, &why);
        if (reason)
            progress_note("%s is left out: %s", service, reason);
        else
            json_array_append_new(chosen, json_string(service));
        json_decref(said);
    }
    return json_array_size(chosen)
               ? 0
               : error_usage(err, "%s: none of its services is known: name one, with --client",
                             json_string_value(json_array_get(application->request->files, 0)));
}

/* No two may become one function. */
static int check_spelling(const struct application *application, const json_t *chosen,
                          struct error *err) {
    json_t *taken = json_object();
    const json_t *name;
    size_t index;
    int result = 0;
    json_array_foreach(chosen, index, name) {
        const char *prefix = application->request->prefix ?: "", *service = json_string_value(name);
        autofree char *full = format_string("%s%s", prefix, service);
        autofree char *here = compose_spell(full);
        const char *other = text_of(taken, here);
        if (other && strcmp(other, service) != 0)
            result = error_usage(err,
                                 "%s: would be the function %s, and so would %s: add one of "
                                 "them with a --prefix of its own",
                                 service, here, other);
        else if (!other && strcmp(full, here) != 0)
            progress_note("%s is the function %s: small letters, digits and -, at most %d", full,
                          here, SERVICE_MOST_LETTERS);
        json_object_set_new(taken, here, name ? json_string(service) : NULL);
    }
    json_decref(taken);
    return result;
}

static json_t *active_profiles(void) {
    autofree char *profiles = strdup(getenv("COMPOSE_PROFILES") ?: "");
    json_t *list = json_array();
    char *rest = profiles;
    for (char *one; (one = strsep(&rest, ","));)
        if (*one)
            json_array_append_new(list, json_string(one));
    return list;
}

static int add_all(struct application *application, action_addition *add, struct error *err) {
    action_addition *const actions[] = {added_check, add};
    json_t *chosen = json_array(), *name;
    size_t index;
    int result = json_array_size(application->request->names)
                     ? choose_named(application, chosen, err)
                     : choose_known(application, chosen, err);
    if (result == 0)
        result = check_spelling(application, chosen, err);
    for (size_t i = 0; i < 2; i++)
        json_array_foreach(chosen, index, name) if (result == 0) result =
            with_service(application, json_string_value(name), actions[i], err);
    json_decref(chosen);
    return result;
}

int function_add_services(const struct function_services *services, action_addition *add,
                          struct error *err) {
    struct compose *compose = compose_open(services->files, services->env_files, err);
    if (!compose)
        return -1;
    struct application application = {
        .request = services, .compose = compose, .profiles = active_profiles()};
    int result = add_all(&application, add, err);
    json_decref(application.profiles);
    compose_close(compose);
    return result;
}
