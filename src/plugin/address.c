#include "plugin/address.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"

#define PAGE_MASK (((uint64_t)1 << ADDRESS_PAGE_SHIFT) - 1)
#define OUTSIDE_RAM ((uint64_t)1 << 51) /* x86-64 physical addresses have at most 52 bits */

/* QEMU's machine `pc` (hw/i386/pc_piix.c): RAM of 3.5 GB or more continues at 4 GB after 3 GB. */
#define LOW_RAM_MOST ((uint64_t)0xe0000000)
#define LOW_RAM ((uint64_t)0xc0000000)
#define HIGH_RAM ((uint64_t)1 << 32)

void address_table_clear(struct address_table *table) {
    memset(table, 0xff, sizeof *table);
}

enum address_place address_ask(qemu_plugin_meminfo_t info, uint64_t address, uint64_t *frame) {
    struct qemu_plugin_hwaddr *hardware = qemu_plugin_get_hwaddr(info, address);
    if (!hardware) {
        *frame = (OUTSIDE_RAM | (address & (OUTSIDE_RAM - 1))) & ~PAGE_MASK;
        return ADDRESS_UNKNOWN;
    }
    if (qemu_plugin_hwaddr_is_io(hardware))
        return ADDRESS_IO;
    *frame = qemu_plugin_hwaddr_phys_addr(hardware) & ~PAGE_MASK;
    return ADDRESS_MEMORY;
}

static const char *ram_path;
static uintptr_t ram_start, ram_end;

void address_set_ram(const char *path) {
    ram_path = path;
}

/* Find the RAM's mapping: one line of /proc/self/maps,
 * or several neighbours when the kernel split it. */
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

/* End of the RAM below 4 GB. */
static uint64_t low_ram(void) {
    uint64_t size = ram_end - ram_start;
    return size < LOW_RAM_MOST ? size : LOW_RAM;
}

uint64_t address_of_code(const void *host, uint64_t virtual_address) {
    if (!ram_start && ram_path)
        find_ram();
    uintptr_t place = (uintptr_t)host;
    if (place < ram_start || place >= ram_end)
        return OUTSIDE_RAM | (virtual_address & (OUTSIDE_RAM - 1));
    uint64_t offset = place - ram_start;
    return offset < low_ram() ? offset : offset - low_ram() + HIGH_RAM;
}

/* Eight bytes of RAM; false when there is none. */
static bool read_ram(uint64_t physical, uint64_t *value) {
    uint64_t low = low_ram(), offset = physical;
    if (physical >= HIGH_RAM)
        offset = physical - HIGH_RAM + low;
    else if (physical >= low)
        return false;
    if (offset + sizeof *value > ram_end - ram_start)
        return false;
    memcpy(value, (const char *)ram_start + offset, sizeof *value);
    return true;
}

/* Bits of a page table entry: Intel's manual, volume 3, 4.5 "4-level paging". */
#define ENTRY_PRESENT ((uint64_t)1)
#define ENTRY_LARGE ((uint64_t)1 << 7) /* "PS", in the second and third level */
#define ENTRY_GLOBAL ((uint64_t)1 << 8)
#define ENTRY_ADDRESS ((uint64_t)0x000ffffffffff000)

/* False if the tables do not lead to a page. The page is that of the tables, which may be larger
 * than 4 kB. */
static bool walk(uint64_t cr3, uint64_t address, struct translation *translation) {
    *translation = (struct translation){0};
    if (cr3 == ADDRESS_NO_CR3)
        return false;
    if (!ram_start && ram_path)
        find_ram();
    uint64_t table = cr3 & ENTRY_ADDRESS, entry = 0;
    uint8_t levels = 0, shift = 48;
    do {
        shift -= 9;
        uint64_t place = table + (address >> shift & 511) * sizeof entry;
        if (!read_ram(place, &entry) || !(entry & ENTRY_PRESENT))
            return false;
        translation->walk[levels++] = place;
        table = entry & ENTRY_ADDRESS;
    } while (shift > ADDRESS_PAGE_SHIFT && !(entry & ENTRY_LARGE && shift <= 30));

    uint64_t large_mask = ((uint64_t)1 << shift) - 1;
    translation->page = address & ~large_mask;
    translation->frame = table & ~large_mask;
    translation->levels = levels;
    translation->page_shift = shift;
    translation->global = entry & ENTRY_GLOBAL;
    return true;
}

/* Of the 4 kB page with this address in the page of the translation. */
static uint64_t frame_of(const struct translation *translation, uint64_t address) {
    return translation->frame + ((address - translation->page) & ~PAGE_MASK);
}

void address_walk(uint64_t cr3, uint64_t address, uint64_t frame, struct translation *translation) {
    if (!walk(cr3, address, translation) || frame_of(translation, address) != frame)
        *translation = (struct translation){
            .page = address & ~PAGE_MASK, .frame = frame, .page_shift = ADDRESS_PAGE_SHIFT};
}

uint64_t address_find(uint64_t cr3, uint64_t address, struct translation *translation) {
    return walk(cr3, address, translation) ? frame_of(translation, address) : ADDRESS_NOWHERE;
}
