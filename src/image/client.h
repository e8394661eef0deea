/* Which options the client needs for a function that is not ours, and which service they call. */
#ifndef SLS_IMAGE_CLIENT_H
#define SLS_IMAGE_CLIENT_H

#include <stdbool.h>

#include <jansson.h>

#include "common/error.h"

/* Whether the name alone tells: it is that of one of the suite's functions, in any language,
 * whatever stands before it: aes, aes-java, my-image-rotate-go; but not auth-database. */
bool client_is_known(const char *name);

/* The client's options and /PACKAGE.Service/Method for a function. `given` are options of the
 * client (client -help), or begins with the name of a function of the suite (aes); NULL: as the
 * name tells. *client and *service are the caller's. */
int client_find(const char *name, const json_t *given, json_t **client, char **service,
                struct error *err);

#endif
