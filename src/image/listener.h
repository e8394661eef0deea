/* What listens on a port of its own when a function is run on this computer: its services, and the
 * function itself. In the guest each has a network of its own; here all share one, so ports are
 * chosen anew, and what command lines say of them is replaced. */
#ifndef SLS_IMAGE_LISTENER_H
#define SLS_IMAGE_LISTENER_H

#include <stdbool.h>

#include <jansson.h>

#include "common/error.h"
#include "image/function.h"
#include "image/service.h"

struct listener {
    const char *name;    /* NULL: the function */
    const json_t *names; /* further ones; NULL: none */
    const char *port;    /* in its container */
    const json_t *entrypoint;
    enum service_layers layers; /* of a service: what it lies on */
    unsigned number;            /* its port on this computer */
    json_t *arguments;          /* the entry point, as it is on this computer; owned */
};

struct listeners {
    struct listener listener[SERVICE_MOST + 1];
    size_t count;
};

/* Whether this entry point names the port: else it is in the program, and cannot be another. */
bool listener_can_move(const json_t *entrypoint, const char *port);

/* A port that is free now; or the only one that it can have, if that is. */
int listener_choose_port(const json_t *entrypoint, const char *port, unsigned *number,
                         struct error *err);

/* The services in their order, and last the function, on this port.
 * Always followed by listeners_free(). */
int listeners_find(const struct function *function, unsigned port, struct listeners *listeners,
                   struct error *err);

/* Texts, such as its environment, as they are on this computer. The caller's. */
json_t *listener_translate(const struct listener *own, const struct listeners *listeners,
                           const json_t *texts);
void listeners_free(struct listeners *listeners);

#endif
