#include "plugin/address.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"

#define OUTSIDE_RAM ((uint64_t)1 << 51) /* x86-64 physical addresses have at most 52 bits */

void address_table_clear(struct address_table *table) {
    memset(table, 0, sizeof *table);
}

uint64_t address_ask(struct address_table *table, qemu_plugin_meminfo_t info, uint64_t address) {
    struct qemu_plugin_hwaddr *hardware = qemu_plugin_get_hwaddr(info, address);
    if (!hardware)
        return OUTSIDE_RAM | (address & (OUTSIDE_RAM - 1));
    if (qemu_plugin_hwaddr_is_io(hardware))
        return ADDRESS_IO;
    uint64_t physical = qemu_plugin_hwaddr_phys_addr(hardware);
    uint64_t page = address >> 12, index = page % ADDRESS_ENTRIES;
    table->entry[index].page = page + 1;
    table->entry[index].frame = physical & ~(uint64_t)4095;
    return physical;
}

static const char *ram_path;
static uintptr_t ram_start, ram_end;

void address_set_ram(const char *path) {
    ram_path = path;
}

/* Find the RAM's mapping: one line of /proc/self/maps, or several neighbours when the kernel split
 * it. */
static void find_ram(void) {
    autofclose FILE *maps = fopen("/proc/self/maps", "re");
    char line[4096 + 128];
    while (maps && fgets(line, sizeof line, maps)) {
        uintptr_t start, end;
        int path_at = 0;
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %*s %*s %*s %n", &start, &end, &path_at) <
                2 ||
            !path_at || strcmp(line + path_at, ram_path) != 0)
            continue;
        if (!ram_start)
            ram_start = start;
        ram_end = end;
    }
}

uint64_t address_of_code(const void *host, uint64_t virtual_address) {
    if (!ram_start && ram_path)
        find_ram();
    uintptr_t place = (uintptr_t)host;
    if (place >= ram_start && place < ram_end)
        return place - ram_start;
    return OUTSIDE_RAM | (virtual_address & (OUTSIDE_RAM - 1));
}
