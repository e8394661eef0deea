/* Main memory: how long a line takes to read or write. A memory model is one file like dram_fixed.c
 * and one line in the table of dram.c.
 *
 * Not modelled: contention between cores. Each core keeps a clock of its own, and only the cycles
 * it was busy; two clocks cannot be compared. So memory sees one clock of the machine, which goes
 * on from where it stood when another core begins to ask: as if the cores took turns. They share
 * what memory remembers (open rows, queued writes), but do not wait for each other. */
#ifndef SLS_MODEL_DRAM_H
#define SLS_MODEL_DRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/parameters.h"

struct dram_counts {
    uint64_t reads, writes; /* lines asked for */
    /* models with rows: how a line's row was found, when it was read or at last written */
    uint64_t row_hits, row_closed, row_conflicts;
    uint64_t forwarded; /* reads answered from the queue of writes */
};

struct dram_model {
    const char *name;
    /* Bytes of its state for these parameters; zeroed, then init() is called. */
    size_t (*size)(const struct model_parameters *parameters);
    void (*init)(void *state, const struct model_parameters *parameters);
    /* Read or write the line at this address. `now`: the cycle when the request arrives; nearly in
     * order. Returns the cycle when a read is answered, or a write is taken. */
    uint64_t (*access)(void *state, uint64_t address, bool write, uint64_t now,
                       struct dram_counts *counts);
};
extern const char *const dram_names[]; /* NULL-terminated, for the parameters' table */
const struct dram_model *dram_find(const char *name); /* NULL: none of this name */

/* The machine's memory, as the caches see it. */
struct dram {
    const struct dram_model *model;
    void *state;
    struct dram_counts counts;
    uint64_t *offsets; /* per core: how far its clock is behind the machine's */
    uint64_t latest;   /* the machine's clock */
    unsigned core;     /* who asked last */
};

/* False when memory is out; dram_free() is due all the same. */
bool dram_init(struct dram *dram, const struct model_parameters *parameters);
void dram_free(struct dram *dram);

/* As dram_model.access, in that core's cycles. */
uint64_t dram_access(struct dram *dram, unsigned core, uint64_t address, bool write, uint64_t now);

/* Picoseconds to cycles of this many hertz, up to the next clock edge. */
uint64_t cycles_of_picoseconds(uint64_t picoseconds, uint64_t hertz);

#endif
