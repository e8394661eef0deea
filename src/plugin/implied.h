/* Accesses that need no callback. Much of what a block accesses lies at a distance from what it has
 * accessed before that is known when it is translated: a function's pushes and pops, members of one
 * struct, the store of `add [rbx],rax` behind its load. Of such accesses only the first, the
 * leader, is reported when the code runs; the others are implied, and the consumer puts them in.
 *
 * Only instructions are looked at whose accesses QEMU makes one for each memory operand, in the
 * order load, store, whatever the data: moves, integer arithmetic, push, pop, call and ret. All
 * others are reported as ever.
 *
 * An implied access is made unless its instruction faults. In the middle of a block that is seen by
 * the instructions behind it, which do not start. At a block's end it is not: there a load is
 * implied by any access to its page, a store only by another store. Where leader and implied access
 * lie in two pages, the executing thread looks whether the second one exists (plugin.c). */
#ifndef SLS_PLUGIN_IMPLIED_H
#define SLS_PLUGIN_IMPLIED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/segment.h"

/* Leaders are known by their instruction's index in the block modulo this. */
#define IMPLIED_LEADERS 16

/* Bytes from the lowest to the highest of what a leader implies are fewer than this: so they are in
 * two neighbouring pages at most. */
#define IMPLIED_SPAN 4096

#define IMPLIED_MOST 64 /* of one block: more than that are reported */

struct implied {
    size_t count;
    struct implied_access access[IMPLIED_MOST]; /* in the order they are made */
    struct implied_instruction {
        bool load, store;      /* are implied: they need no callback */
        bool leads;            /* others are implied by its access */
        uint16_t below, above; /* their farthest distances from it, in bytes */
    } instruction[BLOCK_MOST];
};

/* What of a block is implied. Nothing if it is not known to be 64-bit code. */
void implied_find(const struct instruction_view *views, size_t count, bool long_mode,
                  struct implied *implied);

#endif
