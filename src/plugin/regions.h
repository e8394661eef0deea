/* Whose code is it? Ranges of virtual addresses with names, from a file of lines
 *
 *     START END NAME
 *
 * hexadecimal, START belongs to it and END does not; several ranges may have one name. A region's
 * number is 1 + the order in which its name appears first; 0 is nobody's. */
#ifndef SLS_PLUGIN_REGIONS_H
#define SLS_PLUGIN_REGIONS_H

#include <stdint.h>

#include "common/error.h"

struct regions;

/* NULL on failure. Ranges that overlap are refused. */
struct regions *regions_read(const char *path, struct error *err);
void regions_free(struct regions *regions);

/* The names, in the order of their numbers; regions_count() of them, owned by the regions. */
const char *const *regions_names(const struct regions *regions);
unsigned regions_count(const struct regions *regions);

/* The region of an address. 0 when there is none, or `regions` is NULL. */
uint32_t regions_find(const struct regions *regions, uint64_t address);

#endif
