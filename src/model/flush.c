#include "model/flush.h"

#include <string.h>

#include "model/branch.h"
#include "model/core.h"

/* In the order of the bits. */
static const char *const names[] = {"l1", "l2", "llc", "tlb", "bp"};
enum { PARTS = sizeof names / sizeof *names };

unsigned flush_parts_of(const struct model_parameters *parameters) {
    const struct cache_parameters *level = parameters->level;
    unsigned parts = FLUSH_L1;
    if (level[LEVEL_L2].present)
        parts |= FLUSH_L2;
    if (level[LEVEL_L3].present || level[LEVEL_LLC].present)
        parts |= FLUSH_LLC;
    if (strcmp(parameters->mmu.model, "ideal") != 0)
        parts |= FLUSH_TLB;
    if (core_find(parameters->core.model)->decodes &&
        direction_find(parameters->branch.direction)->predict)
        parts |= FLUSH_BP;
    return parts;
}

unsigned flush_parse(const char *list) {
    unsigned parts = 0;
    for (;; list++) {
        size_t length = strcspn(list, ",");
        unsigned part = 0;
        while (part < PARTS &&
               (strlen(names[part]) != length || strncmp(names[part], list, length) != 0))
            part++;
        if (part == PARTS)
            return 0;
        parts |= 1u << part;
        list += length;
        if (!*list)
            return parts;
    }
}

void flush_print(unsigned parts, char list[FLUSH_TEXT]) {
    *list = '\0';
    for (unsigned part = 0; part < PARTS; part++)
        if (parts & 1u << part) {
            if (*list)
                strcat(list, ",");
            strcat(list, names[part]);
        }
}
