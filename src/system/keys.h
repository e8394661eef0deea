/* The keys of parameters_table as the tree that a system file is: sections that hold sections and
 * parameters. The whole file is the section "". */
#ifndef SLS_SYSTEM_KEYS_H
#define SLS_SYSTEM_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/parameters.h"

/* NULL: no parameter has this key. */
const struct parameter *key_find(const char *key);

/* Whether this parameter lies in the section, at any depth. */
bool key_is_within(const char *key, const char *section);

/* Whether any does. */
bool key_is_section(const char *section);

/* Cut a key to the section it stands in: "caches.l1d.size" to "caches.l1d" to "caches" to "". */
void key_to_section(char *key);

/* What a section may hold, for messages: "size, associativity, …". */
void key_list(const char *section, char *text, size_t size);

/* The name in the section that `name` was probably meant to be, in `text`. False: none is close. */
bool key_closest(const char *section, const char *name, char *text, size_t size);

#endif
