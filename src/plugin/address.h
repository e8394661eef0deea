/* Physical addresses, cheaply, and how they are found.
 *
 * Pages of data are kept in a small table of recent translations per core, kept right the way the
 * processor's own TLB is: emptied by the instructions that change translations (the operating
 * system must run them for the hardware's sake). It is in two halves: the executing thread only
 * knows which pages are in it; what they translate to is with the consumer (translations.h), which
 * is sent each entry when it changes. So the executing thread stores one word per access.
 *
 * For instructions there is the host pointer that QEMU gives, which points into the one file that
 * is the guest's RAM. There the page tables lie, too: walks are what the processor would read. */
#ifndef SLS_PLUGIN_ADDRESS_H
#define SLS_PLUGIN_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/stream.h"
#include "plugin/qemu_plugin_api.h"

#define ADDRESS_ENTRIES 512 /* direct mapped; enough that misses do not show in a profile */
#define ADDRESS_PAGE_SHIFT 12

struct address_table {
    uint64_t page[ADDRESS_ENTRIES]; /* virtual page numbers; UINT64_MAX: empty */
};

void address_table_clear(struct address_table *table);

static inline bool address_same_page(uint64_t one, uint64_t other) {
    return (one ^ other) >> ADDRESS_PAGE_SHIFT == 0;
}
static inline unsigned address_index(uint64_t address) {
    return address >> ADDRESS_PAGE_SHIFT & (ADDRESS_ENTRIES - 1);
}
static inline bool address_known(const struct address_table *table, uint64_t address) {
    return table->page[address_index(address)] == address >> ADDRESS_PAGE_SHIFT;
}
static inline void address_remember(struct address_table *table, uint64_t address) {
    table->page[address_index(address)] = address >> ADDRESS_PAGE_SHIFT;
}
/* Whatever page is in this one's place. */
static inline void address_forget(struct address_table *table, uint64_t address) {
    table->page[address_index(address)] = UINT64_MAX;
}

/* Where a page of data lies. */
enum address_place {
    ADDRESS_MEMORY,
    ADDRESS_IO,      /* memory-mapped I/O; *frame is not set */
    ADDRESS_UNKNOWN, /* QEMU has forgotten it: a number of its own, for this access only */
};
enum address_place address_ask(qemu_plugin_meminfo_t info, uint64_t address, uint64_t *frame);

/* The file that QEMU has mapped as the guest's RAM. Kept, not copied. */
void address_set_ram(const char *path);

/* Physical address of an instruction from its host pointer (NULL allowed). Code outside RAM
 * (firmware) gets a number of its own above all physical addresses. */
uint64_t address_of_code(const void *host, uint64_t virtual_address);

#define ADDRESS_NO_CR3 UINT64_MAX

/* Walk the page tables that this CR3 points to (4 levels, 64-bit mode) for a virtual address whose
 * page lies at `frame`. Where they do not lead there (paging is off, another mode), or when CR3 is
 * not known, *translation has levels = 0.
 *
 * Not modelled: the accessed and dirty bits that the processor writes back. */
void address_walk(uint64_t cr3, uint64_t address, uint64_t frame, struct translation *translation);

/* The same for a page of which nothing is known yet. Its 4 kB frame, or ADDRESS_NOWHERE: an access
 * would fault. */
#define ADDRESS_NOWHERE UINT64_MAX
uint64_t address_find(uint64_t cr3, uint64_t address, struct translation *translation);

#endif
