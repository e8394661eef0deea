#include "image/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/file.h"

#define OF_NUMBERS "0123456789."
#define OF_NAMES OF_NUMBERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"

/* What is replaced wherever it stands for itself: not behind one of `not_behind`, nor before a
 * further digit. */
struct replacement {
    char *from, *to; /* owned */
    const char *not_behind;
};

struct replacements {
    struct replacement replacement[SERVICE_MOST * (1 + SERVICE_MOST_NAMES) + 3];
    size_t count;
};

static void add(struct replacements *replacements, char *from, char *to, const char *not_behind) {
    replacements->replacement[replacements->count++] =
        (struct replacement){.from = from, .to = to, .not_behind = not_behind};
}

static void free_replacements(struct replacements *replacements) {
    for (size_t i = 0; i < replacements->count; i++) {
        free(replacements->replacement[i].from);
        free(replacements->replacement[i].to);
    }
}

/* strchr() finds the end, too. */
static bool is_one_of(char letter, const char *letters) {
    return letter && strchr(letters, letter);
}

/* What is to be replaced at this place of the text, or NULL. */
static const struct replacement *find_at(const char *text, size_t place,
                                         const struct replacements *replacements) {
    for (size_t i = 0; i < replacements->count; i++) {
        const struct replacement *one = &replacements->replacement[i];
        size_t length = strlen(one->from);
        if (strncmp(text + place, one->from, length) == 0 &&
            !(place && is_one_of(text[place - 1], one->not_behind)) &&
            !is_one_of(text[place + length], OF_NUMBERS))
            return one;
    }
    return NULL;
}

/* In one pass: what was put in is not looked at. The caller frees it. */
static char *replace(const char *text, const struct replacements *replacements) {
    char *result = strdup("");
    for (size_t place = 0; text[place];) {
        const struct replacement *found = find_at(text, place, replacements);
        char *longer = found ? format_string("%s%s", result, found->to)
                             : format_string("%s%c", result, text[place]);
        place += found ? strlen(found->from) : 1;
        free(result);
        result = longer;
    }
    return result;
}

static json_t *replace_all(const json_t *words, const struct replacements *replacements) {
    json_t *result = json_array();
    size_t index;
    const json_t *word;
    json_array_foreach(words, index, word) {
        autofree char *text = replace(json_string_value(word), replacements);
        json_array_append_new(result, json_string(text));
    }
    return result;
}

bool listener_can_move(const json_t *entrypoint, const char *port) {
    struct replacements replacements = {0};
    add(&replacements, strdup(port), strdup("another"), OF_NUMBERS);
    json_t *moved = replace_all(entrypoint, &replacements);
    bool moves = !json_equal(moved, entrypoint);
    json_decref(moved);
    free_replacements(&replacements);
    return moves;
}

int listener_choose_port(const json_t *entrypoint, const char *port, unsigned *number,
                         struct error *err) {
    bool moves = listener_can_move(entrypoint, port);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons(moves ? 0 : (uint16_t)atoi(port))};
    socklen_t size = sizeof address;
    autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* What has ended a moment ago does not count. */
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, size) < 0 && !moves && errno == EADDRINUSE)
        return error_set(err,
                         "port %s is in use on this computer, and the command line names no port "
                         "that could be another: end what listens there (ss -ltnp)",
                         port);
    if (fd < 0 || getsockname(fd, (struct sockaddr *)&address, &size) < 0 || !address.sin_port)
        return error_errno(err, "cannot find a free port");
    *number = ntohs(address.sin_port);
    return 0;
}

/* Its own 0.0.0.0 and PORT, and the services' NAME:PORT, are others here. */
json_t *listener_translate(const struct listener *own, const struct listeners *listeners,
                           const json_t *texts) {
    struct replacements replacements = {0};
    for (size_t i = 0; i < listeners->count; i++) {
        const struct listener *other = &listeners->listener[i];
        size_t index;
        const json_t *name;
        if (other->name)
            add(&replacements, format_string("%s:%s", other->name, other->port),
                format_string("127.0.0.1:%u", other->number), OF_NAMES);
        json_array_foreach(other->names, index, name)
            add(&replacements, format_string("%s:%s", json_string_value(name), other->port),
                format_string("127.0.0.1:%u", other->number), OF_NAMES);
    }
    add(&replacements, strdup("0.0.0.0"), strdup("127.0.0.1"), OF_NUMBERS);
    add(&replacements, strdup(own->port), format_string("%u", own->number), OF_NUMBERS);
    json_t *translated = replace_all(texts, &replacements);
    free_replacements(&replacements);
    return translated;
}

int listeners_find(const struct function *function, unsigned port, struct listeners *listeners,
                   struct error *err) {
    const char *name;
    json_t *service;
    json_object_foreach(json_object_get(function->yaml, "services"), name, service) {
        struct listener *listener = &listeners->listener[listeners->count++];
        *listener = (struct listener){
            .name = name,
            .names = json_object_get(service, "names"),
            .port = json_string_value(json_object_get(service, "port")),
            .entrypoint = json_object_get(service, "entrypoint"),
            .layers = service_layers(service),
        };
        if (listener_choose_port(listener->entrypoint, listener->port, &listener->number, err) < 0)
            return -1;
    }
    listeners->listener[listeners->count++] = (struct listener){
        .port = function_port(function),
        .entrypoint = json_object_get(function->yaml, "entrypoint"),
        .number = port,
    };
    for (size_t i = 0; i < listeners->count; i++) {
        struct listener *listener = &listeners->listener[i];
        listener->arguments = listener_translate(listener, listeners, listener->entrypoint);
    }
    return 0;
}

void listeners_free(struct listeners *listeners) {
    for (size_t i = 0; i < listeners->count; i++)
        json_decref(listeners->listener[i].arguments);
}
