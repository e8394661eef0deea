/* Values of a service's keys in a Docker Compose file, merged and with variables put in, as what a
 * container needs. For compose.c. Errors name file and line, but neither service nor key. */
#ifndef SLS_IMAGE_COMPOSE_READERS_H
#define SLS_IMAGE_COMPOSE_READERS_H

#include <jansson.h>

#include "image/compose_model.h"

/* Of `env_file` and `environment` (NULL: there is none): NAME=VALUE, and NAME alone of what is
 * taken away. A list, owned by the caller; NULL with an error. */
json_t *compose_read_environment(const struct tree_node *env_files,
                                 const struct tree_node *environment,
                                 const struct variables *variables, struct error *err);

/* Of `ports` or `expose`: the container's TCP port, 50051 if it is one of them or else the first,
 * into *port; it stays as it is if there is none. */
int compose_read_ports(const struct tree_node *list, bool exposed, json_t **port,
                       struct error *err);

/* Of `volumes` and `tmpfs`: folders that the container is to have, FOLDER: NAME of a volume, or ""
 * if it has none, or null if the folder is to be empty. Owned by the caller; NULL with an error. */
json_t *compose_read_volumes(struct model *model, const struct tree_node *volumes,
                             const struct tree_node *tmpfs, struct error *err);

/* A mapping whose keys must be among these words. */
int compose_check_keys(const struct tree_node *mapping, const char *words, struct error *err);

/* true, yes, on and the like. An absent node is what is usual. */
int compose_read_truth(const struct tree_node *node, bool usual, bool *truth, struct error *err);

#endif
