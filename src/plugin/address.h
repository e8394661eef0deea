/* Physical addresses, cheaply. For data a small table of recent translations per core, kept right
 * the way the processor's own TLB is: emptied by the instructions that change translations (the
 * operating system must run them for the hardware's sake). For instructions the host pointer that
 * QEMU gives, which points into the one file that is the guest's RAM. */
#ifndef SLS_PLUGIN_ADDRESS_H
#define SLS_PLUGIN_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "plugin/qemu_plugin_api.h"

#define ADDRESS_ENTRIES 512 /* direct mapped; enough that misses do not show in a profile */
#define ADDRESS_IO UINT64_MAX

struct address_table {
    struct {
        uint64_t page;  /* virtual page number + 1; 0: empty */
        uint64_t frame; /* physical address of the page */
    } entry[ADDRESS_ENTRIES];
};

void address_table_clear(struct address_table *table);

/* Ask QEMU, and remember the answer. ADDRESS_IO for memory-mapped I/O. */
uint64_t address_ask(struct address_table *table, qemu_plugin_meminfo_t info, uint64_t address);

/* Inlined because it stands on the path of every data access. */
static inline uint64_t address_physical(struct address_table *table, qemu_plugin_meminfo_t info,
                                        uint64_t address) {
    uint64_t page = address >> 12, index = page % ADDRESS_ENTRIES;
    if (__builtin_expect(table->entry[index].page == page + 1, 1))
        return table->entry[index].frame | (address & 4095);
    return address_ask(table, info, address);
}

/* The file that QEMU has mapped as the guest's RAM. Kept, not copied. */
void address_set_ram(const char *path);

/* Physical address of an instruction from its host pointer (NULL allowed). Code outside RAM
 * (firmware) gets a number of its own above all physical addresses. */
uint64_t address_of_code(const void *host, uint64_t virtual_address);

#endif
