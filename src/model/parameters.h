/* The parameters of a simulated machine, and the one table that declares them: what a system file
 * may say, what it must say, and how it is printed back. Every parameter is required; a system file
 * has no hidden defaults. Quantities are kept in base units: bytes, hertz, picoseconds, cycles. */
#ifndef SLS_MODEL_PARAMETERS_H
#define SLS_MODEL_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PARAMETER_TEXT = 256 }; /* bytes of a text parameter, its NUL included */

struct cache_parameters {
    uint64_t size;             /* bytes */
    uint64_t associativity;    /* ways */
    uint64_t tag_latency;      /* cycles */
    uint64_t data_latency;     /* cycles; tags and data are read side by side */
    uint64_t response_latency; /* cycles from the arrival of a fill to the answer */
    uint64_t mshrs;            /* misses under way at a time */
    char replacement[PARAMETER_TEXT];
};

struct crossbar_parameters {
    uint64_t width;                                               /* bytes a cycle */
    uint64_t frontend_latency, forward_latency, response_latency; /* cycles */
    uint64_t snoop_filter_latency;                                /* cycles, paid by requests */
};

struct model_parameters {
    char name[PARAMETER_TEXT], description[PARAMETER_TEXT];
    uint64_t clock; /* Hz: cores, caches and crossbars */
    uint64_t cores;
    char core_model[PARAMETER_TEXT];
    uint64_t fetch_width; /* bytes, aligned */
    uint64_t line_size;   /* bytes, of every cache */
    struct cache_parameters l1i, l1d, llc;
    struct crossbar_parameters llc_bus,
        memory_bus;       /* between L1s and LLC, between LLC and memory */
    uint64_t memory_size; /* bytes */
    char memory_model[PARAMETER_TEXT];
    uint64_t memory_latency; /* ps */
};

enum parameter_unit {
    UNIT_TEXT,   /* char[PARAMETER_TEXT], anything but empty */
    UNIT_CHOICE, /* char[PARAMETER_TEXT], one of `choices` */
    UNIT_COUNT,  /* uint64_t, as all that follow */
    UNIT_BYTES,
    UNIT_HERTZ,
    UNIT_PICOSECONDS,
    UNIT_CYCLES,
};

struct parameter {
    const char *key; /* its path in a system file: "caches.l1d.size" */
    enum parameter_unit unit;
    size_t offset;              /* in struct model_parameters */
    uint64_t minimum, maximum;  /* of the number, both legal; unused for text */
    const char *const *choices; /* NULL-terminated */
    const char *description;    /* one sentence */
};

/* The table, in the order to print. Ends with a NULL key. */
extern const struct parameter parameters_table[];

/* Where a parameter lies: a uint64_t, or PARAMETER_TEXT chars. */
void *parameter_place(struct model_parameters *parameters, const struct parameter *parameter);

/* How quantities of a unit are written: the names and what each is worth in base units, smallest
 * first. Ends with a NULL name; the empty list for text and plain numbers. */
struct unit_name {
    const char *name;
    uint64_t factor;
};
const struct unit_name *parameter_units(enum parameter_unit unit);

/* A number as people write it ("16 kB", "2.5 GHz", "12 cycles"), in the largest unit that keeps it
 * exact to three decimals. */
void parameter_format(enum parameter_unit unit, uint64_t number, char *text, size_t size);

struct parameters_problem {
    const char *key; /* of the parameter to blame */
    char text[256];  /* "why: what is legal" */
};

/* Whether a machine can have these parameters: each in its range, geometries that can be indexed.
 * If not, `problem` (may be NULL) says what is wrong. */
bool parameters_check(const struct model_parameters *parameters,
                      struct parameters_problem *problem);

#endif
