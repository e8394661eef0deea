/* Writes samples.tsv: the model's statistics at every mark (docs/architecture.md, "The statistics'
 * way"), and a line about it to the host that watches. */
#ifndef SLS_PLUGIN_SAMPLES_H
#define SLS_PLUGIN_SAMPLES_H

#include <stdint.h>

#include "model/model.h"

/* Create the file and write its head.
 * `events` is a descriptor to tell of each mark, or -1. 0 or -1. */
int samples_open(const char *path, int events, const struct model *model);

/* One mark. The file is complete up to here when this returns, whatever happens to QEMU. */
void samples_mark(struct model *model, uint16_t operation, uint64_t argument0, uint64_t argument1);

#endif
