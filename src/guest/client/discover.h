/* Which function does the server have, when nobody said? */
#ifndef SLS_GUEST_CLIENT_DISCOVER_H
#define SLS_GUEST_CLIENT_DISCOVER_H

#include "client/options.h"
#include "lib/client.h"

/* Ask the server (gRPC's server reflection); of one that does not answer that, call the known
 * services one after the other until it has one. Fills in the function, its method and its input,
 * and says on stderr which it is. Called before anything is measured. `open` connects to a method
 * of the server, as long as -wait allows. */
int discover_function(struct options *options,
                      struct grpc_client *(*open)(const struct options *, const char *method,
                                                  struct error *),
                      struct error *err);

#endif
