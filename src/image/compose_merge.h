/* How a value of a Docker Compose file goes with the one that was said before it, in an earlier
 * file or by the service that it extends: the Compose specification's rules for merging. */
#ifndef SLS_IMAGE_COMPOSE_MERGE_H
#define SLS_IMAGE_COMPOSE_MERGE_H

#include "common/yaml_tree.h"
#include "image/compose_keys.h"

/* Put `later` over *value (NULL: nothing was said), both of the key that `how` belongs to. What is
 * merged is in its long form: a list where a text may stand for one (COMPOSE_APPEND), a mapping
 * where a list may (COMPOSE_BY_NAME). !reset takes away what was said, !override what it would be
 * merged with. */
int compose_merge(struct tree *tree, enum compose_merge how, const struct tree_node *later,
                  const struct tree_node **value, struct error *err);

#endif
