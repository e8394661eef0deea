/* Of Docker Compose files, the services that become functions, each with those that it needs. */
#ifndef SLS_CLI_FUNCTION_SERVICES_H
#define SLS_CLI_FUNCTION_SERVICES_H

#include "image/added.h"

struct function_services {
    const json_t *names; /* of services; empty: all whose image tells what to ask them */
    const json_t *files, *env_files;
    const char *prefix;   /* of the functions' names; may be NULL */
    struct addition like; /* client, port, replace, fetch: what holds for all of them */
};

typedef int action_addition(const struct addition *addition, struct error *err);

/* What can be found out of all of them is, before the first is added. */
int function_add_services(const struct function_services *services, action_addition *add,
                          struct error *err);

#endif
